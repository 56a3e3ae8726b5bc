/// Which addresses an outgoing connection may have: public ones, and those an operator named.
package struct AddressRule: Sendable, Hashable {
    /// Public addresses, no exception.
    package static let publicOnly = AddressRule()

    private var exceptions: Set<HTTPURL.Authority> = []

    private init() {}

    /// - Parameter exceptions: `host` or `host:port`. A name may then resolve to this host or a private network, yet
    ///   not to a link-local or metadata address; an address named as such may be anything that can be dialled.
    /// - Throws: `.invalidArgument` for a malformed entry.
    package init(exceptions: [String]) throws(CodeForgeError) {
        for text in exceptions {
            do {
                self.exceptions.insert(try HTTPURL.Authority(text))
            } catch {
                throw CodeForgeError(.invalidArgument, "address exception \"\(text)\": expected host or host:port")
            }
        }
    }

    /// Holds every address that `host` resolved to against the rule, and the whole set falls with one of them: a name
    /// that answers with a public and a private address is either misconfigured or an attempt.
    ///
    /// - Throws: `.forbidden` naming the first address that may not be dialled, and what kind it is; `.unavailable`
    ///   without any address.
    package func check(_ addresses: [IPAddress], host: HTTPURL.Host, port: UInt16) throws(CodeForgeError) {
        guard !addresses.isEmpty else { throw CodeForgeError(.unavailable, "\(host): the name has no address") }
        for address in addresses where !permits(address, host: host, port: port) {
            throw CodeForgeError(
                .forbidden,
                "\(host): \(address) is \(address.kind.phrase); name the host as an exception to allow it"
            )
        }
    }

    /// Whether an operator named `host`, with this port or without one.
    package func excepts(_ host: HTTPURL.Host, port: UInt16) -> Bool {
        exceptions.contains(HTTPURL.Authority(host: host, port: nil))
            || exceptions.contains(HTTPURL.Authority(host: host, port: port))
    }

    /// Whether a connection for `host` and `port` may go to `address`, one of those `host` resolved to.
    package func permits(_ address: IPAddress, host: HTTPURL.Host, port: UInt16) -> Bool {
        if address.kind == .global { return true }
        guard excepts(host, port: port) else { return false }
        switch (address.kind, host) {
        case (.loopback, _), (.local, _): return true
        case (.linkLocal, .address): return true
        default: return false
        }
    }
}

extension HTTPURL.Authority {
    fileprivate init(host: HTTPURL.Host, port: UInt16?) {
        self.host = host
        self.port = port
    }
}
