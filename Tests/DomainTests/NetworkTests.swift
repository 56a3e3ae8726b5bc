import Testing

@testable import Domain

struct NetworkTests {
    @Test(arguments: [
        ("8.8.8.8", IPAddress.Kind.global), ("1.1.1.1", .global), ("172.32.0.1", .global), ("100.128.0.0", .global),
        ("223.255.255.255", .global), ("2606:4700::1111", .global), ("2a00:1450:4001:81b::200e", .global),
        ("127.0.0.1", .loopback), ("127.255.255.255", .loopback), ("::1", .loopback),
        ("10.255.0.1", .local), ("172.16.0.1", .local), ("172.31.255.255", .local), ("192.168.0.1", .local),
        ("100.64.0.1", .local), ("100.127.255.255", .local), ("fd00::1", .local), ("fc00::", .local),
        ("fd00:ec2::254", .local), ("100.100.100.200", .local),
        ("169.254.169.254", .linkLocal), ("168.63.129.16", .linkLocal), ("fe80::1", .linkLocal),
        ("febf::1", .linkLocal),
        ("0.0.0.0", .unusable), ("0.1.2.3", .unusable), ("224.0.0.1", .unusable), ("255.255.255.255", .unusable),
        ("240.0.0.1", .unusable), ("192.0.2.1", .unusable), ("192.0.0.192", .unusable), ("198.19.0.1", .unusable),
        ("198.51.100.7", .unusable), ("203.0.113.7", .unusable), ("192.88.99.1", .unusable), ("::", .unusable),
        ("::ffff:8.8.8.8", .unusable), ("::ffff:127.0.0.1", .unusable), ("::127.0.0.1", .unusable),
        ("64:ff9b::8.8.8.8", .unusable), ("64:ff9b:1::1", .unusable), ("2002:7f00:1::", .unusable),
        ("2001::1", .unusable), ("2001:db8::1", .unusable), ("3fff::1", .unusable), ("ff02::1", .unusable),
        ("fec0::1", .unusable), ("100::1", .unusable), ("5f00::1", .unusable),
    ]) func addressesHaveAKind(text: String, kind: IPAddress.Kind) throws {
        #expect(try #require(IPAddress(text)).kind == kind)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "0x1.2.3.4", "1.2.3.4 ", "+1.2.3.4",
        "1..2.3",
        ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "::g", "fe80::1%eth0", "::1.2.3",
        "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:",
    ]) func otherTextIsNoAddress(text: String) { #expect(IPAddress(text) == nil) }

    @Test func addressesPrintWhatTheyRead() throws {
        #expect(try #require(IPAddress("192.168.1.20")).description == "192.168.1.20")
        #expect(try #require(IPAddress("2001:DB8::a:1.2.3.4")).description == "2001:db8:0:0:0:a:102:304")
        #expect(IPAddress("2001:db8:0:0:0:a:102:304") == IPAddress("2001:DB8::a:1.2.3.4"))
    }

    @Test(arguments: [
        ("http://Example.COM", "http://example.com/"), ("https://example.com:443/a", "https://example.com/a"),
        ("http://example.com.:8080?x=1", "http://example.com:8080/?x=1"),
        ("HTTP://1.2.3.4:80/a/../%2e?b?c", "http://1.2.3.4/a/../%2e?b?c"),
        ("https://[2001:db8::1]:8443/x", "https://[2001:db8:0:0:0:0:0:1]:8443/x"),
        ("http://a_b.xn--bcher-kva.example/", "http://a_b.xn--bcher-kva.example/"), ("http://1a/", "http://1a/"),
    ]) func aURLHasOneText(text: String, canonical: String) throws {
        let url = try HTTPURL(text)
        #expect(url.description == canonical)
        #expect(try HTTPURL(url.description) == url)
    }

    @Test(arguments: [
        "", "example.com", "ftp://example.com/", "http:/example.com", "http:///x", "http://", "http://a b/",
        "http://user@example.com/", "http://user:pw@example.com/", "http://example.com/#x", "http://example.com\\@x/",
        "http://example.com:/", "http://example.com:0/", "http://example.com:65536/", "http://example.com:+80/",
        "http://example.com:80:80/", "http://[::1/", "http://[::1]x/", "http://[1.2.3.4]/", "http://[::1%25eth0]/",
        "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.0.0.1./",
        "http://1.2.3.4.5/", "http://a.1/", "http://a.0x1/", "http://a..b/", "http://.a/", "http://a..",
        "http://b\u{fc}cher.example/", "http://%31.2.3.4/", "http://a\nb/", "http://a,b/", "http://*/",
    ]) func aURLWithTwoReadingsIsRefused(text: String) {
        #expect(throws: CodeForgeError.self) { try HTTPURL(text) }
    }

    @Test func exceptionsReachAsFarAsTheySay() throws {
        let rule = try AddressRule(exceptions: ["forge.internal", "localhost:3000", "169.254.1.1", "[::1]:80"])
        func permits(_ host: String, _ port: UInt16, _ address: String) throws -> Bool {
            let authority = try HTTPURL.Authority(host)
            return rule.permits(try #require(IPAddress(address)), host: authority.host, port: port)
        }
        #expect(try permits("forge.internal", 1, "10.0.0.1"))
        #expect(try permits("FORGE.internal.", 1, "127.0.0.1"))
        #expect(try !permits("forge.internal", 1, "169.254.169.254"))
        #expect(try !permits("forge.internal", 1, "0.0.0.0"))
        #expect(try !permits("x.forge.internal", 1, "10.0.0.1"))
        #expect(try permits("localhost", 3000, "127.0.0.1"))
        #expect(try !permits("localhost", 3001, "127.0.0.1"))
        #expect(try permits("169.254.1.1", 80, "169.254.1.1"))
        #expect(try !permits("169.254.1.2", 80, "169.254.1.2"))
        #expect(try permits("[0::1]", 80, "::1"))
        #expect(try permits("anything", 80, "8.8.8.8"))
        #expect(throws: CodeForgeError.self) { try AddressRule(exceptions: ["http://x"]) }
        #expect(throws: CodeForgeError.self) { try AddressRule(exceptions: ["127.1"]) }
    }

    @Test func headerNamesHaveNoCase() {
        var headers: HeaderList = ["X-A": "1", "x-a": "2", "B": "3"]
        #expect(headers["X-a"] == "1")
        #expect(headers.all("x-A") == ["1", "2"])
        headers.set("X-A", "4")
        #expect(headers.fields == [.init("B", "3"), .init("X-A", "4")])
    }
}
