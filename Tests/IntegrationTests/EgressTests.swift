import Foundation
import Synchronization
import ServerKit
import TestKit
import Testing

/// The gateway's proxy as programs in a real sandbox use it.
@Suite(.serialized) struct EgressTests {
    /// A TLS server with a certificate of its own for `localhost`.
    private static func tls(_ directory: TemporaryDirectory) async throws -> (ChildProcess, UInt16) {
        try HostRepository.shell(
            "cd '\(directory.path)' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
                + " -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key -out cert 2>/dev/null")
        let (descriptor, port) = LocalSocket.listen()
        close(descriptor)
        let server = try ChildProcess(
            "/usr/bin/openssl",
            [
                "s_server", "-accept", "127.0.0.1:\(port)", "-cert", directory.file("cert"), "-key",
                directory.file("key"), "-www",
            ], environment: [:])
        _ = try await server.output(matching: "(ACCEPT)")
        return (server, port)
    }

    @Test func listedHostsAreReachedAndOthersAreNot() async throws {
        let directory = try TemporaryDirectory()
        let (tls, secure) = try await EgressTests.tls(directory)
        let seen = Mutex<[String]>([])
        let plain = LocalServer { socket in
            let head = socket.read(until: "\r\n\r\n")
            seen.withLock { $0.append(head) }
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nplain")
        }
        let hosts = "localhost:\(secure),localhost:\(plain.port)"
        try await ServerFixture.with([
            "CODEFORGE_GATEWAY__EGRESS": hosts, "CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": hosts,
        ]) { server in
            let certificate = try String(contentsOfFile: directory.file("cert"), encoding: .utf8)
            let id = try await server.create(
                """
                unset NO_PROXY no_proxy
                printf '%s' '\(certificate)' > /tmp/ca
                curl -s --cacert /tmp/ca -o /tmp/page -w 'tls %{http_code}\\n' https://localhost:\(secure)/
                grep -c 'Secure Renegotiation' /tmp/page
                curl -s -w ' %{http_code}\\n' http://localhost:\(plain.port)/hello
                curl -s -o /dev/null -w 'other %{http_connect}\\n' https://other.example/
                curl -s -o /dev/null -w 'port %{http_connect}\\n' https://localhost:\(plain.port == 1 ? 2 : 1)/
                curl -s -w ' %{http_code}\\n' http://other.example/ | grep -o 'egress_refused'
                curl -sk --connect-to other.example:443:localhost:\(secure) https://other.example/ || echo "sni $?"
                curl -s --noproxy '*' -m 3 https://localhost:\(secure)/ || echo direct
                """, repo: try server.makeRepository())
            let task = try await server.finished(id)
            let lines = (task["result"]?.stringValue ?? "").split(separator: "\n").map(String.init)
            #expect(
                lines == [
                    "tls 200", lines.count > 1 ? lines[1] : "", "plain 200", "other 403", "port 403", "egress_refused",
                    "sni 35", "direct",
                ], "\(task)")
            #expect(lines.count > 1 && lines[1] != "0")
            #expect(
                seen.withLock { $0 }.first?.hasPrefix("GET /hello HTTP/1.1\r\nHost: localhost:\(plain.port)\r\n")
                    == true)
            let refused = try await server.frames(id).filter { $0.name == "gateway_refused" }
            let reasons = refused.compactMap { $0.data["data"]?["reason"]?.stringValue }
            #expect(
                reasons.filter { $0 == "egress_refused" }.count == 3 && reasons.contains("sni_mismatch"), "\(refused)")
            #expect(refused.allSatisfy { $0.data["data"]?["route"] == "egress" })
        }
        tls.signal(SIGTERM)
        try await tls.wait()
    }

    @Test func withoutAListThereIsNoProxy() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create(
                "curl -s -o /dev/null -w '%{http_connect}\\n' https://example.com/; curl -s http://example.com/",
                repo: try server.makeRepository())
            let result = try await server.finished(id)["result"]?.stringValue ?? ""
            #expect(result.hasPrefix("403\n") && result.contains("proxy_refused"), "\(result)")
        }
    }
}
