import Domain
import Testing

@Suite struct EgressListTests {
    private func permits(_ entries: [String], _ authority: String, usual: UInt16 = 443) throws -> Bool {
        let wanted = try HTTPURL.Authority(authority)
        return try EgressList(entries).permits(wanted.host, port: wanted.port ?? usual, usual: usual)
    }

    @Test(
        arguments: [
            ("example.com", "example.com", true), ("example.com", "EXAMPLE.com.", true),
            ("Example.COM.", "example.com", true), ("example.com", "www.example.com", false),
            ("example.com", "example.com.evil.net", false), ("example.com", "badexample.com", false),
            ("example.com", "example.com:8443", false), ("example.com:8443", "example.com:8443", true),
            ("example.com:8443", "example.com", false), ("*.example.com", "www.example.com", true),
            ("*.example.com", "a.b.c.example.com", true), ("*.example.com", "example.com", false),
            ("*.example.com", "badexample.com", false), ("*.example.com", ".example.com.net", false),
            ("*.example.com:8080", "www.example.com:8080", true), ("*.example.com:8080", "www.example.com", false),
            ("10.0.0.1", "10.0.0.1", true), ("10.0.0.1", "10.0.0.2", false), ("[::1]:80", "[0:0::1]:80", true),
            ("[::1]:80", "[::1]:81", false), ("10.0.0.1", "[::ffff:10.0.0.1]", false),
            ("a_b.example", "a_b.example", true),
        ] as [(String, String, Bool)]
    )
    func namesAreComparedWhole(entry: String, authority: String, expected: Bool) throws {
        // What cannot be parsed is permitted by nothing.
        #expect(((try? permits([entry], authority)) ?? false) == expected)
        #expect(((try? permits([], authority)) ?? false) == false)
    }

    @Test func anEntryWithoutPortOpensTheUsualOne() throws {
        #expect(try permits(["example.com"], "example.com", usual: 80))
        #expect(try !permits(["example.com"], "example.com:443", usual: 80))
        #expect(try permits(["x.example", "example.com:443"], "example.com:443", usual: 80))
    }

    @Test(arguments: [
        "", "*", "*.", "*.com", "*example.com", "a.*.com", "*.*.example.com", "http://example.com", "example.com/",
        "user@example.com", "example.com:", "example.com:0", "example.com:99999", "*.10.0.0.1", "*.[::1]", "127.1",
        "0x7f.0.0.1", "exa mple.com", "ex\u{e4}mple.com", "example..com", "[::1", "example.com:443:443",
        "a\u{0}.example.com",
    ]) func malformedEntriesAreRefused(entry: String) {
        #expect(throws: CodeForgeError.self) { try EgressList([entry]) }
    }
}
