package import Domain

/// What every `WorkspaceStore` must do. The subject is two empty stores over one record.
package enum WorkspaceStoreContract {
    package typealias Subject = (tasks: any TaskStore, workspaces: any WorkspaceStore)
    package typealias Case = ContractCase<Subject>

    package static let cases: [Case] = [
        Case("lists oldest first, with the status of the task") { subject in
            let store = subject.workspaces
            try await subject.tasks.insert(TaskStoreContract.task(1))
            try await store.insert(workspace("b", second: 2))
            try await store.insert(workspace(TaskStoreContract.task(1).id, second: 1))
            try await store.insert(workspace("a", second: 2))
            let all = try await store.workspaces()
            try expectEqual(all.map(\.taskID), [TaskStoreContract.task(1).id, "a", "b"], "the order")
            try expectEqual(all.map(\.taskStatus), [.pending, nil, nil], "the statuses")
            try expectEqual(try await store.workspace(of: "a"), workspace("a", second: 2), "one of them")
            try expect(try await store.workspace(of: "c") == nil, "a workspace of nobody")
        },
        Case("an earlier record of the same task stays") { subject in
            let store = subject.workspaces
            try await store.insert(workspace("a", second: 1))
            try await store.insert(workspace("a", second: 2))
            try expectEqual(try await store.workspace(of: "a")?.createdAt, time(1), "the time")
        },
        Case("sums sizes as last measured") { subject in
            let store = subject.workspaces
            try expectEqual(try await store.bytes(), 0, "an empty store")
            for id in ["a", "b"] { try await store.insert(workspace(id, second: 1)) }
            for (id, bytes) in [("a", 1 << 40), ("b", 5), ("a", 7), ("gone", 9)] {
                try await store.record(measurement(id, bytes: bytes))
            }
            try await store.record(measurement("a", bytes: nil))
            try expectEqual(try await store.bytes(), 12, "the sum")
            try await store.remove("b")
            try expectEqual(try await store.bytes(), 7, "the rest")
        },
        Case("a run in another task's workspace measures that one") { subject in
            let store = subject.workspaces
            try await store.insert(workspace("owner", second: 1))
            try await store.record(measurement("guest", used: "owner", bytes: 3, iteration: 2))
            let owner = try await store.workspace(of: "owner")
            try expectEqual(owner?.bytes, 3, "the size")
            try expectEqual(owner?.measuredTask, "guest", "who measured")
            try expectEqual(owner?.measuredIteration, 2, "after which iteration")
            try await store.insert(workspace("guest", second: 1))
            try await store.record(measurement("guest", used: "owner", bytes: 4))
            try expectEqual(try await store.workspace(of: "owner")?.bytes, 3, "the size, now that it has its own")
        },
        Case("keeps the diff of each iteration, also without the workspace") { subject in
            let store = subject.workspaces
            try await store.insert(workspace("a", second: 1))
            let texts = ["one\u{0}Ž\u{FFFD}\n", "", "three"]
            for (index, text) in texts.enumerated() {
                try await store.record(measurement("a", iteration: index + 1, diff: diff(text, index == 2)))
            }
            try await store.record(measurement("a", iteration: 3, diff: diff("again")))
            try await store.record(measurement("a", iteration: 4))
            try await store.remove("a")
            try expectEqual(try await store.diff(of: "a", iteration: 1), diff(texts[0]), "the first")
            try expectEqual(try await store.diff(of: "a", iteration: 2), diff(""), "an empty one")
            try expectEqual(try await store.diff(of: "a", iteration: nil), diff("again"), "the latest")
            try expect(try await store.diff(of: "a", iteration: 4) == nil, "a diff of nothing")
            try expect(try await store.diff(of: "b", iteration: nil) == nil, "a diff of nobody")
        },
        Case("adopts what was found on the disk") { subject in
            let task = TaskStoreContract.task(1)
            try await subject.tasks.insert(task)
            for slug in [task.workspaceSlug, "unknown"] { try await subject.workspaces.adopt(slug: slug) }
            let all = try await subject.workspaces.workspaces()
            try expectEqual(all.map(\.slug), [task.workspaceSlug], "the slugs")
            try expectEqual(all.map(\.createdAt), [task.createdAt], "the times")
        },
    ]

    private static func time(_ second: Int) -> Timestamp { Timestamp(nanoseconds: Int64(second) * 1_000_000_000) }

    private static func workspace(_ id: String, second: Int) -> Workspace {
        Workspace(taskID: id, slug: "do-" + id, createdAt: time(second))
    }

    private static func diff(_ text: String, _ isTruncated: Bool = false) -> WorkspaceDiff {
        WorkspaceDiff(text: text, isTruncated: isTruncated)
    }

    private static func measurement(
        _ id: String, used: String? = nil, bytes: Int? = nil, iteration: Int = 1, diff: WorkspaceDiff? = nil
    ) -> WorkspaceMeasurement {
        WorkspaceMeasurement(taskID: id, iteration: iteration, usedTaskID: used, bytes: bytes, diff: diff)
    }
}
