import CurlHTTP
import Domain
import Gateway
import Glibc
import Synchronization
import TestKit
import Testing

/// Answers lookups in turn, the last answer for ever: what a name server of an attacker's would do.
final class PlayedResolver: NameResolver {
    private let answers: Mutex<[[String]]>
    private let lookups = Mutex<[String]>([])

    /// Names that were looked up.
    var asked: [String] { lookups.withLock { $0 } }

    init(_ answers: [String]...) { self.answers = Mutex(answers) }

    func addresses(of name: String, within limit: Duration) async throws(CodeForgeError) -> [IPAddress] {
        lookups.withLock { $0.append(name) }
        let texts = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        return texts.compactMap { IPAddress($0) }
    }
}

/// A ClientHello as clients send it.
func clientHello(_ name: String?, extra: [(UInt16, [UInt8])] = []) -> [UInt8] {
    func vector(_ bytes: [UInt8], _ width: Int) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
    }
    var extensions: [(UInt16, [UInt8])] = [(0x002B, [2, 3, 4]), (0x000D, [0, 2, 4, 3])]
    if let name { extensions.insert((0, vector([0] + vector(Array(name.utf8), 2), 2)), at: 0) }
    let body: [UInt8] =
        [3, 3] + Array(repeating: 7, count: 32) + [0] + vector([0x13, 0x01, 0x13, 0x02], 2) + [1, 0]
        + vector((extensions + extra).flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + vector($0.1, 2) }, 2)
    return [22, 3, 1] + vector([1] + vector(body, 3), 2)
}

