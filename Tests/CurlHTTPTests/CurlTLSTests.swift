import CurlHTTP
import Domain
import Glibc
import TestKit
import Testing

/// Against `openssl s_server`, whose certificate nobody signed.
@Suite(.timeLimit(.minutes(1))) struct CurlTLSTests {
    @Test func aCertificateMustBeTrustedAndNameTheHost() async throws {
        var template = Array("/tmp/codeforge-tls-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { system("rm -rf \(folder)") }
        let made = await LocalThread.run {
            system(
                "cd \(folder) && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
                    + "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key -out cert 2>/dev/null"
            )
        }
        try #require(made == 0, "openssl is needed to make a certificate")
        let (descriptor, port) = LocalSocket.listen()
        close(descriptor)
        let started = await LocalThread.run {
            system(
                "cd \(folder) && (openssl s_server -accept 127.0.0.1:\(port) -cert cert -key key -www -quiet "
                    + ">/dev/null 2>&1 & echo $! > pid)"
            )
        }
        try #require(started == 0)
        // Threads of the test runner block signals, and what they start inherits that: SIGTERM would wait forever.
        defer { system("kill -9 $(cat \(folder)/pid)") }
        var isUp = false
        for _ in 0..<300 where !isUp {
            isUp = LocalSocket.connect(port: port) != nil
            if !isUp { try await Task.sleep(for: .milliseconds(10)) }
        }
        try #require(isUp)

        func status(_ transport: CurlTransport, _ host: String) async -> Result<Int, CodeForgeError> {
            do throws(CodeForgeError) {
                let rule = try AddressRule(exceptions: ["localhost", "127.0.0.1"])
                let response = try await transport.send(
                    TransportRequest(url: "https://\(host):\(port)/", addresses: rule)
                )
                return .success(response.status)
            } catch {
                return .failure(error)
            }
        }
        let trusting = CurlTransport(authorities: folder + "/cert")
        #expect(await status(trusting, "localhost") == .success(200))
        for result in [await status(CurlTransport(), "localhost"), await status(trusting, "127.0.0.1")] {
            guard case .failure(let error) = result else {
                Issue.record("a wrong certificate was accepted")
                continue
            }
            #expect(error.code == .unavailable)
        }
    }
}
