package import Domain
import Synchronization

/// The audit of one run: numbers records and sends them in batches.
///
/// Recording neither blocks nor fails. What a payload can cause without end (refused calls, gateway decisions) is
/// capped: beyond it only the number of each kind and name is kept, and told at the end. It is capped in shares, so that
/// none of these crowds out another: what was allowed, however much, leaves room for what was refused. And the first few
/// of each kind, name, verdict and reason are kept however many others there were.
package final class AuditLog: Sendable {
    private struct Name: Hashable {
        var kind: AuditRecord.Kind
        var name: String
    }

    /// What shares a ceiling.
    private enum Share: Hashable { case allowed, refused, calls }

    private struct Sort: Hashable {
        var name: Name
        var verdict: AuditRecord.Verdict
        var reason: String
    }

    private struct State {
        var pending: [AuditRecord] = []
        var lastNumber = 0
        /// Records that count against a ceiling.
        var capped: [Share: Int] = [:]
        /// How many of each sort were kept, up to `firsts`.
        var sorts: [Sort: Int] = [:]
        var suppressed: [Name: Int] = [:]
        var isClosed = false
    }

    /// Records in a batch, and how long one waits for others.
    private static let batch = 64
    private static let delay = Duration.milliseconds(200)
    /// Different names that are counted once the ceiling is passed; there are a few dozen unless something is wrong.
    private static let mostNames = 500
    /// Of each sort that are kept whatever the ceiling says, while there are not too many sorts.
    private static let firsts = 3

    private let run: RunID
    private let reports: any ReportSink
    private let clock: any WallClock
    private let most: Int
    private let state = Mutex(State())
    private let wake: AsyncStream<Void>.Continuation
    private let wakes: AsyncStream<Void>

    /// - Parameter most: Records of refused calls and gateway decisions that are kept: half of them for what the gateway
    ///   let through, a quarter for what it refused, a quarter for refused calls. 0: none.
    package init(run: RunID, reports: any ReportSink, clock: any WallClock, most: Int) {
        self.run = run
        self.reports = reports
        self.clock = clock
        self.most = most
        (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Adds a record.
    ///
    /// - Parameters:
    ///   - sandbox: Id of the sandbox it is about.
    ///   - detail: Cut and cleaned by the caller, without secrets.
    ///   - reason: Why, from a closed set; with kind, name and verdict it tells one sort from another.
    ///   - suppressed: Like it that the caller already left out.
    package func record(
        _ kind: AuditRecord.Kind, _ name: String, _ verdict: AuditRecord.Verdict, sandbox: String,
        detail: JSONValue, reason: String = "", suppressed: Int = 0
    ) {
        let time = clock.now()
        let count = state.withLock { state -> Int in
            guard !state.isClosed else { return 0 }
            if kind == .syscall || kind == .gateway {
                let name = Name(kind: kind, name: name)
                guard hasRoom(Sort(name: name, verdict: verdict, reason: reason), in: &state) else {
                    if state.suppressed[name] != nil || state.suppressed.count < AuditLog.mostNames {
                        state.suppressed[name, default: 0] += 1 + suppressed
                    }
                    return 0
                }
            }
            AuditLog.add(
                AuditRecord(
                    number: 0, time: time, sandbox: sandbox, kind: kind, name: name, verdict: verdict, detail: detail,
                    suppressed: suppressed), to: &state)
            return state.pending.count
        }
        if count == 1 {
            Task { [wake] in
                try? await Task.sleep(for: AuditLog.delay)  // nobody cancels it
                wake.yield()
            }
        } else if count == AuditLog.batch {
            wake.yield()
        }
    }

    private func hasRoom(_ sort: Sort, in state: inout State) -> Bool {
        guard most > 0 else { return false }
        let (share, ceiling): (Share, Int) =
            switch (sort.name.kind, sort.verdict) {
            case (.syscall, _): (.calls, (most + 3) / 4)
            case (_, .allowed): (.allowed, (most + 1) / 2)
            default: (.refused, (most + 3) / 4)
            }
        let count = state.sorts[sort] ?? 0
        if count < AuditLog.firsts, count > 0 || state.sorts.count < AuditLog.mostNames {
            state.sorts[sort] = count + 1
        } else if state.capped[share, default: 0] >= ceiling {
            return false
        }
        state.capped[share, default: 0] += 1
        return true
    }

    /// Sends what is recorded, until `close()` and everything is sent.
    package func send() async {
        for await _ in wakes { await sendPending() }
        await sendPending()
    }

    /// No more records after this but the sums of those that were suppressed.
    package func close() {
        let time = clock.now()
        state.withLock { state in
            for (name, count) in state.suppressed.sorted(by: { $0.key.name < $1.key.name }) where !state.isClosed {
                AuditLog.add(
                    AuditRecord(
                        number: 0, time: time, sandbox: "", kind: name.kind, name: name.name, verdict: .noted,
                        detail: ["reason": "more records than sandbox.audit_records"], suppressed: count), to: &state)
            }
            state.isClosed = true
        }
        wake.finish()
    }

    private func sendPending() async {
        while true {
            let records = state.withLock { state in
                let records = Array(state.pending.prefix(AuditLog.batch))
                state.pending.removeFirst(records.count)
                return records
            }
            guard !records.isEmpty else { return }
            // Waits for a log that is away; if it gives up, the run's own report will not get through either.
            try? await reports.send(JobReport(run: run, body: .audit(records), time: clock.now()))
        }
    }

    private static func add(_ record: AuditRecord, to state: inout State) {
        state.lastNumber += 1
        var record = record
        record.number = state.lastNumber
        state.pending.append(record)
    }
}
