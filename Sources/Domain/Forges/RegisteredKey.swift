/// A key an operator registered; its token is kept apart, sealed.
package struct RegisteredKey: Sendable, Hashable {
    /// Letters, digits, `-` and `_`; one name may stand under several providers.
    package var name: String
    package var provider: KeyProvider
    /// A note of the operator's; empty without one.
    package var scope: String
    /// Where the service is; `nil`: the configured one.
    package var base: ForgeBase?
    /// Whole milliseconds.
    package var createdAt: Timestamp

    package init(
        name: String, provider: KeyProvider, scope: String = "", base: ForgeBase? = nil, createdAt: Timestamp
    ) {
        self.name = name
        self.provider = provider
        self.scope = scope
        self.base = base
        self.createdAt = Timestamp(nanoseconds: createdAt.milliseconds * 1_000_000)
    }
}
