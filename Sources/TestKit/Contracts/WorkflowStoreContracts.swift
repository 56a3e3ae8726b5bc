package import Domain

/// What every `WorkflowStore` must do. The subject is an empty store.
package enum WorkflowStoreContract {
    package typealias Case = ContractCase<any WorkflowStore>

    /// A workflow with every member.
    package static func workflow(_ name: String, at time: Int64 = 1, description: String = "d\u{0}é") -> Workflow {
        Workflow(
            name: name, description: description,
            steps: [
                WorkflowStep(
                    name: "one", type: "fetch",
                    config: ["url": "https://h.example", "headers": ["Authorization": "definition-secret"]]),
                WorkflowStep(name: "two", type: "of a later version", config: nil),
            ],
            parameters: [
                WorkflowParameter(name: "a", required: true), WorkflowParameter(name: "b", default: "parameter-secret"),
            ], createdAt: Timestamp(nanoseconds: time))
    }

    package static let cases: [Case] = [
        Case("gives back what it got, in the order of creation") { store in
            let all = ["b", "c", "a"].enumerated().map { workflow($1, at: Int64(9 - $0)) }
            for workflow in all { try await store.insert(workflow) }
            try expectEqual(try await store.workflows(), all, "the workflows")
            try expectEqual(try await store.workflow("c"), all[1], "one of them")
            try expect(try await store.workflow("C") == nil, "one there is not")
        },
        Case("a name is there once, until it is removed") { store in
            try await store.insert(workflow("a"))
            do {
                try await store.insert(workflow("a", at: 2))
                try expect(false, "a second workflow of that name")
            } catch let error as CodeForgeError {
                try expectEqual(error.code, .conflict, "the error")
            }
            try expectEqual(try await store.workflows(), [workflow("a")], "the first one")
            try expect(try await store.remove("a"), "it was there")
            try expect(try await !store.remove("a"), "it is gone")
            try await store.insert(workflow("a", at: 3))
        },
        Case("built-in ones come first, and become exactly those of this version") { store in
            try await store.insert(workflow("mine"))
            try await store.replaceBuiltIn([workflow("x"), workflow("y")])
            try await store.replaceBuiltIn([workflow("y", at: 7, description: "new"), workflow("z", at: 8)])
            let all = try await store.workflows()
            try expectEqual(all.map(\.name), ["y", "z", "mine"], "the names")
            try expectEqual(all.map(\.isBuiltIn), [true, true, false], "whose they are")
            try expectEqual(all.map(\.description), ["new", "d\u{0}é", "d\u{0}é"], "what they are now")
            try expectEqual(all.map(\.createdAt.nanoseconds), [1, 8, 1], "since when they are there")
        },
        Case("a client's workflow hides the built-in one of its name") { store in
            try await store.insert(workflow("x", at: 4, description: "mine"))
            try await store.replaceBuiltIn([workflow("x")])
            try expectEqual(
                try await store.workflows(), [workflow("x", at: 4, description: "mine")], "the client's stays")
            _ = try await store.remove("x")
            try await store.replaceBuiltIn([workflow("x")])
            try expectEqual(try await store.workflow("x")?.isBuiltIn, true, "the next start brings it")
        },
    ]
}

