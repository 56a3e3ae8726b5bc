import Domain
import Synchronization
import TestKit
import Testing

@testable import Supervision

@Suite struct AuditLogTests {
    private static let run = RunID(taskID: "t", iteration: 1, attempt: 1, purpose: .task)

    private func withLog(
        most: Int, sink: RecordingSink = RecordingSink(), _ body: (AuditLog) async throws -> Void
    ) async throws -> [JobReport] {
        let log = AuditLog(run: Self.run, reports: sink, clock: ManualClock(), most: most)
        let sender = Task { await log.send() }
        try await body(log)
        log.close()
        await sender.value
        return sink.reports
    }

    @Test func recordsAreNumberedInOrderAndSentInBatches() async throws {
        let reports = try await withLog(most: 1000) { log in
            for index in 0..<150 {
                log.record(.syscall, "mount", .refused, sandbox: "s", detail: ["n": .int(Int64(index))])
            }
        }
        let batches = reports.map(\.records)
        #expect(batches.allSatisfy { $0.count <= 64 } && batches.count < 20)
        let all = batches.flatMap(\.self)
        #expect(all.map(\.number) == Array(1...150))
        #expect(all.compactMap { $0.detail["n"]?.intValue } == Array(0..<150))
    }

    @Test func aRecordArrivesWithoutOthers() async throws {
        let sink = RecordingSink()
        _ = try await withLog(most: 10, sink: sink) { log in
            log.record(.sandbox, "start", .noted, sandbox: "s", detail: .null)
            _ = try await eventually("the batch") { sink.reports.isEmpty ? nil : true }
        }
        #expect(sink.reports.flatMap(\.records).count == 1)
    }

    @Test func whatAPayloadCausesIsCappedAndCounted() async throws {
        let all = try await withLog(most: 4) { log in
            for _ in 0..<4 { log.record(.syscall, "bpf", .refused, sandbox: "s", detail: .null) }
            for _ in 0..<4 { log.record(.gateway, "git", .refused, sandbox: "s", detail: .null, suppressed: 2) }
            log.record(.syscall, "bpf", .refused, sandbox: "s", detail: .null)
            // Never left out, however much came before.
            log.record(.operation, "kill", .noted, sandbox: "s", detail: .null)
        }.flatMap(\.records)
        #expect(all.map(\.name) == ["bpf", "bpf", "bpf", "git", "git", "git", "kill", "bpf", "git"])
        #expect(all.map(\.suppressed) == [0, 0, 0, 2, 2, 2, 0, 2, 3])
        #expect(all.map(\.number) == Array(1...9))
    }

    @Test func whatWasAllowedLeavesRoomForWhatWasRefused() async throws {
        let all = try await withLog(most: 40) { log in
            for _ in 0..<100 { log.record(.gateway, "egress", .allowed, sandbox: "s", detail: .null, reason: "ok") }
            for _ in 0..<100 { log.record(.syscall, "bpf", .refused, sandbox: "s", detail: .null) }
            for _ in 0..<100 { log.record(.gateway, "git", .refused, sandbox: "s", detail: .null, reason: "not_found") }
        }.flatMap(\.records)
        func kept(_ name: String) -> Int { all.count { $0.name == name && !$0.sandbox.isEmpty } }
        #expect(kept("egress") == 20 && kept("bpf") == 10 && kept("git") == 10)
        #expect(all.suffix(3).map(\.suppressed).sorted() == [80, 90, 90])
    }

    /// A flood of one refusal hides no other.
    @Test func theFirstOfEachSortAreKept() async throws {
        let all = try await withLog(most: 4) { log in
            for _ in 0..<100 { log.record(.gateway, "git", .refused, sandbox: "s", detail: .null, reason: "not_found") }
            log.record(.gateway, "git", .refused, sandbox: "s", detail: "push", reason: "push_refused")
            for _ in 0..<100 { log.record(.syscall, "socket", .refused, sandbox: "s", detail: .null, reason: "38") }
            log.record(.syscall, "socket", .refused, sandbox: "s", detail: "packet", reason: "17")
            for index in 0..<2000 {
                log.record(.syscall, "socket", .refused, sandbox: "s", detail: .null, reason: "\(index)")
            }
        }.flatMap(\.records)
        #expect(all.contains { $0.detail == "push" } && all.contains { $0.detail == "packet" })
        #expect(all.count < 520, "sorts are bounded as well")
    }

    @Test func noneAreKeptWhereNoneAreWanted() async throws {
        let all = try await withLog(most: 0) { log in
            log.record(.syscall, "bpf", .refused, sandbox: "s", detail: .null)
        }.flatMap(\.records)
        #expect(all.map(\.suppressed) == [1])
    }

    @Test func aLogThatIsAwayHoldsNobodyUp() async throws {
        let sink = RecordingSink(fails: true)
        let reports = try await withLog(most: 100, sink: sink) { log in
            for _ in 0..<70 { log.record(.syscall, "bpf", .refused, sandbox: "s", detail: .null) }
        }
        #expect(reports.isEmpty)
    }
}

extension JobReport {
    /// Of an audit report; none of another.
    var records: [AuditRecord] {
        if case .audit(let records) = body { return records }
        return []
    }

    var outcome: JobOutcome? {
        if case .finished(let outcome) = body { return outcome }
        return nil
    }
}

/// Keeps reports in order.
final class RecordingSink: ReportSink {
    private let kept = Mutex<[JobReport]>([])
    private let fails: Bool

    init(fails: Bool = false) { self.fails = fails }

    var reports: [JobReport] { kept.withLock { $0 } }

    func send(_ report: JobReport) async throws(CodeForgeError) {
        if fails { throw CodeForgeError(.unavailable, "away") }
        kept.withLock { $0.append(report) }
    }
}

/// Keeps events in order.
final class RecordingEvents: EventSink {
    private let kept = Mutex<[String]>([])

    /// Encoded, oldest first.
    var all: [String] { kept.withLock { $0 } }

    func append(_ body: LoggedEvent.Body) {
        if case .event(let json) = body { kept.withLock { $0.append(String(decoding: json, as: UTF8.self)) } }
    }
    func waitForRoom() {}
    func flush() async throws(CodeForgeError) {}
}
