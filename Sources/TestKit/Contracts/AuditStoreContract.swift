package import Domain

/// What every `AuditStore` must do. The subject is an empty store.
package enum AuditStoreContract {
    package typealias Case = ContractCase<any AuditStore>

    package static let cases: [Case] = [
        Case("keeps every member of a record") { store in
            var full = record(1)
            full.detail = ["text": "Ž\u{0}\"'", "list": [1, .double(2.5), nil, true]]
            full.name = "na\u{0}me"
            full.suppressed = 7
            try expectEqual(try await store.append([full], of: run()), [full], "what is new")
            let found = try await store.entries(AuditQuery(.task("t")))
            try expectEqual(found.map(\.record), [full], "the record")
            try expectEqual(found.map(\.run), [run()], "its run")
        },
        Case("the same record twice is there once") { store in
            try await store.append([record(1), record(2)], of: run())
            var changed = record(2)
            changed.name = "changed"
            let added = try await store.append([changed, record(3), record(3)], of: run())
            try expectEqual(added, [record(3)], "what is new")
            try expectEqual(
                try await store.entries(AuditQuery(.task("t"))).map(\.record), [record(1), record(2), record(3)],
                "the records")
        },
        Case("each run has numbers of its own") { store in
            let runs = [run(), run(attempt: 2), run(iteration: 2), run(purpose: .review), run("u")]
            for run in runs { try expectEqual(try await store.append([record(1)], of: run).count, 1, "\(run)") }
            try expectEqual(try await store.entries(AuditQuery(.task("t"))).count, 4, "entries of the task")
            try expectEqual(
                try await store.entries(AuditQuery(.iteration(task: "t", 1))).count, 3, "entries of the iteration")
        },
        Case("takes records of several runs, in the order given") { store in
            try await store.append([record(1)], of: run("u"))
            let added = try await store.append([
                AuditBatch(run: run(), records: [record(1), record(2)]),
                AuditBatch(run: run("u"), records: [record(1), record(2)]), AuditBatch(run: run("v"), records: []),
            ])
            try expectEqual(added, [record(1), record(2), record(2)], "what is new")
            let found = try await store.entries(AuditQuery(.sandbox("s")))
            try expectEqual(found.map(\.run.taskID), ["u", "t", "t", "u"], "the order")
        },
        Case("gives one sandbox's records") { store in
            try await store.append(
                [record(1, sandbox: "a"), record(2, sandbox: "b"), record(3, sandbox: "a")], of: run())
            try expectEqual(
                try await store.entries(AuditQuery(.sandbox("a"))).map(\.record.number), [1, 3], "records of a")
            for id in ["", "nobody", "'; DROP TABLE audit; --", "%"] {
                try expect(try await store.entries(AuditQuery(.sandbox(id))).isEmpty, "records of \(id)")
            }
        },
        Case("filters by kind and verdict") { store in
            var all = (1...6).map { record($0) }
            for index in [1, 3, 5] { all[index].kind = .gateway }
            for index in [3, 4] { all[index].verdict = .allowed }
            try await store.append(all, of: run())
            func numbers(_ query: AuditQuery) async throws -> [Int] {
                try await store.entries(query).map(\.record.number)
            }
            try expectEqual(try await numbers(AuditQuery(.task("t"), kind: .gateway)), [2, 4, 6], "the kind")
            try expectEqual(try await numbers(AuditQuery(.task("t"), verdict: .allowed)), [4, 5], "the verdict")
            try expectEqual(
                try await numbers(AuditQuery(.task("t"), kind: .gateway, verdict: .allowed)), [4], "both")
        },
        Case("pages without a gap") { store in
            try await store.append((1...25).map { record($0) }, of: run())
            var seen: [Int] = []
            var after: Int64 = 0
            while true {
                let page = try await store.entries(AuditQuery(.sandbox("s"), after: after, limit: 10))
                guard let last = page.last else { break }
                try expect(page.count <= 10 && last.id > after, "a page")
                seen += page.map(\.record.number)
                after = last.id
            }
            try expectEqual(seen, Array(1...25), "the numbers")
        },
        Case("forgets what is old, and no place twice") { store in
            try await store.append((1...4).map { record($0, second: $0) }, of: run())
            let last = try await store.entries(AuditQuery(.task("t"))).last?.id ?? 0
            let border = Timestamp(nanoseconds: 3_000_000_000)
            try expectEqual(try await store.remove(before: border), 2, "the number forgotten")
            try expectEqual(
                try await store.entries(AuditQuery(.task("t"))).map(\.record.number), [3, 4], "what is left")
            try expectEqual(try await store.remove(before: Timestamp(nanoseconds: .max)), 2, "all the rest")
            try await store.append([record(9)], of: run())
            let next = try await store.entries(AuditQuery(.task("t"))).first?.id ?? 0
            try expect(next > last, "a place was used again: \(next) after \(last)")
        },
        Case("takes many records at once") { store in
            try expect(try await store.append([], of: run()).isEmpty, "nothing is new in nothing")
            try await withThrowingTaskGroup { group in
                for attempt in 1...20 {
                    group.addTask { try await store.append((1...200).map { record($0) }, of: run(attempt: attempt)) }
                }
                try await group.waitForAll()
            }
            try expectEqual(
                try await store.entries(AuditQuery(.task("t"), limit: 10_000)).count, 4000, "the records")
        },
    ]

    package static func run(
        _ task: String = "t", iteration: Int = 1, attempt: Int = 1, purpose: JobSpec.Purpose = .task
    ) -> RunID {
        RunID(taskID: task, iteration: iteration, attempt: attempt, purpose: purpose)
    }

    package static func record(
        _ number: Int, sandbox: String = "s", kind: AuditRecord.Kind = .syscall, second: Int? = nil
    ) -> AuditRecord {
        AuditRecord(
            number: number, time: Timestamp(nanoseconds: Int64(second ?? number) * 1_000_000_000 + 5), sandbox: sandbox,
            kind: kind, name: "mount", verdict: .refused, detail: ["errno": 1])
    }
}
