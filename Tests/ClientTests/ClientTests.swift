import Client
import Domain
import Synchronization
import TestKit
import Testing

@Suite struct ServerEventReaderTests {
    private static let text = """
        retry: 2000

        : keepalive

        event: connected
        data: {"a":1}

        id: 7
        data: one
        data: two
        ignored: x

        data
        id:8


        """

    private static let events = [
        ServerEvent(name: "connected", data: #"{"a":1}"#), ServerEvent(id: "7", data: "one\ntwo"),
        ServerEvent(id: "8", data: ""),
    ]

    @Test(arguments: [1, 2, 3, 7, 1000], ["\n", "\r", "\r\n"])
    func readsHoweverItIsCut(size: Int, lineEnd: String) {
        let bytes = Array(Self.text.replacing("\n", with: lineEnd).utf8)
        var reader = ServerEventReader()
        var events: [ServerEvent] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            events += reader.read(bytes[start..<min(start + size, bytes.count)])
        }
        #expect(events == Self.events)
    }
}

@Suite struct TextTableTests {
    @Test func columnsAreAlignedAndTheLastIsCut() {
        var table = TextTable([.text("ID"), .number("CPU"), .text("COMMAND")])
        table.add(["a", "1.5", "sleep 600"])
        table.add(["long-id", "12.0", "x"])
        #expect(table.lines() == ["ID        CPU  COMMAND", "a         1.5  sleep 600", "long-id  12.0  x"])
        #expect(table.lines(width: 18) == ["ID        CPU  CO…", "a         1.5  sl…", "long-id  12.0  x"])
    }

    /// A process chooses its own arguments: they must not reach the operator's terminal as commands to it.
    @Test func whatSteersATerminalIsTakenOut() {
        var table = TextTable([.text("COMMAND")])
        table.add(["\u{1B}]0;owned\u{07}\u{1B}[2J\r\n\u{9B}31m\u{202E}gnp\u{2028}\u{200B}é字"])
        let text = table.lines().joined()
        #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        #expect(!text.contains("\u{202E}") && text.contains("é字"))
    }

