import Domain
import Foundation
import Logging
import Synchronization
import Testing

@testable import Telemetry

final class MemorySink: LogSink {
    private let lines = Mutex<[String]>([])
    func write(_ line: [UInt8]) { lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
    var all: [String] { lines.withLock { $0 } }
}

struct Rig {
    let sink = MemorySink()
    let redactor = Redactor(["s3cret-token", "abc"])

    func logger(_ format: LineLogHandler.Format = .json, level: Logger.Level = .debug) -> Logger {
        Logger(label: "test") { [sink, redactor] label in
            LineLogHandler(
                label: label,
                level: LogLevel(level),
                format: format,
                redactor: redactor,
                sink: sink,
                now: { Timestamp("2026-02-03T04:05:06.7Z")! }
            )
        }
    }

    func object() throws -> [String: Any] {
        let line = try #require(sink.all.first)
        #expect(line.hasSuffix("}\n"))
        return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
}

@Suite struct LogTests {
    @Test func aLevelThatChangesHoldsForEveryLogger() {
        let level = LogLevel(.info)
        let sink = MemorySink()
        let logger = Logger(label: "test") { label in
            LineLogHandler(label: label, level: level, format: .text, redactor: Redactor([]), sink: sink)
        }
        let copy = logger
        var own = logger
        own.logLevel = .warning
        logger.debug("no")
        level.set(.debug)
        for each in [logger, copy, own] { each.debug("yes") }
        #expect(sink.all.count == 2 && logger.logLevel == .debug && own.logLevel == .warning)
        level.set(.error)
        logger.warning("no")
        #expect(sink.all.count == 2)
    }

    @Test func jsonLineHasTimeLevelMessageAndFlatFields() throws {
        let rig = Rig()
        rig.logger().warning(
            "task \"stuck\"\nhere",
            metadata: [
                "task.id": "t1", "count": .stringConvertible(3), "ok": .stringConvertible(true),
                "http": ["route": "/x", "status": .stringConvertible(200)], "list": ["a", "b"], "msg": "mine",
            ]
        )
        let object = try rig.object()
        #expect(object["time"] as? String == "2026-02-03T04:05:06.700Z")
        #expect(object["level"] as? String == "warn")
        #expect(object["msg"] as? String == "task \"stuck\"\nhere")
        #expect(object["task.id"] as? String == "t1")
        #expect(object["count"] as? Int == 3)
        #expect(object["ok"] as? Bool == true)
        #expect(object["http.route"] as? String == "/x")
        #expect(object["http.status"] as? Int == 200)
        #expect(object["list"] as? [String] == ["a", "b"])
        #expect(object["field.msg"] as? String == "mine")
        #expect(rig.sink.all[0].filter(\.isNewline).count == 1)
    }

    @Test(arguments: LineLogHandler.Format.allCases)
    func secretsNeverReachTheSink(format: LineLogHandler.Format) {
        let rig = Rig()
        rig.logger(format).error(
            "failed with s3cret-token",
            metadata: [
                "authorization": "Bearer other-value", "url": "https://user:hidden-pass@host/path",
                "header": "Authorization: Bearer loose-value, next", "nested": ["x-api-key": "key-value"],
                "body": .stringConvertible(CodeForgeError(.internal, "saw s3cret-token")), "all": ["s3cret-token"],
                "access_token": "tok-value",
            ]
        )
        let line = rig.sink.all[0]
        for secret in ["s3cret-token", "other-value", "hidden-pass", "loose-value", "key-value", "tok-value"] {
            #expect(!line.contains(secret), "\(secret) in \(line)")
        }
        #expect(line.contains("https://***@host/path"))
        #expect(line.contains(", next"))
    }

    @Test func namesThatOnlySoundSecretStayReadable() {
        #expect(!Redactor.isSecret(name: "usage.input_tokens"))
        #expect(!Redactor.isSecret(name: "provider_key"))
        #expect(Redactor.isSecret(name: "request.Proxy-Authorization"))
        // Too short to be looked for in free text.
        #expect(Redactor(["abc"]).clean("abcdef") == "abcdef")
    }

    @Test func textLineCannotBeForged() {
        let rig = Rig()
        rig.logger(.text).info("hello\n2026-01-01 INFO fake", metadata: ["v": "a b\u{1B}[31m\n", "n": "x"])
        #expect(
            rig.sink.all == [
                "2026-02-03T04:05:06.700Z INFO  hello\\n2026-01-01 INFO fake n=x v=\"a b\\x1b[31m\\n\"\n"
            ]
        )
    }

    @Test func settingsNamesMapToLevels() {
        #expect(Logger.Level(setting: "warn") == .warning)
        #expect(Logger.Level(setting: "loud") == nil)
    }

    @Test func descriptorSinkWritesWholeLinesFromManyThreads() async throws {
        let path = NSTemporaryDirectory() + "/codeforge-log-" + UUID().uuidString
        let descriptor = open(path, O_CREAT | O_WRONLY | O_APPEND, 0o600)
        defer {
            close(descriptor)
            unlink(path)
        }
        let sink = DescriptorSink(descriptor: descriptor)
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for _ in 0..<200 { sink.write(Array((String(repeating: "\(writer)", count: 5000) + "\n").utf8)) }
                }
            }
        }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 1600)
        #expect(lines.allSatisfy { $0.count == 5000 && Set($0).count == 1 })
    }
}

extension LineLogHandler.Format: CaseIterable {
    public static let allCases: [Self] = [.json, .text]
}
