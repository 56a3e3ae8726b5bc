import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Synchronization

/// Answers both APIs from one script. Stateless but for the count of refusals that `overload` asks for.
final class ModelServer: HTTPResponder {
    typealias Context = BasicRequestContext

    private let script: Script
    private let key: String?
    private let log: RequestLog
    /// Refusals so far, by conversation, scenario and turn.
    private let refusals = Mutex<[String: Int]>([:])

    init(script: Script, key: String?, log: RequestLog) {
        self.script = script
        self.key = key
        self.log = log
    }

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let path = request.uri.path
        var request = request
        let body = try await request.collectBody(upTo: 64 << 20)
        var entry = RequestLog.Entry(method: request.method.rawValue, path: path, bytes: body.readableBytes)
        entry.apiKey = header("x-api-key", of: request)
        entry.authorization = header("authorization", of: request)
        let response = answer(request, path: path, body: body, entry: &entry)
        await log.append(entry, body: Data(body.readableBytesView))
        return response
    }

    private func answer(_ request: Request, path: String, body: ByteBuffer, entry: inout RequestLog.Entry) -> Response {
        // The gateway's prefixes, for a CLI that talks to us without one.
        let api: any ModelAPI =
            path.contains("/responses") || path.contains("/openai/")
            ? OpenAIResponses() : AnthropicMessages()
        func refuse(_ status: Int, _ message: String, retryAfter: Int? = nil) -> Response {
            entry.status = status
            var response = json(api.error(status: status, message: message), status: status)
            if let retryAfter, let name = HTTPField.Name("retry-after") {
                response.headers[name] = "\(retryAfter)"
            }
            return response
        }
        if let key, entry.apiKey != key, entry.authorization != "Bearer \(key)" {
            return refuse(401, "the key is not the one expected")
        }
        let isPost = request.method == .post
        if isPost, path.hasSuffix("/messages/count_tokens") {
            entry.status = 200
            return json(["input_tokens": 120])
        }
        guard isPost, path.hasSuffix("/messages") || path.hasSuffix("/responses") else {
            return refuse(404, "\(request.method.rawValue) \(path) is not scripted")
        }
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(body.readableBytesView)) else {
            return refuse(400, "the body is not JSON")  // whatever is wrong with it
        }
        let call = api.parse(value) { header($0, of: request) }
        let scenario = script.scenario(for: call.prompt)
        let (index, turn) = scenario.turn(afterResults: call.results)
        entry.note(call, scenario: scenario.name ?? scenario.match ?? "default", turn: index)
        if let refusal = refusal(of: turn, key: "\(call.conversation)/\(entry.scenario ?? "")/\(index)") {
            return refuse(refusal.status, refusal.message, retryAfter: refusal.retryAfter)
        }
        entry.status = 200
        let parts = turn.steps.compactMap { part($0, call: call, api: api) }
        var writer = api.makeWriter(for: call, id: UUID().uuidString.lowercased().filter { $0 != "-" })
        return call.stream ? stream(parts, with: writer) : json(whole(parts, with: &writer))
    }

    /// The error a turn begins with, if it does.
    private func refusal(of turn: Turn, key: String) -> (status: Int, message: String, retryAfter: Int?)? {
        for step in turn.steps {
            switch step {
            case .fail(let failure): return (failure.status, failure.message ?? "scripted failure", nil)
            case .overload(let times, let retryAfter):
                let count = refusals.withLock { counts in
                    counts[key, default: 0] += 1
                    return counts[key, default: 0]
                }
                if count <= times { return (529, "Overloaded", retryAfter) }
            default: break
            }
        }
        return nil
    }

    private func part(_ step: Step, call: ModelRequest, api: any ModelAPI) -> AnswerPart? {
        switch step {
        case .think(let text): .thinking(call.fill(text))
        case .say(let text): .text(call.fill(text))
        case .act(let action):
            api.call(for: action, in: call) ?? .text("(The tool for \(action) is not on offer.)")
        case .stall(let seconds): .pause(seconds: seconds)
        case .flood(let bytes): .flood(bytes: bytes)
        case .disconnect: .disconnect
        case .fail, .overload: nil
        }
    }

    private func stream(_ parts: [AnswerPart], with writer: any AnswerWriter) -> Response {
        let events = EventStream(parts: parts, writer: writer)
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-cache"],
            body: ResponseBody { body in try await events.write(to: &body) })
    }

    private func whole(_ parts: [AnswerPart], with writer: inout any AnswerWriter) -> JSONValue {
        _ = writer.begin()
        for part in parts {
            if case .flood(let bytes) = part {
                _ = writer.part(.text(EventStream.filler(bytes)))
            } else {
                _ = writer.part(part)
            }
        }
        _ = writer.end()
        return writer.whole
    }

    private func json(_ value: JSONValue, status: Int = 200) -> Response {
        var writer = JSONWriter()
        writer.value(value)
        return Response(
            status: .init(code: status), headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes)))
    }

    private func header(_ name: String, of request: Request) -> String? {
        HTTPField.Name(name).flatMap { request.headers[$0] }
    }
}

/// Sends an answer part by part.
struct EventStream: Sendable {
    let parts: [AnswerPart]
    let writer: any AnswerWriter

    struct Disconnected: Error {}

    func write(to body: inout any ResponseBodyWriter) async throws {
        var writer = writer
        try await send(writer.begin(), to: &body)
        for part in parts {
            switch part {
            case .pause(let seconds): try await Task.sleep(for: .seconds(seconds))
            case .disconnect: throw Disconnected()
            case .flood(let bytes):
                try await send(writer.beginText(), to: &body)
                var left = bytes
                while left > 0 {
                    let piece = EventStream.filler(min(left, 16 << 10))
                    try await send(writer.textDelta(piece), to: &body)
                    left -= piece.utf8.count
                }
                try await send(writer.endText(), to: &body)
            default: try await send(writer.part(part), to: &body)
            }
        }
        try await send(writer.end(), to: &body)
        try await body.finish(nil)
    }

    private func send(_ events: [ServerSentEvent], to body: inout any ResponseBodyWriter) async throws {
        guard !events.isEmpty else { return }
        try await body.write(ByteBuffer(bytes: events.flatMap(\.bytes)))
    }

    static func filler(_ bytes: Int) -> String {
        String(repeating: "flood ", count: bytes / 6) + String(repeating: ".", count: bytes % 6)
    }
}
