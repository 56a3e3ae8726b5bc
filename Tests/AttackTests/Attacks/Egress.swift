extension Attack {
    /// Ways past the proxy's list: `allowed.example`, `*.sub.example`, and `localhost`, whose address is private.
    static let egress: [Attack] = [
        connect("unlisted-host", "a host that is not listed", "evil.example:443", "RFC 9110 9.3.6"),
        connect("longer-name", "a name that ends like a listed one", "notallowed.example:443", "CWE-184"),
        connect("name-below", "a name below one that is listed alone", "x.allowed.example:443", "CWE-184"),
        connect("name-above", "the name above a wildcard", "sub.example:443", "CWE-184"),
        connect(
            "listed-name-as-label", "a listed name in front of another", "allowed.example.evil.example:443", "CWE-184"),
        connect("other-port", "another port of a listed host", "allowed.example:22", "CWE-184"),
        connect(
            "user-info", "a listed name as user info", "allowed.example@evil.example:443", "RFC 3986 3.2.1",
            reason: "bad_request"),
        connect(
            "encoded-nul", "a name that ends early for some", "evil.example%00.sub.example:443", "CWE-158",
            reason: "bad_request"),
        connect(
            "rebinding", "a listed name whose address is the host's loopback", "localhost:%d",
            "CWE-350 (DNS rebinding)", port: true, reason: "address_refused"),
        connect("own-service", "the host's loopback by address", "127.0.0.1:%d", "CWE-918", port: true),
        connect(
            "address-in-hex", "an address in a form of its own", "0x7f000001:%d", "inet_aton(3)", port: true,
            reason: "bad_request"),
        connect("mapped-address", "an IPv4-mapped address", "[::ffff:7f00:1]:%d", "RFC 4291 2.5.5.2", port: true),
    ]

    private static func connect(
        _ name: String, _ what: String, _ authority: String, _ reference: String, port: Bool = false,
        reason: String = "egress_refused"
    ) -> Attack {
        let host = "('\(authority)'\(port ? " % number('HOST_PORT')" : ""))"
        return Attack(
            name: "egress-" + name, category: .gateway, tries: "asks the proxy for \(what)",
            walls: port ? [.gateway, .addresses] : [.gateway], reference: reference,
            body: .probe(
                """
                host = \(host)
                http('CONNECT ' + host + ' HTTP/1.1\\nHost: ' + host + '\\n\\n')
                """), refusal: ["[4", "[5"], record: .gateway(reason), control: .relay)
    }
}
