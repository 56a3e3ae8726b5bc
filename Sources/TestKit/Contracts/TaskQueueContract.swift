package import Domain

/// What every `TaskQueue` must do. The subject makes one server after another on the same, at first empty, queue; an
/// earlier one is not used again.
package enum TaskQueueContract {
    package typealias Subject = @Sendable () async throws -> any TaskQueue
    package typealias Case = ContractCase<Subject>

    package static let cases: [Case] = [
        Case("first in, first out") { open in
            let queue = try await open()
            for task in ["a", "b", "c"] { try await queue.enqueue(task) }
            var order: [String] = []
            while let claim = try await queue.claim(wait: .zero) { order.append(claim.taskID) }
            try expectEqual(order, ["a", "b", "c"], "the order")
        },
        Case("an empty queue answers nothing") { open in
            let queue = try await open()
            try expect(try await queue.claim(wait: .zero) == nil, "a claim of nothing")
            try expect(try await queue.claim(wait: .milliseconds(30)) == nil, "a claim of nothing after a wait")
            try expectEqual(try await queue.depth(), 0, "the depth")
        },
        Case("a waiting claim gets what comes") { open in
            let queue = try await open()
            async let claim = queue.claim(wait: .seconds(20))
            try await queue.enqueue("late")
            try expectEqual(try await claim?.taskID, "late", "the claim")
        },
        Case("each entry goes to one of many who wait") { open in
            let queue = try await open()
            let claims = try await withThrowingTaskGroup(of: Claim?.self) { group in
                for _ in 0..<8 { group.addTask { try await queue.claim(wait: .seconds(20)) } }
                for number in 0..<8 { try await queue.enqueue("\(number)") }
                return try await group.reduce(into: [Claim?]()) { $0.append($1) }
            }
            try expectEqual(Set(claims.compactMap { $0?.taskID }), Set((0..<8).map(String.init)), "the tasks")
        },
        Case("claimed entries count until they are acknowledged") { open in
            let queue = try await open()
            try await queue.enqueue("a")
            try await queue.enqueue("b")
            guard let claim = try await queue.claim(wait: .seconds(20)) else {
                throw ContractViolation(description: "no claim")
            }
            try expectEqual(try await queue.depth(), 2, "the depth while claimed")
            try expectEqual(try await queue.contents(), ["a", "b"], "the contents while claimed")
            try await queue.acknowledge(claim)
            try await queue.acknowledge(claim)
            try expectEqual(try await queue.depth(), 1, "the depth afterwards")
            try expectEqual(try await queue.contents(), ["b"], "the contents afterwards")
        },
        Case("a restarted server gets back what was claimed, in order, and nothing else") { open in
            let first = try await open()
            for task in ["a", "b", "c", "d"] { try await first.enqueue(task) }
            guard let done = try await first.claim(wait: .seconds(20)) else {
                throw ContractViolation(description: "no claim")
            }
            _ = try await first.claim(wait: .zero)
            _ = try await first.claim(wait: .zero)
            try await first.acknowledge(done)
            let second = try await open()
            let claims = try await second.reclaim()
            try expectEqual(claims.map(\.taskID), ["b", "c"], "the reclaimed tasks")
            try expectEqual(try await second.claim(wait: .zero)?.taskID, "d", "the waiting task")
            for claim in claims { try await second.acknowledge(claim) }
            let third = try await open()
            try expectEqual(try await third.reclaim().map(\.taskID), ["d"], "what is left")
        },
        Case("a cancelled wait ends at once and loses nothing") { open in
            let queue = try await open()
            let waiting = Task { () async throws(CodeForgeError) in try await queue.claim(wait: .seconds(30)) }
            try await Task.sleep(for: .milliseconds(20))
            waiting.cancel()
            try await expectCode(.cancelled) { () async throws(CodeForgeError) in
                do { return try await waiting.value } catch { throw error as? CodeForgeError ?? .init(.internal, "") }
            }
            try await queue.enqueue("kept")
            try expectEqual(try await queue.claim(wait: .seconds(20))?.taskID, "kept", "the next claim")
        },
    ]
}

/// What every `ReportLog` must do. The subject makes one server after another on the same, at first empty, log, with a
/// way for supervisors to send.
package enum ReportLogContract {
    package typealias Server = (log: any ReportLog, send: @Sendable (JobReport) async throws -> Void)
    package typealias Subject = @Sendable () async throws -> Server
    package typealias Case = ContractCase<Subject>

    package static let cases: [Case] = [
        Case("reports come in order, with all they hold") { open in
            let server = try await open()
            let reports = [report(1, .running), report(1, .audit([])), report(1, .finished(outcome))]
            for report in reports { try await server.send(report) }
            var got: [JobReport] = []
            while got.count < 3 {
                let batch = try await server.log.next(wait: .seconds(20))
                try expect(!batch.isEmpty, "reports are missing after \(got.count)")
                got += batch.map(\.report)
                try await server.log.acknowledge(batch.map(\.entry))
            }
            try expectEqual(got, reports, "the reports")
            try expect(try await server.log.next(wait: .zero).isEmpty, "more than was sent")
        },
        Case("what an earlier server did not acknowledge comes first") { open in
            let first = try await open()
            for number in 1...3 { try await first.send(report(number, .running)) }
            var taken: [(entry: String, report: JobReport)] = []
            while taken.count < 3 { taken += try await first.log.next(wait: .seconds(20)) }
            try await first.log.acknowledge([taken[1].entry])
            let second = try await open()
            try await second.send(report(4, .running))
            var again: [(entry: String, report: JobReport)] = []
            while again.count < 3 {
                let batch = try await second.log.next(wait: .seconds(20))
                try expect(!batch.isEmpty, "reports are missing after \(again.count)")
                again += batch
            }
            try expectEqual(again.map(\.report.run.iteration), [1, 3, 4], "the iterations")
            try await second.log.acknowledge(again.map(\.entry))
            try expect(try await open().log.next(wait: .zero).isEmpty, "acknowledged reports came again")
        },
    ]

    package static let outcome = JobOutcome(
        failure: .timeout,
        error: "task timed out",
        result: "\u{1F600}",
        changes: ChangesSummary(filesModified: 1),
        usage: Usage(inputTokens: 5),
        sessionID: "s",
        workspaceBytes: 1 << 40,
        timeoutSeconds: 9,
        seconds: 1.25
    )

    package static func report(_ iteration: Int, _ body: JobReport.Body) -> JobReport {
        JobReport(
            run: RunID(taskID: "t", iteration: iteration, attempt: 1, purpose: .task),
            body: body,
            time: Timestamp(nanoseconds: 1_700_000_000_123_456_789)
        )
    }
}

/// Records nothing but throws through the caller's suite when the code is another one.
func expectCode<Value>(
    _ code: CodeForgeError.Code,
    line: UInt = #line,
    _ body: () async throws(CodeForgeError) -> Value
) async throws(ContractViolation) {
    do throws(CodeForgeError) {
        _ = try await body()
    } catch {
        return try expectEqual(error.code, code, "the error's code", line: line)
    }
    throw ContractViolation(description: "no error where \(code) was due (contract line \(line))")
}
