import Domain
import Foundation
import HummingbirdTesting
import Synchronization
import TestKit
import Testing

@testable import API

/// Streams over real sockets.
@Suite struct StreamTests {
    private static func event(_ name: String) -> LoggedEvent.Body {
        .event(json: TaskEvent(.system, name, time: Timestamp(nanoseconds: 0)).json)
    }

    private static func done(_ status: String) -> LoggedEvent.Body {
        .done(json: Array(#"{"changes_summary":null,"status":"\#(status)","task_id":"t"}"#.utf8))
    }

    private static func frame(_ id: Int, _ name: String) -> String {
        "id: \(id)-0\n"
            + #"data: {"type":"system","event":"\#(name)","data":null,"ts":"1970-01-01T00:00:00Z"}"# + "\n\n"
    }

    @Test func headersAndHistoryOfAFinishedTask() async throws {
        let rig = APIRig()
        try await rig.insert("t", .completed)
        try await rig.events.append([Self.event("a"), Self.done("completed"), Self.event("b")], to: "t")
        try await rig.application.test(.live) { client async throws in
            let raw = try await StreamClient(port: client.port).readAll("/api/v1/tasks/t/stream")
            let (head, body) = try StreamClient.split(raw)
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(head.contains(/\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/))
            for line in [
                "Content-Type: text/event-stream", "Cache-Control: no-cache", "Connection: keep-alive",
                "X-Accel-Buffering: no",
            ] {
                #expect(head.lowercased().contains(line.lowercased() + "\r\n"), "\(line)")
            }
            #expect(
                body == "event: connected\ndata: {\"task_id\":\"t\",\"status\":\"completed\"}\nretry: 2000\n\n"
                    + Self.frame(1, "a") + Self.frame(3, "b")
                    + "event: done\ndata: {\"task_id\":\"t\",\"status\":\"completed\"}\n\n"
            )
        }
    }

    @Test func resumesAfterTheLastEvent() async throws {
        let rig = APIRig()
        try await rig.insert("t", .failed)
        try await rig.events.append([Self.event("a"), Self.event("b"), Self.event("c"), Self.done("failed")], to: "t")
        try await rig.application.test(.live) { client async throws in
            for (path, header) in [
                ("/api/v1/tasks/t/stream?after=2-0", ""), ("/api/v1/tasks/t/stream", "Last-Event-ID: 2-0\r\n"),
            ] {
                let raw = try await StreamClient(port: client.port).readAll(path, header)
                let body = try StreamClient.split(raw).body
                #expect(
                    body == "event: connected\ndata: {\"task_id\":\"t\",\"status\":\"failed\"}\nretry: 2000\n\n"
                        + Self.frame(3, "c") + "event: done\ndata: {\"task_id\":\"t\",\"status\":\"failed\"}\n\n"
                )
            }
        }
    }

