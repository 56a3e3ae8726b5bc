import CurlHTTP
import Domain
import Gateway
import Glibc
import Synchronization
import TestKit
import Testing

/// The real git on one side, the real `git http-backend` on the other.
@Suite(.timeLimit(.minutes(2))) struct GatewayGitTests {
    /// Runs a command with the shell; blocking.
    @discardableResult
    private static func shell(_ command: String) -> (status: Int32, output: String) {
        guard let pipe = popen("( \(command) ) 2>&1", "r") else { return (-1, "popen failed") }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            output += buffer.prefix(count)
        }
        return (pclose(pipe), text(output))
    }

    private static let identity = "git -c user.name=t -c user.email=t@example.com -c init.defaultBranch=main"

    /// Speaks CGI to `git http-backend`, for requests that carry the credential.
    private static func serve(_ request: SeenRequest, _ socket: LocalSocket, _ root: String) -> Bool {
        guard request.headers["authorization"] == "Basic eC1hY2Nlc3MtdG9rZW46Z2hwX3Rlc3RfMDEyMzQ1Njc4OWFiY2RlZg=="
        else {
            return socket.write("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
        }
        let parts = request.target.split(separator: "?", maxSplits: 1).map(String.init)
        let input = "\(root)/input-\(socket.descriptor)"
        let file = fopen(input, "w")
        _ = request.body.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
        fclose(file)
        let environment =
            "GIT_PROJECT_ROOT=\(root) GIT_HTTP_EXPORT_ALL=1 REMOTE_USER=t REQUEST_METHOD=\(request.method) "
            + "PATH_INFO='\(parts[0])' QUERY_STRING='\(parts.count > 1 ? parts[1] : "")' "
            + "CONTENT_TYPE='\(request.headers["content-type"] ?? "")' CONTENT_LENGTH=\(request.body.count) "
            + "HTTP_CONTENT_ENCODING='\(request.headers["content-encoding"] ?? "")' "
            + "GIT_PROTOCOL='\(request.headers["git-protocol"] ?? "")'"
        guard let pipe = popen("env \(environment) git http-backend < \(input)", "r") else { return false }
        defer { pclose(pipe) }
        socket.write("HTTP/1.1 200 OK\r\nConnection: close\r\n")
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            guard count > 0, socket.write(buffer.prefix(count)) else { return false }
        }
    }

    @Test func aRepositoryIsClonedAndPushedWithoutItsToken() async throws {
        var template = Array("/tmp/codeforge-gateway-XXXXXX".utf8CString)
        let root = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { Self.shell("rm -rf \(root)") }
        let made = await LocalThread.run {
            Self.shell(
                "cd \(root) && \(Self.identity) init -q work && cd work && for i in $(seq 300); do "
                    + "head -c 3000 /dev/urandom | base64 > file$i; done && \(Self.identity) add . && "
                    + "\(Self.identity) commit -qm one && git clone -q --bare . \(root)/Owner/repo.git && "
                    + "git -C \(root)/Owner/repo.git config http.receivepack true"
            )
        }
        try #require(made.status == 0, "\(made.output)")
        let upstream = Upstream { request, socket in Self.serve(request, socket, root) }
        var policy = try GatewayHarness.policy(upstream.port)
        policy.git?.allowPush = true
        try await GatewayHarness.run(policy) { gateway in
            let url = "http://127.0.0.1:\(gateway.port)/git/127.0.0.1:\(upstream.port)/Owner/repo.git"
            let done = await LocalThread.run {
                Self.shell(
                    "cd \(root) && export GIT_TERMINAL_PROMPT=0 && git clone -q \(url) copy && cd copy && "
                        + "test $(ls | wc -l) = 300 && head -c 3000000 /dev/urandom > big && \(Self.identity) add . && "
                        + "\(Self.identity) commit -qm two && git push -q origin main && "
                        + "test $(git rev-parse HEAD) = $(git -C \(root)/Owner/repo.git rev-parse main) && "
                        + "! grep -r \(gitToken) . && ! git ls-remote \(url.replacing("repo", with: "other"))"
                )
            }
            #expect(done.status == 0, "\(done.output)")
            let decisions = gateway.decisions.value.withLock { $0 }
            #expect(decisions.contains { $0.target == "{repository}/git-receive-pack" && $0.requestBytes > 3_000_000 })
            #expect(decisions.contains { $0.reason == "repository_refused" })
        }
    }
}