    @Test(
        arguments: [
            (0, "0"), (1023, "1023"), (1024, "1.0K"), (1536, "1.5K"), (10_239, "10K"), (1_048_575, "1.0M"),
            (4 << 30, "4.0G"),
            (-2048, "-2.0K"), (.max, "8192P"),
        ] as [(Int64, String)])
    func bytesAreShort(value: Int64, text: String) { #expect(Units.bytes(value) == text) }

    @Test(arguments: [
        (0, "0s"), (59.9, "59s"), (60, "1m00s"), (3725, "1h02m"), (200_000, "2d7h"), (-1, "0s"),
        (.infinity, "11574074d1h"),
    ])
    func durationsAreShort(seconds: Double, text: String) { #expect(Units.duration(seconds) == text) }
}

@Suite struct APIClientTests {
    /// Answers with what a test says, and keeps what it was asked.
    final class ScriptedTransport: HTTPTransport {
        struct Answer {
            var status = 200
            var chunks: [String] = []
        }
        private let state: Mutex<(answers: [Answer], requests: [TransportRequest])>

        init(_ answers: Answer...) { state = Mutex((answers, [])) }

        var requests: [TransportRequest] { state.withLock(\.requests) }

        func send(_ request: TransportRequest) async throws(CodeForgeError) -> TransportResponse {
            let answer = state.withLock { state -> Answer? in
                state.requests.append(request)
                return state.answers.isEmpty ? nil : state.answers.removeFirst()
            }
            guard let answer else { throw CodeForgeError(.unavailable, "nobody there") }
            let chunks = Mutex(answer.chunks)
            let rest = Box(chunks)
            return TransportResponse(
                status: answer.status, headers: [:],
                body: TransportBody { () async throws(CodeForgeError) -> [UInt8]? in
                    rest.value.withLock { $0.isEmpty ? nil : Array($0.removeFirst().utf8) }
                })
        }
    }

    final class Box<Value: ~Copyable & Sendable>: Sendable {
        let value: Value
        init(_ value: consuming Value) { self.value = value }
    }

    private func client(_ transport: ScriptedTransport, _ url: String = "http://127.0.0.1:8080") throws -> APIClient {
        try APIClient(url: url, token: "tok", transport: transport)
    }

    @Test(arguments: [("http://h:1", "http://h:1/api/v1/x"), ("https://h/codeforge/", "https://h/codeforge/api/v1/x")])
    func asksUnderItsBase(url: String, asked: String) async throws {
        let transport = ScriptedTransport(.init(chunks: [#"{"a""#, ":1}"]))
        #expect(try await client(transport, url).get("/api/v1/x") == ["a": 1])
        let request = try #require(transport.requests.first)
        #expect(request.url == asked && request.headers["authorization"] == "Bearer tok")
    }

    @Test(
        arguments: [
            (400, .invalidArgument), (401, .unauthorized), (403, .forbidden), (404, .notFound), (409, .conflict),
            (503, .unavailable), (500, .internal),
        ] as [(Int, CodeForgeError.Code)])
    func whatTheServiceRefusesIsThrown(status: Int, code: CodeForgeError.Code) async throws {
        let body = #"{"error":"x","message":"because"}"#
        let transport = ScriptedTransport(.init(status: status, chunks: [body]))
        let error = await #expect(throws: CodeForgeError.self) { try await client(transport).get("/api/v1/x") }
        #expect(error == CodeForgeError(code, "because"))
    }

    @Test func everyFieldThatIsWrongIsTold() async throws {
        let body = #"{"error":"x","message":"b: no","fields":{"b":"no","a":"neither"}}"#
        let transport = ScriptedTransport(.init(status: 400, chunks: [body]))
        let error = await #expect(throws: CodeForgeError.self) { try await client(transport).get("/api/v1/x") }
        #expect(error?.fields.map { "\($0.name): \($0.reason)" } == ["a: neither", "b: no"])
    }

    @Test func whatIsNoServiceIsSaidToBeNone() async throws {
        let page = ScriptedTransport(.init(chunks: ["<html>"]))
        await #expect(throws: CodeForgeError.self) { try await client(page).get("/api/v1/x") }
        #expect(throws: CodeForgeError.self) { try client(page, "ftp://h") }
        let error = await #expect(throws: CodeForgeError.self) { try await client(ScriptedTransport()).get("/x") }
        #expect(error?.code == .unavailable && error?.message.contains("http://127.0.0.1:8080") == true)
    }

    @Test func followingGoesOnWhereItWasCut() async throws {
        let transport = ScriptedTransport(
            .init(chunks: ["event: connected\ndata: {}\n\nid: 4\nda", "ta: a\n\n"]),
            .init(chunks: ["id: 5\ndata: b\n\nevent: done\ndata: {}\n\nid: 6\ndata: c\n\n"]))
        var seen: [String] = []
        try await client(transport).follow("/api/v1/s") { event throws(CodeForgeError) in
            if event.name == nil { seen.append(event.data) }
            return true
        }
        #expect(seen == ["a", "b"])
        #expect(transport.requests.map { $0.headers["last-event-id"] } == [nil, "4"])
    }
}

@Suite struct ParameterTextTests {
    @Test(
        arguments: [
            ("a=b", "a", .value("b")), ("a=", "a", .value("")), ("a=b=c", "a", .value("b=c")),
            ("a=@notes.md", "a", .file("notes.md")), ("a=@@home", "a", .value("@home")), ("a=-", "a", .standardInput),
            ("a=--", "a", .value("--")), ("a=x@y", "a", .value("x@y")),
        ] as [(String, String, ParameterText.Source)])
    func saysWhereItsValueIs(text: String, name: String, source: ParameterText.Source) throws {
        let parameter = try ParameterText(text)
        #expect(parameter.name == name && parameter.source == source)
    }

    @Test(arguments: [["a"], ["=b"], [""], ["a=@"], ["a=1", "a=2"], ["a=-", "b=-"]])
    func whatCannotBeMeantIsRefused(texts: [String]) {
        #expect(throws: CodeForgeError.self) { try ParameterText.all(texts) }
    }
}
