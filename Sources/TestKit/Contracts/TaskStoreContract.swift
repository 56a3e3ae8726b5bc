package import Domain

/// What every `TaskStore` must do. The subject is an empty store.
package enum TaskStoreContract {
    package typealias Case = ContractCase<any TaskStore>

    package static let cases: [Case] = [
        Case("keeps every member of a task") { store in
            let full = fullTask()
            try await store.insert(full)
            try expectEqual(try await store.task(full.id), full, "a full task")
            let bare = task(2)
            try await store.insert(bare)
            try expectEqual(try await store.task(bare.id), bare, "a bare task")
        },
        Case("knows no task of a strange id") { store in
            for id in ["", "nope", "'; DROP TABLE tasks; --", "\u{0}", "Ž"] {
                try expect(try await store.task(id) == nil, "a task appeared for \(id)")
            }
        },
        Case("refuses a second task of the same id") { store in
            try await store.insert(task(1))
            try await expectCode(.conflict) { () async throws(CodeForgeError) in try await store.insert(task(1)) }
        },
        Case("a task and its receipt are stored both or neither") { store in
            let receipt = ReceiptStoreContract.receipt("a", "k")
            try await store.insert(task(1), receipt: receipt)
            try await expectCode(.conflict) { () async throws(CodeForgeError) in
                try await store.insert(task(2), receipt: receipt)
            }
            try expect(try await store.task(task(2).id) == nil, "a task without its receipt")
            try await expectCode(.conflict) { () async throws(CodeForgeError) in
                try await store.insert(task(1), receipt: ReceiptStoreContract.receipt("a", "l"))
            }
            try await store.insert(task(2), receipt: ReceiptStoreContract.receipt("a", "l"))
        },
        Case("updates a task and returns it as stored") { store in
            try await store.insert(task(1))
            let updated = try await store.update(task(1).id) { task throws(CodeForgeError) in
                task.status = .cloning
                task.result = "Ž\u{0}\"'"
                return nil
            }
            try expectEqual(updated.status, .cloning, "the returned status")
            try expectEqual(try await store.task(updated.id), updated, "the stored task")
        },
        Case("clears members") { store in
            try await store.insert(fullTask())
            _ = try await store.update(fullTask().id) { task throws(CodeForgeError) in
                task.error = nil
                task.finishedAt = nil
                task.review = nil
                return nil
            }
            let cleared = try await store.task(fullTask().id)
            try expect(
                cleared?.error == nil && cleared?.finishedAt == nil && cleared?.review == nil,
                "a member stayed"
            )
        },
        Case("a change that throws changes nothing") { store in
            try await store.insert(task(1))
            try await expectCode(.conflict) { () async throws(CodeForgeError) in
                try await store.update(task(1).id) { task throws(CodeForgeError) in
                    task.status = .failed
                    throw CodeForgeError(.conflict, "no")
                }
            }
            try expectEqual(try await store.task(task(1).id)?.status, .pending, "the status")
        },
        Case("an unknown task can't be updated") { store in
            do {
                _ = try await store.update("gone") { task throws(CodeForgeError) in nil }
                throw ContractViolation(description: "an unknown task was updated")
            } catch let error as CodeForgeError {
                try expectEqual(error, CodeForgeError(.notFound, "task gone not found"), "the error")
            }
        },
        Case("updates of one task follow one another") { store in
            try await store.insert(task(1))
            await withTaskGroup { group in
                for _ in 0..<50 {
                    group.addTask {
                        // A failure shows in the count below.
                        _ = try? await store.update(task(1).id) { task throws(CodeForgeError) in
                            task.attempt += 1
                            return nil
                        }
                    }
                }
            }
            try expectEqual(try await store.task(task(1).id)?.attempt, 50, "the count of updates")
        },
        Case("keeps iterations in the order they ended") { store in
            try await store.insert(task(1))
            try await store.insert(task(2))
            for number in [1, 2, 1] {
                _ = try await store.update(task(1).id) { task throws(CodeForgeError) in
                    var iteration = iteration(number)
                    iteration.result = "\(task.attempt)"
                    task.attempt += 1
                    return iteration
                }
            }
            let list = try await store.iterations(of: task(1).id)
            try expectEqual(list.map(\.number), [2, 1], "the numbers")
            try expectEqual(list.map(\.result), ["1", "2"], "the last record of a number")
            try expectEqual(list.last?.usage, Usage(inputTokens: 1, outputTokens: 2, durationSeconds: 3), "the usage")
            try expect(try await store.iterations(of: task(2).id).isEmpty, "iterations of another task")
        },
        Case("lists newest first, page by page") { store in
            // Three of five are created in the same moment.
            for number in [3, 1, 5, 2, 4] { try await store.insert(task(number, second: min(number, 3))) }
            let (all, total) = try await store.list(status: nil, limit: 50, offset: 0)
            try expectEqual(all.map(\.id), [5, 4, 3, 2, 1].map { task($0).id }, "the order")
            try expectEqual(total, 5, "the total")
            let (page, pageTotal) = try await store.list(status: nil, limit: 2, offset: 3)
            try expectEqual(page.map(\.id), [2, 1].map { task($0).id }, "the page")
            try expectEqual(pageTotal, 5, "the total of a page")
            let (none, noneTotal) = try await store.list(status: nil, limit: 2, offset: 100)
            try expect(none.isEmpty && noneTotal == 5, "past the end")
        },
        Case("lists one status") { store in
            for number in 1...4 {
                var task = task(number)
                task.status = number % 2 == 0 ? .running : .pending
                try await store.insert(task)
            }
            let (running, total) = try await store.list(status: "running", limit: 50, offset: 0)
            try expectEqual(running.map(\.id), [4, 2].map { task($0).id }, "running tasks")
            try expectEqual(total, 2, "the total")
            let (unknown, unknownTotal) = try await store.list(status: "no such", limit: 50, offset: 0)
            try expect(unknown.isEmpty && unknownTotal == 0, "an unknown status")
        },
        Case("counts each status while tasks change theirs") { store in
            for number in 1...3 { try await store.insert(task(number)) }
            for status in [TaskStatus.cloning, .running, .running] {
                try await store.update(task(1).id) { task throws(CodeForgeError) in
                    task.status = status
                    return nil
                }
            }
            for (status, number) in [(nil, 3), ("pending", 2), ("cloning", 0), ("running", 1)] {
                let total = try await store.list(status: status, limit: 1, offset: 0).total
                try expectEqual(total, number, "the total of \(status ?? "all")")
            }
        },
        Case("lists what a list shows of a task") { store in
            var long = task(1)
            long.prompt = String(repeating: "\u{1F600}\u{0}", count: 300)
            long.changes = ChangesSummary(filesModified: 1)
            long.error = "no"
            try await store.insert(long)
            let listed = try await store.list(status: nil, limit: 1, offset: 0).tasks.first
            try expectEqual(
                listed.map { Truncation.cut($0.prompt, utf8: 200) }, Truncation.cut(long.prompt, utf8: 200),
                "the prompt")
            try expectEqual(listed?.changes, long.changes, "the changes")
            try expectEqual(listed?.error, "no", "the error")
        },
        Case("tells what waits and what is held, oldest first") { store in
            let states: [(TaskStatus, attempt: Int, ended: Int, held: Bool)] = [
                (.pending, 0, 0, false), (.pending, 0, 0, true), (.awaitingInstruction, 0, 0, false),
                (.reviewing, 1, 1, false), (.reviewing, 2, 1, false), (.running, 1, 0, false),
                (.completed, 1, 1, false),
            ]
            for (index, state) in states.enumerated().reversed() {
                var task = task(index)
                (task.status, task.attempt, task.endedAttempt) = (state.0, state.attempt, state.ended)
                if state.held { task.hold = TaskHold(.approval, isUnattended: true) }
                try await store.insert(task)
            }
            try expectEqual(try await store.waiting(), [0, 2, 3].map { task($0).id }, "what waits")
            try expectEqual(try await store.held().map(\.id), [task(1).id], "what is held")
        },
        Case("finds tasks by status, oldest first") { store in
            for (number, status) in [(1, TaskStatus.running), (2, .completed), (3, .cloning)] {
                var task = task(number)
                task.status = status
                try await store.insert(task)
            }
            let found = try await store.tasks(in: [.running, .cloning])
            try expectEqual(found.map(\.id), [1, 3].map { task($0).id }, "active tasks")
            try expect(try await store.tasks(in: []).isEmpty, "tasks in no status")
        },
        Case("knows whose review is to be posted") { store in
            for number in 1...3 { try await store.insert(task(number)) }
            try expect(try await store.tasksToPost().isEmpty, "a task to post")
            for number in [3, 1] {
                try await store.update(task(number).id) { task throws(CodeForgeError) in
                    task.posting = ReviewPosting(run: task.run, marker: "m")
                    return nil
                }
            }
            try expectEqual(try await store.tasksToPost().map(\.id), [1, 3].map { task($0).id }, "tasks to post")
            try await store.update(task(1).id) { task throws(CodeForgeError) in
                task.posting = nil
                return nil
            }
            try expectEqual(try await store.tasksToPost().map(\.id), [task(3).id], "tasks still to post")
        },
        Case("takes many inserts at once") { store in
            try await withThrowingTaskGroup { group in
                for number in 0..<500 { group.addTask { try await store.insert(task(number)) } }
                try await group.waitForAll()
            }
            try expectEqual(try await store.list(status: nil, limit: 1, offset: 0).total, 500, "the total")
            try await store.ping()
        },
    ]

    /// A task with the fewest members.
    package static func task(_ number: Int, second: Int? = nil) -> CodeTask {
        CodeTask(
            id: "task-\(String(repeating: "0", count: max(0, 4 - String(number).count)))\(number)",
            repoURL: "https://example.com/a/b.git",
            prompt: "Fix it",
            workspaceSlug: "a-b-\(number)",
            createdAt: Timestamp(nanoseconds: Int64(second ?? number) * 1_000_000_000 + 123_456_789)
        )
    }

    private static func fullTask() -> CodeTask {
        var task = task(1)
        task.status = .prCreated
        task.type = .prReview
        task.providerKey = "key"
        task.callbackURL = "https://example.com/hook"
        task.workflowRunID = "run"
        var config = TaskConfig()
        config.timeoutSeconds = 5
        config.maxBudgetUSD = 0.1
        config.mcpServers = [MCPServer]()
        config.prNumber = 7
        task.config = config
        task.iteration = 3
        task.currentPrompt = "More"
        task.result = "Done\u{1F600}"
        task.error = ""
        task.changes = ChangesSummary(filesModified: 1, filesCreated: 2, filesDeleted: 3, diffStats: "+1 -2")
        task.usage = Usage(inputTokens: 1, outputTokens: 2, durationSeconds: 3)
        task.review = ReviewResult(
            verdict: "comment",
            score: 5,
            summary: "fine",
            issues: [ReviewIssue(severity: "minor", file: "a", line: 0, description: "b", suggestion: nil)],
            autoFixable: true,
            reviewedBy: "codex:x",
            durationSeconds: 1.5
        )
        task.reviewCLI = "codex"
        task.reviewModel = "x"
        task.branch = "b"
        task.prNumber = 9
        task.prURL = "https://example.com/pr/9"
        task.traceID = "t"
        task.trace = TraceContext(traceID: 1, spanID: 2, isSampled: true)
        task.startedAt = Timestamp(nanoseconds: 1)
        task.finishedAt = Timestamp(nanoseconds: 2)
        task.sessionID = "s"
        task.sessionCLI = "codex"
        task.sessionUsage = Usage(inputTokens: 4, outputTokens: 5)
        task.attempt = 2
        task.endedAttempt = 1
        task.followUpWaits = true
        task.posting = ReviewPosting(run: task.run, marker: "m")
        task.headSHA = "0123"
        task.trust = .untrusted
        task.hold = TaskHold(.approval, detail: "a fork", isUnattended: true)
        return task
    }

    private static func iteration(_ number: Int) -> Iteration {
        Iteration(
            number: number,
            prompt: "p",
            status: .completed,
            usage: Usage(inputTokens: 1, outputTokens: 2, durationSeconds: 3),
            startedAt: Timestamp(nanoseconds: 5)
        )
    }
}
