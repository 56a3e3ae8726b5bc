package import Domain
package import Hummingbird
package import NIOCore

/// What travels with one request.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The client's connection; closed when it can't keep up.
    package let channel: any Channel
    /// Sent back as `X-Request-Id`.
    package var requestID = ""
    /// Whose request it is, once the token was found good.
    package var caller: Caller?
    /// What the request named itself by, when that is to be put on record with its effect.
    package var claim: ReceiptClaim?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// The task a path names. Never checked for its form.
    var taskID: String { decoded("taskID") }

    /// A parameter of the path, without its percent escapes.
    func decoded(_ name: String) -> String {
        let raw = parameters.get(name) ?? ""
        return PercentEncoding.decoded(raw) ?? raw
    }
}

/// Who calls, as far as the token tells.
package struct Caller: Sendable, Equatable {
    /// For the audit: `configured token`, or `token NAME`.
    package var name: String
    package var role: TokenRole
    /// Names the token in our own records, and tells nothing about it.
    package var scope: String
    /// The token itself, for the rate limit.
    package var token: String
}

/// The id of one request, for a person who follows it through logs.
enum RequestID {
    /// What a client sent, if it is 1…128 visible ASCII characters.
    static func accept(_ value: String?) -> String? {
        guard let value, (1...128).contains(value.utf8.count), value.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        return value
    }

    /// 16 hexadecimal digits. Names a log line; nothing hangs on its being unguessable.
    static func make() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