/// What every `WorkflowRunStore` must do. The subject is an empty store.
package enum WorkflowRunStoreContract {
    package typealias Case = ContractCase<any WorkflowRunStore>

    /// A run with every member.
    package static func run(_ id: String, of workflow: String = "w", at time: Int64 = 1) -> WorkflowRun {
        var run = WorkflowRun(
            id: id, workflow: WorkflowStoreContract.workflow(workflow), params: ["access_token": "run-secret\u{0}"],
            createdAt: Timestamp(nanoseconds: time))
        run.trace = TraceContext(traceID: 1, spanID: 2, isSampled: true)
        run.traceID = run.trace?.traceIDText
        return run
    }

    private static func step(_ index: Int, of run: String = "r") -> RunStep {
        var step = RunStep(
            runID: run, index: index, name: "s\(index)", type: "task", startedAt: Timestamp(nanoseconds: 5))
        step.status = .completed
        step.result = ["task_id": "t", "text": "output-secret\u{0}"]
        step.taskID = "t"
        step.error = "e\u{0}"
        step.finishedAt = Timestamp(nanoseconds: 6)
        return step
    }

    package static let cases: [Case] = [
        Case("gives back what it got") { store in
            try await store.insert(run("r"))
            try expectEqual(try await store.run("r"), run("r"), "the run")
            try expectEqual(try await store.steps(of: "r"), [], "its steps")
            try expect(try await store.run("x") == nil, "one there is not")
            do {
                try await store.insert(run("r"))
                try expect(false, "a second run of that id")
            } catch let error as CodeForgeError {
                try expectEqual(error.code, .conflict, "the error")
            }
        },
        Case("a run and its receipt are stored both or neither") { store in
            let receipt = ReceiptStoreContract.receipt("a", "k")
            try await store.insert(run("r"), receipt: receipt)
            try await expectCode(.conflict) { () async throws(CodeForgeError) in
                try await store.insert(run("s"), receipt: receipt)
            }
            try expect(try await store.run("s") == nil, "a run without its receipt")
            try await expectCode(.conflict) { () async throws(CodeForgeError) in
                try await store.insert(run("r"), receipt: ReceiptStoreContract.receipt("a", "l"))
            }
            try await store.insert(run("s"), receipt: ReceiptStoreContract.receipt("a", "l"))
        },
        Case("changes a run and its step together, or neither") { store in
            try await store.insert(run("r"))
            let changed = try await store.update("r") { run throws(CodeForgeError) in
                run.status = .failed
                run.error = "no\u{0}"
                run.isCancelRequested = true
                run.startedAt = Timestamp(nanoseconds: 2)
                run.finishedAt = Timestamp(nanoseconds: 3)
                return step(1)
            }
            try expectEqual(changed.error, "no\u{0}", "what update returns")
            try expectEqual(try await store.run("r"), changed, "what is on record")
            try expectEqual(try await store.steps(of: "r"), [step(1)], "the step")
            do {
                _ = try await store.update("r") { run throws(CodeForgeError) in
                    run.status = .running
                    throw CodeForgeError(.conflict, "no")
                }
                try expect(false, "it throws")
            } catch let error as CodeForgeError {
                try expectEqual(error, CodeForgeError(.conflict, "no"), "the error")
            }
            try expectEqual(try await store.run("r"), changed, "nothing changed")
        },
        Case("steps are in the order of the workflow, and replaced by index") { store in
            try await store.insert(run("r"))
            try await store.insert(run("q"))
            for index in [2, 0, 1] { try await store.update("r") { _ throws(CodeForgeError) in step(index) } }
            try await store.update("q") { _ throws(CodeForgeError) in step(0, of: "q") }
            try await store.update("r") { _ throws(CodeForgeError) in
                var changed = step(1)
                changed.status = .failed
                changed.result = [:]
                changed.taskID = nil
                changed.finishedAt = nil
                return changed
            }
            let steps = try await store.steps(of: "r")
            try expectEqual(steps.map(\.name), ["s0", "s1", "s2"], "the steps")
            try expectEqual(steps.map(\.status), [.completed, .failed, .completed], "what became of them")
            try expectEqual(steps[1].taskID, nil, "the replaced one")
        },
        Case("an unknown run can't be changed") { store in
            do {
                _ = try await store.update("x") { _ throws(CodeForgeError) in nil }
                try expect(false, "it throws")
            } catch let error as CodeForgeError {
                try expectEqual(error, CodeForgeError(.notFound, "workflow run 'x' not found"), "the error")
            }
        },
        Case("lists newest first, of one workflow or all") { store in
            for (id, workflow) in [("1", "w"), ("2", "v"), ("3", "w"), ("4", "w")] {
                try await store.insert(run(id, of: workflow))
            }
            try expectEqual(try await store.runs(of: nil, limit: 3).map(\.id), ["4", "3", "2"], "all")
            try expectEqual(try await store.runs(of: "w", limit: 9).map(\.id), ["4", "3", "1"], "of one")
            try expectEqual(try await store.runs(of: "x", limit: 9).map(\.id), [], "of one there is not")
        },
        Case("open runs are those without an end, oldest first") { store in
            for (id, status) in zip("12345", WorkflowRun.Status.allCases) {
                try await store.insert(run("\(id)", of: id == "1" ? "v" : "w"))
                try await store.update("\(id)") { run throws(CodeForgeError) in
                    run.status = status
                    if status.isFinished { run.finishedAt = Timestamp(nanoseconds: 9) }
                    return nil
                }
            }
            try expectEqual(try await store.openRuns(of: nil).map(\.id), ["1", "2"], "all")
            try expectEqual(try await store.openRuns(of: "w").map(\.id), ["2"], "of one")
        },
    ]
}
