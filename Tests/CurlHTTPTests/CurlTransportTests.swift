import CurlHTTP
import Domain
import Glibc
import Synchronization
import TestKit
import Testing

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

private func local(_ server: LocalServer, _ path: String = "/") -> String { "http://127.0.0.1:\(server.port)\(path)" }

private let loopback: AddressRule = {
    // A constant that parses.
    try! AddressRule(exceptions: ["127.0.0.1", "localhost", "[::1]"])
}()

/// Reads one request with a `Content-Length` or chunked body, undecoded.
private func request(_ socket: LocalSocket) -> String {
    var all = socket.read(until: "\r\n\r\n")
    if all.lowercased().contains("transfer-encoding: chunked") {
        while !all.hasSuffix("0\r\n\r\n"), let more = socket.read(), !more.isEmpty { all += text(more) }
    } else if let match = all.lowercased().firstMatch(of: /content-length: (\d+)/), let length = Int(match.1) {
        while let head = all.range(of: "\r\n\r\n"), all[head.upperBound...].utf8.count < length,
            let more = socket.read(), !more.isEmpty
        { all += text(more) }
    }
    return all
}

extension String {
    fileprivate func range(of mark: String) -> Range<String.Index>? { ranges(of: mark).first }
}

@Suite(.timeLimit(.minutes(2))) struct CurlTransportTests {
    let transport = CurlTransport()

    private func failure(_ request: TransportRequest) async -> CodeForgeError.Code? {
        do {
            let response = try await transport.send(request)
            _ = try await response.body.collect(upTo: 1 << 26)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func sendsExactlyTheRequestItWasGiven() async throws {
        let seen = Mutex("")
        let server = LocalServer { socket in
            let got = request(socket)
            seen.withLock { $0 = got }
            socket.write("HTTP/1.1 201 Created\r\nX-One: 1\r\nx-one:  2 \r\nContent-Length: 5\r\n\r\nhello")
        }
        let response = try await transport.send(
            TransportRequest(
                method: "POST",
                url: local(server, "/a/../%2e/b?q=1&r={x}"),
                headers: ["X-Api-Key": "k", "Empty": "", "content-type": "application/json"],
                body: .bytes(Array("{}".utf8)),
                addresses: loopback
            )
        )
        #expect(response.status == 201)
        #expect(response.headers.all("X-ONE") == ["1", "2"])
        #expect(text(try await response.body.collect(upTo: 100)) == "hello")
        let lines = seen.withLock { $0 }.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        #expect(
            lines == [
                "POST /a/../%2e/b?q=1&r={x} HTTP/1.1", "Host: 127.0.0.1:\(server.port)", "X-Api-Key: k", "Empty:",
                "content-type: application/json", "Content-Length: 2", "", "{}",
            ]
        )
    }

    @Test func returnsTheHeadBeforeTheBodyEnds() async throws {
        let go = LocalSignal()
        let server = LocalServer { socket in
            _ = request(socket)
            socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
            while !go.isSet { usleep(1000) }
            socket.write("3\r\ntwo\r\n0\r\nTrailer: x\r\n\r\n")
        }
        let response = try await transport.send(TransportRequest(url: local(server), addresses: loopback))
        #expect(response.status == 200)
        #expect(response.headers["link"] == nil)
        var body = response.body.makeAsyncIterator()
        #expect(try await body.next().map(text) == "one")
        go.set()
        #expect(try await body.next().map(text) == "two")
        #expect(try await body.next() == nil)
        #expect(try await body.next() == nil)
    }

    @Test(arguments: [nil, Int64(600_000)])
    func streamsABodyUp(length: Int64?) async throws {
        let seen = Mutex("")
        let server = LocalServer { socket in
            let got = request(socket)
            seen.withLock { $0 = got }
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        let left = Mutex(200)
        let body = TransportBody { () async throws(CodeForgeError) -> [UInt8]? in
            await Task.yield()
            return left.withLock {
                guard $0 > 0 else { return nil }
                $0 -= 1
                return Array(repeating: UInt8(ascii: "x"), count: 3000)
            }
        }
        let response = try await transport.send(
            TransportRequest(
                method: "POST",
                url: local(server),
                body: .stream(body, length: length),
                addresses: loopback
            )
        )
        #expect(response.status == 200)
        let got = seen.withLock { $0 }
        #expect(got.utf8.count { $0 == UInt8(ascii: "x") } == 600_000)
        #expect(got.contains("Content-Length: 600000") == (length != nil))
        #expect(got.contains("Transfer-Encoding: chunked") == (length == nil))
    }

    @Test(arguments: [Int64(10), 30])
    func aBodyOfTheWrongLengthIsNeverSentAsIs(length: Int64) async throws {
        let seen = Mutex("")
        let server = LocalServer { socket in
            while let more = socket.read(), !more.isEmpty { seen.withLock { $0 += text(more) } }
        }
        let once = Mutex(true)
        let body = TransportBody { () async throws(CodeForgeError) -> [UInt8]? in
            once.withLock { isFirst in
                defer { isFirst = false }
                return isFirst ? Array("GET /smuggled HTTP/1".utf8) : nil
            }
        }
        let code = await failure(
            TransportRequest(
                method: "POST",
                url: local(server),
                body: .stream(body, length: length),
                addresses: loopback
            )
        )
        #expect(code == .invalidArgument)
        #expect(!seen.withLock { $0 }.contains("smuggled HTTP/1") || length > 20)
    }

    @Test func aSlowReaderHoldsTheServerBack() async throws {
        let stalledAt = Mutex(0)
        let stalled = LocalSignal()
        let total = 64 << 20
        let server = LocalServer { socket in
            _ = request(socket)
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let block = [UInt8](repeating: 7, count: 1 << 16)
            var sent = 0
            var still = 0
            while sent < total, still < 1500 {
                let count = socket.writeNow(Array(block.prefix(total - sent)))
                sent += count
                still = count == 0 ? still + 1 : 0
                if count == 0 { usleep(1000) }
            }
            stalledAt.withLock { $0 = sent }
            stalled.set()
            while sent < total {
                let count = socket.writeCounting(block.prefix(total - sent))
                if count == 0 { return }
                sent += count
            }
        }
        let response = try await transport.send(
            TransportRequest(url: local(server), limits: TransportLimits(idle: .seconds(1)), addresses: loopback)
        )
        await stalled.wait()
        // What the kernel's two socket buffers hold, and 64 KiB of ours.
        #expect(stalledAt.withLock { $0 } < 16 << 20)
        var count = 0
        for try await chunk in response.body { count += chunk.count }
        #expect(count == total)
    }

    @Test func aSlowServerHoldsTheUploadBack() async throws {
        let pulled = Mutex(0)
        let go = LocalSignal()
        let stopped = LocalSignal()
        let server = LocalServer { socket in
            _ = socket.read(until: "\r\n\r\n")
            var before = -1
            while true {
                let now = pulled.withLock { $0 }
                if now == before { break }
                before = now
                usleep(300_000)
            }
            stopped.set()
            while !go.isSet { usleep(1000) }
            while let more = socket.read(), !more.isEmpty, !text(more).hasSuffix("0\r\n\r\n") {}
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        let body = TransportBody { () async throws(CodeForgeError) -> [UInt8]? in
            pulled.withLock {
                guard $0 < 2000 else { return nil }
                $0 += 1
                return [UInt8](repeating: 1, count: 32_768)
            }
        }
        async let response = transport.send(
            TransportRequest(method: "PUT", url: local(server), body: .stream(body, length: nil), addresses: loopback)
        )
        await stopped.wait()
        #expect(pulled.withLock { $0 } < 500)
        go.set()
        #expect(try await response.status == 200)
        #expect(pulled.withLock { $0 } == 2000)
    }

    @Test func cancellingTheCallerClosesTheConnection() async throws {
        let arrived = LocalSignal()
        let closed = LocalSignal()
        let server = LocalServer { socket in
            _ = request(socket)
            arrived.set()
            if socket.read() == [] { closed.set() }
        }
        let task = Task { await failure(TransportRequest(url: local(server), addresses: loopback)) }
        await arrived.wait()
        task.cancel()
        #expect(await task.value == .cancelled)
        await closed.wait()
    }

    @Test func droppingTheBodyClosesTheConnection() async throws {
        let closed = LocalSignal()
        let server = LocalServer { socket in
            _ = request(socket)
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            if socket.read() == [] { closed.set() }
        }
        do {
            let response = try await transport.send(TransportRequest(url: local(server), addresses: loopback))
            #expect(response.status == 200)
        }
        await closed.wait()
    }

    @Test func aConnectionIsReused() async throws {
        let server = LocalServer { socket in
            while request(socket).contains("GET") { socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
        }
        for _ in 0..<3 {
            let response = try await transport.send(TransportRequest(url: local(server), addresses: loopback))
            #expect(text(try await response.body.collect(upTo: 10)) == "ok")
        }
        #expect(server.accepted == 1)
    }

    @Test func aRedirectIsReturnedAndNotFollowed() async throws {
        let server = LocalServer { socket in
            _ = request(socket)
            socket.write("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")
        }
        let response = try await transport.send(TransportRequest(url: local(server), addresses: loopback))
        #expect(response.status == 302)
        #expect(server.accepted == 1)
    }

    @Test func aSilentServerTimesOut() async throws {
        let server = LocalServer { socket in while let more = socket.read(), !more.isEmpty {} }
        #expect(
            await failure(
                TransportRequest(
                    url: local(server),
                    limits: TransportLimits(idle: .milliseconds(200)),
                    addresses: loopback
                )
            )
                == .timeout
        )
    }

    @Test func theTotalLimitEndsAServerThatDrips() async throws {
        let server = LocalServer { socket in
            _ = request(socket)
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while socket.write("x") { usleep(20_000) }
        }
        #expect(
            await failure(
                TransportRequest(
                    url: local(server),
                    limits: TransportLimits(idle: .seconds(30), total: .milliseconds(300)),
                    addresses: loopback
                )
            ) == .timeout
        )
    }

    @Test func aTruncatedBodyIsAnError() async throws {
        let server = LocalServer { socket in
            _ = request(socket)
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        }
        #expect(await failure(TransportRequest(url: local(server), addresses: loopback)) == .unavailable)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X: \(String(repeating: "y", count: 1000))\r\n", count: 100) + "\r\n",
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 1000) + "\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 99 No\r\n\r\n", "not http at all\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "",
    ])
    func aBrokenHeadIsAnError(head: String) async throws {
        let server = LocalServer { socket in
            _ = request(socket)
            socket.write(head)
        }
        #expect(await failure(TransportRequest(url: local(server), addresses: loopback)) == .unavailable)
    }

    @Test func nobodyListeningIsUnavailable() async {
        let (descriptor, port) = LocalSocket.listen()
        close(descriptor)
        #expect(
            await failure(TransportRequest(url: "http://127.0.0.1:\(port)/", addresses: loopback)) == .unavailable
        )
    }

    @Test(arguments: [
        "localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "0.0.0.0", "[::]", "10.0.0.1", "169.254.169.254", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    ])
    func addressesInsideAreRefusedAndNeverDialled(host: String) async {
        let server = LocalServer { _ in }
        #expect(await failure(TransportRequest(url: "http://\(host):\(server.port)/")) == .forbidden)
        #expect(server.accepted == 0)
    }

    @Test(arguments: [
        "127.0.0.1.", "2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.01",
        "127.0.0.1%00.example.com", "user@127.0.0.1", "[::1%25lo]", "[127.0.0.1]", "１２７.0.0.1", "a..b", "-.0x1",
    ])
    func hostsWithTwoReadingsAreInvalid(host: String) async {
        let server = LocalServer { _ in }
        #expect(
            await failure(TransportRequest(url: "http://\(host):\(server.port)/", addresses: loopback))
                == .invalidArgument
        )
        #expect(server.accepted == 0)
    }

    @Test func anExceptionForOnePortIsNoneForAnother() async throws {
        let server = LocalServer { socket in
            _ = request(socket)
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        let rule = try AddressRule(exceptions: ["localhost:\(server.port)"])
        #expect(
            await failure(TransportRequest(url: "http://localhost:\(server.port)/", addresses: rule)) == nil
        )
        #expect(
            await failure(TransportRequest(url: "http://localhost:\(server.port ^ 1)/", addresses: rule)) == .forbidden
        )
        // The open connection of the permitted request must not serve one that is not.
        #expect(await failure(TransportRequest(url: "http://localhost:\(server.port)/")) == .forbidden)
        #expect(server.accepted == 1)
    }

    @Test(arguments: [
        HeaderList([.init("X", "a\r\nY: b")]), HeaderList([.init("X", "a\nb")]), HeaderList([.init("X Y", "a")]),
        HeaderList([.init("X:", "a")]), HeaderList([.init("", "a")]), HeaderList([.init("X", "a\0b")]),
        HeaderList([.init("Content-Length", "1")]), HeaderList([.init("transfer-encoding", "chunked")]),
        HeaderList([.init("Host", "other")]), HeaderList([.init("Connection", "x")]),
    ])
    func headersThatCouldChangeTheRequestAreRefused(headers: HeaderList) async {
        let server = LocalServer { _ in }
        #expect(
            await failure(TransportRequest(url: local(server), headers: headers, addresses: loopback))
                == .invalidArgument
        )
        #expect(server.accepted == 0)
    }

    @Test(arguments: ["GET /", "G\r\nET", "", "CONNECT"]) func methodsAreTokens(method: String) async {
        #expect(await failure(TransportRequest(method: method, url: "http://example.com/")) == .invalidArgument)
    }

    @Test(arguments: ["ftp://example.com/", "file:///etc/passwd", "gopher://x", "//x", "http:/x", "http://", "x"])
    func otherSchemesAreRefused(url: String) async {
        #expect(await failure(TransportRequest(url: url)) == .invalidArgument)
    }

    @Test func proxiesOfTheEnvironmentAreIgnored() async throws {
        let proxy = LocalServer { _ in }
        setenv("http_proxy", "http://127.0.0.1:\(proxy.port)", 1)
        setenv("ALL_PROXY", "http://127.0.0.1:\(proxy.port)", 1)
        defer {
            unsetenv("http_proxy")
            unsetenv("ALL_PROXY")
        }
        let server = LocalServer { socket in
            _ = request(socket)
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        #expect(await failure(TransportRequest(url: local(server), addresses: loopback)) == nil)
        #expect(proxy.accepted == 0)
    }

    @Test func manyTransfersAtOnceAllEnd() async throws {
        let server = LocalServer { socket in
            while request(socket).contains("GET") {
                socket.write(
                    "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + String(repeating: "z", count: 100_000)
                )
            }
        }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<40 {
                group.addTask { [transport] in
                    let response = try await transport.send(TransportRequest(url: local(server), addresses: loopback))
                    return try await response.body.collect(upTo: 1 << 20).count
                }
            }
            for try await count in group { #expect(count == 100_000) }
        }
    }

    @Test func theTransportCanGoBeforeTheBodyIsRead() async throws {
        let server = LocalServer { socket in
            _ = request(socket)
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + String(repeating: "z", count: 200_000))
        }
        var own: CurlTransport? = CurlTransport()
        let response = try await own!.send(TransportRequest(url: local(server), addresses: loopback))
        own = nil
        #expect(try await response.body.collect(upTo: 1 << 20).count == 200_000)
    }
}
