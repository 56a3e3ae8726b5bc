import Domain
import Hummingbird
import HummingbirdTesting
import NIOCore
import TestKit
import Testing

@testable import API

/// Over real sockets: what counts is when bytes come.
@Suite struct RequestDeadlineTests {
    private var rig: APIRig {
        var rig = APIRig()
        rig.readLimit = .milliseconds(600)
        return rig
    }

    private func with(_ body: @escaping @Sendable (LocalSocket, APIRig) async throws -> Void) async throws {
        let rig = rig
        try await rig.application.test(.live) { client async throws in
            let port = UInt16(try #require(client.port))
            let socket = try #require(LocalSocket.connect(port: port))
            try await body(socket, rig)
            socket.shut()
        }
    }

    private static func head(_ path: String, _ more: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(APIRig.token)\r\n\(more)"
    }

    /// Writes a byte every 50 ms until that fails or far more time has passed than is allowed.
    private func trickle(_ text: String, to socket: LocalSocket) async throws {
        for byte in Array(text.utf8).prefix(60) {
            guard socket.write([byte]) else { return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test func aHeadThatComesByteByByteIsCutOff() async throws {
        try await with { socket, _ in
            let start = ContinuousClock.now
            let header = "X-Slow: " + String(repeating: "x", count: 200)
            try await trickle(Self.head("/api/v1/tasks", header), to: socket)
            let rest = await StreamClient.blocking { socket.readToEnd() }
            #expect(rest.isEmpty && ContinuousClock.now - start < .seconds(8))
        }
    }

    @Test(arguments: ["/api/v1/tasks", "/api/v1/tasks/t/create-pr", "/api/v1/tasks/t/post-review"])
    func aBodyThatComesByteByByteIsCutOff(_ path: String) async throws {
        try await with { socket, _ in
            #expect(socket.write(Self.head(path, "Content-Length: 1000\r\n\r\n{")))
            let start = ContinuousClock.now
            try await trickle(String(repeating: " ", count: 999), to: socket)
            _ = await StreamClient.blocking { socket.readToEnd() }
            #expect(ContinuousClock.now - start < .seconds(8))
        }
    }

    /// Nothing at all after the head is no better.
    @Test func aBodyThatNeverComesIsCutOff() async throws {
        try await with { socket, _ in
            let start = ContinuousClock.now
            #expect(socket.write(Self.head("/api/v1/tasks", "Content-Length: 10\r\n\r\n")))
            _ = await StreamClient.blocking { socket.readToEnd() }
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test func timeBetweenRequestsDoesNotCount() async throws {
        try await with { socket, _ in
            for _ in 1...3 {
                #expect(socket.write("GET /ready HTTP/1.1\r\nHost: h\r\n\r\n"))
                let answer = await StreamClient.blocking { socket.read(until: "}\n") }
                #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
                try await Task.sleep(for: .milliseconds(900))
            }
        }
    }

    /// The request is complete; the stream goes on for longer than a request may take.
    @Test func timeForTheAnswerDoesNotCount() async throws {
        try await with { socket, rig in
            try await rig.insert("t", .running)
            #expect(
                socket.write(
                    "GET /api/v1/tasks/t/stream HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(APIRig.token)\r\n\r\n"))
            _ = await StreamClient.blocking { socket.read(until: "event: connected") }
            try await Task.sleep(for: .milliseconds(1200))
            try await rig.events.append([.event(json: Array(#"{"late":1}"#.utf8))], to: "t")
            let text = await StreamClient.blocking { socket.read(until: "late") }
            #expect(text.contains("late"))
        }
    }

    @Test func requestsThatComeInOnePieceAreAllAnswered() async throws {
        try await with { socket, _ in
            let request = "GET /ready HTTP/1.1\r\nHost: h\r\n"
            let last = "\r\nGET /ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            #expect(socket.write(Array(repeating: request, count: 5).joined(separator: "\r\n") + last))
            let text = String(decoding: await StreamClient.blocking { socket.readToEnd() }, as: UTF8.self)
            #expect(text.split(separator: "HTTP/1.1 200 OK").count == 6, "\(text)")
        }
    }
}