    @Test func liveEventsArriveAndDoneEndsTheStream() async throws {
        let rig = APIRig()
        try await rig.insert("t", .running)
        try await rig.events.append([Self.event("old")], to: "t")
        try await rig.application.test(.live) { client async throws in
            let stream = try StreamClient(port: client.port)
            try await stream.open("/api/v1/tasks/t/stream")
            #expect(try await stream.read(until: "\"old\"").contains("event: connected"))
            try await rig.events.append([Self.event("new")], to: "t")
            #expect(try await stream.read(until: "\"new\"").contains("id: 2-0"))
            try await rig.store.update("t") { task throws(CodeForgeError) in
                task.status = .completed
                return nil
            }
            try await rig.events.append([Self.event("last"), Self.done("completed")], to: "t")
            let end = try await stream.readToEnd()
            #expect(
                StreamClient.unchunk(end).hasSuffix(
                    Self.frame(3, "last")
                        + "id: 4-0\nevent: done\n"
                        + #"data: {"changes_summary":null,"status":"completed","task_id":"t"}"# + "\n\n"
                )
            )
        }
    }

    @Test func aLongHistoryArrivesWhole() async throws {
        let rig = APIRig()
        try await rig.insert("t", .completed)
        let text = String(repeating: "x", count: 300)
        try await rig.events.append(
            (0..<20_000).map { Self.event("e\($0)" + text) } + [Self.done("completed")],
            to: "t"
        )
        try await rig.application.test(.live) { client async throws in
            let body = try StreamClient.split(
                try await StreamClient(port: client.port).readAll("/api/v1/tasks/t/stream")
            ).body
            let ids = body.split(separator: "\n").filter { $0.hasPrefix("id: ") }
            #expect(ids.count == 20_000)
            #expect(ids.first == "id: 1-0")
            #expect(ids.last == "id: 20000-0")
            #expect(body.hasSuffix("event: done\ndata: {\"task_id\":\"t\",\"status\":\"completed\"}\n\n"))
        }
    }

    @Test func keepaliveAndTimeoutComeFromTheTicker() async throws {
        let rig = APIRig()
        try await rig.insert("t", .running)
        try await rig.application.test(.live) { client async throws in
            let stream = try StreamClient(port: client.port)
            try await stream.open("/api/v1/tasks/t/stream")
            _ = try await stream.read(until: "event: connected")
            _ = try await rig.whileTicking(.seconds(16)) { try await stream.read(until: ": keepalive\n\n") }
            try await Task.sleep(for: .milliseconds(200))  // as `whileTicking` says
            rig.ticker.tick(.now + .seconds(601))
            let end = try await stream.readToEnd()
            #expect(end.contains("event: timeout\ndata: {\"message\":\"stream closed after 10 minutes\"}\n\n"))
            _ = try await eventually("the stream to be gone") { rig.ticker.count == 0 ? true : nil }
        }
    }

    @Test func aClientThatDoesNotReadIsCutOffAndHoldsLittle() async throws {
        let rig = APIRig()
        try await rig.insert("t", .running)
        let text = String(repeating: "x", count: 10_000)
        try await rig.events.append((0..<5_000).map { Self.event("e\($0)" + text) }, to: "t")
        try await rig.application.test(.live) { client async throws in
            let stream = try StreamClient(port: client.port)
            try await stream.open("/api/v1/tasks/t/stream")
            _ = try await stream.read(until: "event: connected")
            // The kernel's buffers fill up and the server waits in one write.
            _ = try await eventually("the writer to be stuck") {
                rig.ticker.tick(.now + .seconds(40))
                return rig.ticker.count == 0 ? true : nil
            }
        }
    }

    @Test func aClientThatGoesAwayIsForgotten() async throws {
        let rig = APIRig()
        try await rig.insert("t", .running)
        try await rig.application.test(.live) { client async throws in
            let stream = try StreamClient(port: client.port)
            try await stream.open("/api/v1/tasks/t/stream")
            _ = try await stream.read(until: "event: connected")
            #expect(rig.ticker.count == 1)
            stream.close()
            _ = try await eventually("the stream to be gone") { rig.ticker.count == 0 ? true : nil }
        }
    }

    @Test func manyClientsFollowOneTask() async throws {
        let rig = APIRig()
        try await rig.insert("t", .running)
        try await rig.application.test(.live) { client async throws in
            let streams = try (0..<200).map { _ in try StreamClient(port: client.port) }
            for stream in streams { try await stream.open("/api/v1/tasks/t/stream") }
            for stream in streams { _ = try await stream.read(until: "event: connected") }
            #expect(rig.ticker.count == 200)
            try await rig.store.update("t") { task throws(CodeForgeError) in
                task.status = .failed
                return nil
            }
            try await rig.events.append([Self.event("e"), Self.done("failed")], to: "t")
            for stream in streams { #expect(try await stream.readToEnd().contains("event: done")) }
        }
    }

    @Test func stoppingTheServerEndsStreams() async throws {
        let rig = APIRig()
        try await rig.insert("t", .running)
        var stream: StreamClient?
        try await rig.application.test(.live) { client async throws in
            let client = try StreamClient(port: client.port)
            try await client.open("/api/v1/tasks/t/stream")
            _ = try await client.read(until: "event: connected")
            Self.kept.withLock { $0 = client }
        }
        // `test` returns when the server has stopped gracefully: no stream held it up.
        stream = Self.kept.withLock { $0 }
        #expect(try await stream?.readToEnd().contains("event: done") == false)
    }

    private static let kept = Mutex<StreamClient?>(nil)
}