/// The proxy's routes, on real sockets.
@Suite(.timeLimit(.minutes(2))) struct GatewayProxyTests {
    /// An upstream that says back what it gets.
    private static func echo() -> LocalServer {
        LocalServer { socket in
            while let bytes = socket.read(), !bytes.isEmpty { guard socket.write(bytes) else { return } }
        }
    }

    private func policy(_ port: UInt16, _ egress: [String]? = nil) throws -> GatewayPolicy {
        var policy = try GatewayHarness.policy(port)
        policy.egress = try EgressList(
            egress ?? ["api.test.example:\(port)", "localhost:\(port)", "127.0.0.1:\(port)"])
        policy.addresses = try AddressRule(
            exceptions: ["api.test.example:\(port)", "localhost:\(port)", "127.0.0.1:\(port)"])
        return policy
    }

    private func connect(_ authority: String, _ host: String? = nil) -> String {
        "CONNECT \(authority) HTTP/1.1\r\nHost: \(host ?? authority)\r\n\r\n"
    }

    // MARK: - Tunnels

    @Test func aTunnelCarriesBytesBothWays() async throws {
        let upstream = GatewayProxyTests.echo()
        let port = upstream.port
        let resolver = PlayedResolver(["127.0.0.1"])
        try await GatewayHarness.run(policy(port), resolver: resolver) { gateway in
            let hello = clientHello("API.test.example")
            let sent = hello + (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
            let came = await LocalThread.run { () -> [UInt8] in
                let socket = gateway.connect()
                socket.write(connect("API.Test.Example:\(port)"))
                guard socket.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 ") else { return [] }
                // In two pieces, the first of them short.
                socket.write(sent.prefix(3))
                LocalThread.start { socket.write(sent.dropFirst(3)) }
                var came: [UInt8] = []
                while came.count < sent.count, let bytes = socket.read(), !bytes.isEmpty { came += bytes }
                return came
            }
            #expect(came == sent)
            let decided = try #require(try await gateway.decisions(1).first)
            #expect(decided.route == .egress && decided.allowed && decided.reason == "ok")
            #expect(decided.target == "api.test.example:\(port)" && decided.method == "CONNECT")
            #expect(decided.requestBytes == sent.count && decided.responseBytes == sent.count)
            #expect(resolver.asked == ["api.test.example"])
            #expect(gateway.server.usage.bytesIn == Int64(sent.count))
        }
    }

    @Test func anAnswerBehindWhichTheServerClosesArrivesWhole() async throws {
        let answer = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
        let upstream = LocalServer { socket in
            _ = socket.read()
            socket.write(answer)
        }
        try await GatewayHarness.run(policy(upstream.port), resolver: PlayedResolver(["127.0.0.1"])) { gateway in
            let raw = Array(connect("api.test.example:\(upstream.port)").utf8) + clientHello("api.test.example")
            let came = await LocalThread.run { () -> [UInt8] in
                let socket = gateway.connect()
                socket.write(raw)
                usleep(200_000)
                return socket.readToEnd()
            }
            #expect(came.suffix(answer.count) == answer[...])
        }
    }

    /// Python before 3.12 asks like this.
    @Test func aTunnelMayBeAskedForInHTTP10() async throws {
        let upstream = GatewayProxyTests.echo()
        try await GatewayHarness.run(policy(upstream.port), resolver: PlayedResolver(["127.0.0.1"])) { gateway in
            let answer = await LocalThread.run { () -> String in
                let socket = gateway.connect()
                socket.write("CONNECT api.test.example:\(upstream.port) HTTP/1.0\r\n\r\n")
                return socket.read(until: "\r\n\r\n")
            }
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test(
        arguments: [
            ("no name", clientHello(nil), "sni_mismatch"),
            ("another name", clientHello("evil.example"), "sni_mismatch"),
            ("a name below", clientHello("x.api.test.example"), "sni_mismatch"),
            ("a trailing dot", clientHello("api.test.example."), "sni_mismatch"),
            ("ECH", clientHello("api.test.example", extra: [(0xFE0D, [0, 1, 2])]), "ech_refused"),
            ("ESNI", clientHello("api.test.example", extra: [(0xFFCE, [0])]), "ech_refused"),
            (
                "two names", clientHello("evil.example", extra: [(0, Array(clientHello("api.test.example")))]),
                "tls_malformed"
            ),
            ("HTTP", Array("GET / HTTP/1.1\r\nHost: api.test.example\r\n\r\n".utf8), "tls_required"),
            ("SSH", Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), "tls_required"),
            ("SSL 2", [0x80, 0x2E, 0x01, 0x03, 0x01], "tls_required"),
            ("an alert", [21, 3, 3, 0, 2, 2, 40], "tls_required"),
            ("a server's hello", [22, 3, 3, 0, 4, 2], "tls_required"),
        ] as [(String, [UInt8], String)])
    func onlyTLSForThatNamePasses(what: String, first: [UInt8], reason: String) async throws {
        let got = Shared<[UInt8]>([])
        let upstream = LocalServer { socket in
            while let bytes = socket.read(), !bytes.isEmpty { got.value.withLock { $0 += bytes } }
        }
        try await GatewayHarness.run(policy(upstream.port), resolver: PlayedResolver(["127.0.0.1"])) { gateway in
            let raw = Array(connect("api.test.example:\(upstream.port)").utf8) + first
            let answer = await LocalThread.run { () -> [UInt8] in
                let socket = gateway.connect()
                socket.write(raw)
                return socket.readToEnd()
            }
            #expect(answer.suffix(7) == [21, 3, 3, 0, 2, 2, 112])
            let decided = try #require(try await gateway.decisions(1).first)
            #expect(decided.reason == reason && !decided.allowed, "\(decided)")
            #expect(got.value.withLock { $0 } == [])
        }
    }

    @Test func aTunnelWithoutAHelloEnds() async throws {
        let upstream = GatewayProxyTests.echo()
        var policy = try policy(upstream.port)
        policy.headerTimeout = .milliseconds(200)
        try await GatewayHarness.run(policy, resolver: PlayedResolver(["127.0.0.1"])) { gateway in
            let answer = await gateway.exchange(connect("api.test.example:\(upstream.port)"))
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            let decided = try await gateway.decisions(1)
            #expect(decided.first?.reason == "request_timeout")
        }
    }

    @Test func aSilentTunnelEnds() async throws {
        let upstream = LocalServer { socket in _ = socket.readToEnd() }
        var policy = try policy(upstream.port)
        policy.tunnelIdleTimeout = .milliseconds(200)
        try await GatewayHarness.run(policy, resolver: PlayedResolver(["127.0.0.1"])) { gateway in
            let raw = Array(connect("api.test.example:\(upstream.port)").utf8) + clientHello("api.test.example")
            _ = await LocalThread.run { () -> [UInt8] in
                let socket = gateway.connect()
                socket.write(raw)
                return socket.readToEnd()
            }
            let decided = try await gateway.decisions(1)
            #expect(decided.first?.reason == "idle_timeout")
        }
    }

    // MARK: - What is refused

    private func refused(
        _ raw: String, _ status: Int, _ error: String, egress: [String]? = nil,
        resolver: PlayedResolver = PlayedResolver(["127.0.0.1"]),
        exceptions: [String]? = nil
    ) async throws -> GatewayDecision {
        let upstream = Upstream()
        var policy = try policy(upstream.port, egress)
        policy.headerTimeout = .milliseconds(300)
        if let exceptions { policy.addresses = try AddressRule(exceptions: exceptions) }
        let raw = raw.replacing("{PORT}", with: "\(upstream.port)")
        return try await GatewayHarness.run(policy, resolver: resolver) { gateway in
            let answer = await gateway.exchange(raw)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            #expect(answer.contains("{\"error\":\"\(error)\",\"message\":\""), "\(answer)")
            #expect(upstream.server.accepted == 0)
            let decisions = try await gateway.decisions(1)
            let decision = try #require(decisions.first)
            #expect(decisions.count == 1 && decision.route == .egress && !decision.allowed, "\(decisions)")
            #expect(decision.reason == error && decision.status == status, "\(decisions)")
            return decision
        }
    }

    @Test(arguments: [
        "evil.example:443", "test.example:443", "api.test.example.evil.example:443", "xapi.test.example:443",
        "api.test.example:444", "api.test.example:80", "a.api.test.example:443", "127.0.0.1:443", "[::1]:443",
        "169.254.169.254:80", "localhost:22", "xn--pi-zja.test.example:443", "b.other.example:443", "other.example:443",
        "metadata.google.internal:80",
    ]) func aHostNotListedIsRefusedBeforeAnyLookup(authority: String) async throws {
        let resolver = PlayedResolver(["127.0.0.1"])
        let decision = try await refused(
            connect(authority), 403, "egress_refused", egress: ["api.test.example", "*.other.example:8443"],
            resolver: resolver)
        #expect(resolver.asked == [])
        #expect(decision.target == authority)
        _ = try await refused(
            "GET http://\(authority)/x HTTP/1.1\r\nHost: \(authority)\r\n\r\n", 403, "egress_refused",
            egress: ["api.test.example:1", "*.other.example:8443"], resolver: resolver)
        #expect(resolver.asked == [])
    }

    @Test(arguments: [
        "api.test.example", "api.test.example:", "api.test.example:0", "api.test.example:65536",
        "api.test.example:+443",
        "user@api.test.example:443", "api.test.example:443/", "api.test.example:443#x", "api.test.example:443?x",
        "http://api.test.example:443", "//api.test.example:443", "api..test.example:443", ".api.test.example:443",
        "api.test.example..:443", "0x7f000001:443", "127.1:443", "2130706433:443", "0177.0.0.1:443", "[::1:443",
        "::1:443", "[fe80::1%25lo]:443", "api.test.example%00.evil.example:443", "api.test.example%2e:443",
        "api.test.ex\\ample:443", "api.test.example:443:443", "*:443", "*.test.example:443",
    ]) func aMalformedAuthorityIsRefused(authority: String) async throws {
        _ = try await refused(connect(authority, "api.test.example"), 400, "bad_request", egress: ["api.test.example"])
    }

    @Test(arguments: [
        // The target and the Host header must say the same.
        "CONNECT api.test.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "CONNECT api.test.example:443 HTTP/1.1\r\nHost: api.test.example:80\r\n\r\n",
        "CONNECT api.test.example:443 HTTP/1.1\r\nHost: api.test.example\r\nContent-Length: 3\r\n\r\nabc",
        "CONNECT api.test.example:443 HTTP/1.1\r\nHost: api.test.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET http://api.test.example:{PORT}/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "GET http://api.test.example:{PORT}/ HTTP/1.1\r\nHost: api.test.example\r\n\r\n",
        "GET http://api.test.example:{PORT}@evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "GET http://user@api.test.example:{PORT}/ HTTP/1.1\r\nHost: api.test.example:{PORT}\r\n\r\n",
        "GET http://api.test.example:{PORT}/#x HTTP/1.1\r\nHost: api.test.example:{PORT}\r\n\r\n",
        "GET http:/api.test.example/ HTTP/1.1\r\nHost: api.test.example\r\n\r\n",
        "GET http:api.test.example HTTP/1.1\r\nHost: api.test.example\r\n\r\n",
        "GET https://api.test.example/ HTTP/1.1\r\nHost: api.test.example\r\n\r\n",
        "GET http:// HTTP/1.1\r\nHost: api.test.example\r\n\r\n",
        "GET http://api.test.example:{PORT}/ HTTP/1.1\r\nHost: api.test.example:{PORT}\r\nContent-Length: 1\r\n\r\nx",
    ]) func whatHasTwoReadingsIsRefused(raw: String) async throws {
        _ = try await refused(raw, 400, "bad_request")
    }

    @Test func proxiedMethodsAreATable() async throws {
        for method in ["TRACE", "PROPFIND", "connect", "get"] {
            _ = try await refused(
                "\(method) http://api.test.example:{PORT}/ HTTP/1.1\r\nHost: api.test.example:{PORT}\r\n\r\n", 405,
                "method_not_allowed")
        }
    }

    @Test func noProxiedRequestIsUpgraded() async throws {
        let upstream = Upstream()
        let host = "localhost:\(upstream.port)"
        try await GatewayHarness.run(policy(upstream.port)) { gateway in
            let answer = await gateway.exchange("GET http://\(host)/ HTTP/1.1\r\nHost: \(host)\r\nUpgrade: h2c\r\n\r\n")
            #expect(answer.contains("upgrade_refused"))
            #expect(upstream.server.accepted == 0)
        }
    }

    // MARK: - Addresses

    @Test(arguments: [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "168.63.129.16",
        "0.0.0.0", "255.255.255.255", "224.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fd00:ec2::254",
        "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::",
        "ff02::1",
        "::127.0.0.1",
    ]) func anAddressInsideIsRefused(address: String) async throws {
        // Alone, and beside a public one.
        for answer in [[address], ["93.184.216.34", address]] {
            let decision = try await refused(
                connect("api.test.example:443"), 502, "address_refused", egress: ["*.test.example"],
                resolver: PlayedResolver(answer), exceptions: [])
            #expect(decision.detail?.contains("address") == true)
        }
    }

    @Test func anExceptionIsForItsHostOnlyAndNeverForMetadata() async throws {
        let egress = ["*.test.example"]
        _ = try await refused(
            connect("api.test.example:443"), 502, "address_refused", egress: egress,
            resolver: PlayedResolver(["10.0.0.1"]), exceptions: ["www.test.example", "api.test.example:80"])
        _ = try await refused(
            connect("api.test.example:443"), 502, "address_refused", egress: egress,
            resolver: PlayedResolver(["169.254.169.254"]), exceptions: ["api.test.example"])
    }

    /// DNS rebinding: one lookup for each tunnel, and the address that was checked is the one dialled. Were there a
    /// second one between check and use, the second answer would be dialled.
    @Test func aNameIsLookedUpOnceForCheckAndDial() async throws {
        let inside = Upstream()
        var policy = try policy(inside.port, ["rebind.test.example:\(inside.port)"])
        policy.addresses = try AddressRule(exceptions: ["rebind.test.example:\(inside.port)"])
        // Nobody listens on 127.0.0.2; 127.0.0.1 is where the prize is.
        let resolver = PlayedResolver(["127.0.0.2"], ["127.0.0.1"])
        try await GatewayHarness.run(policy, resolver: resolver) { gateway in
            let answer = await gateway.exchange(connect("rebind.test.example:\(inside.port)"))
            #expect(answer.contains("upstream_unavailable"), "\(answer)")
            #expect(inside.server.accepted == 0)
            #expect(resolver.asked.count == 1)
        }
        policy.addresses = .publicOnly
        let rebinding = PlayedResolver(["93.184.216.34", "127.0.0.1"], ["127.0.0.1"])
        try await GatewayHarness.run(policy, resolver: rebinding) { gateway in
            for _ in 0..<2 {
                let answer = await gateway.exchange(connect("rebind.test.example:\(inside.port)"))
                #expect(answer.contains("address_refused"), "\(answer)")
            }
            #expect(inside.server.accepted == 0)
            #expect(rebinding.asked.count == 2)
        }
    }

    // MARK: - Plain HTTP

    @Test func aPlainRequestIsPassedOnAndItsAnswerBack() async throws {
        let upstream = Upstream { request, socket in
            let body = "seen \(request.target)"
            return socket.write(
                "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nSet-Cookie: a=b\r\nConnection: x-gone\r\n"
                    + "X-Gone: 1\r\nContent-Encoding: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                    + (request.method == "HEAD" ? "" : body))
        }
        let port = upstream.port
        try await GatewayHarness.run(policy(port)) { gateway in
            func raw(_ method: String, _ body: String = "") -> String {
                "\(method) HTTP://LOCALHOST:\(port)/a/../b?c=%2e HTTP/1.1\r\nHost: localhost:\(port)\r\n"
                    + "Authorization: mine\r\nCookie: mine\r\nProxy-Authorization: x\r\nProxy-Connection: keep-alive\r\n"
                    + "X-Forwarded-For: 127.0.0.1\r\nForwarded: for=1\r\nX_Real_IP: 1\r\nConnection: close, x-mine\r\n"
                    + "X-Mine: 1\r\nTE: trailers\r\n"
                    + (body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n") + "\r\n" + body
            }
            let answer = await gateway.exchange(raw("PUT", "hello")).lowercased()
            #expect(answer.hasPrefix("http/1.1 302 "))
            #expect(answer.contains("location: http://elsewhere.example/") && answer.contains("set-cookie: a=b"))
            #expect(answer.contains("content-encoding: x") && !answer.contains("x-gone"))
            #expect(answer.hasSuffix("seen /a/../b?c=%2e"))
            let seen = try #require(upstream.seen.first)
            #expect(seen.method == "PUT" && text(seen.body) == "hello" && seen.target == "/a/../b?c=%2e")
            #expect(seen.headers.all("host") == ["localhost:\(port)"])
            #expect(seen.headers["authorization"] == "mine" && seen.headers["cookie"] == "mine")
            for name in [
                "proxy-authorization", "proxy-connection", "x-forwarded-for", "forwarded", "x_real_ip", "x-mine", "te",
            ] {
                #expect(seen.headers[name] == nil, "\(name)")
            }
            #expect(!"\(seen)".contains(modelKey))
            let head = await gateway.exchange(raw("HEAD"))
            #expect(head.hasPrefix("HTTP/1.1 302 ") && head.hasSuffix("\r\n\r\n"))
            let decided = try await gateway.decisions(2)
            #expect(decided.allSatisfy { $0.route == .egress && $0.allowed && $0.reason == "ok" }, "\(decided)")
            #expect(decided.first?.target == "http://localhost:\(port)/a/../b")
        }
    }

    @Test func aSecondRequestHasToAskAgain() async throws {
        let upstream = Upstream()
        let port = upstream.port
        try await GatewayHarness.run(policy(port)) { gateway in
            let answer = await gateway.exchange(
                "GET http://localhost:\(port)/1 HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n"
                    + "GET http://evil.example/2 HTTP/1.1\r\nHost: evil.example\r\n\r\n"
                    + "GET http://localhost:\(port)/3 HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("egress_refused"))
            #expect(upstream.seen.map(\.target) == ["/1"])
        }
    }

    @Test func theProxyIsNoWayAroundTheOtherRoutes() async throws {
        // An address of the exceptions is none of the proxy's hosts.
        let upstream = Upstream()
        var policy = try GatewayHarness.policy(upstream.port)
        policy.egress = try EgressList(["api.test.example"])
        try await GatewayHarness.run(policy) { gateway in
            let authority = "127.0.0.1:\(upstream.port)"
            let answer = await gateway.exchange(
                "GET http://\(authority)/v1/models HTTP/1.1\r\nHost: \(authority)\r\n\r\n")
            #expect(answer.contains("egress_refused"))
            #expect(upstream.server.accepted == 0)
        }
    }
}
