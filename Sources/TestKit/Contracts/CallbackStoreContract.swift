package import Domain

/// What every `CallbackStore` must do, and the `TaskStore` that fills it. Both are empty.
package enum CallbackStoreContract {
    package struct Subject: Sendable {
        package var tasks: any TaskStore
        package var callbacks: any CallbackStore

        package init(tasks: any TaskStore, callbacks: any CallbackStore) {
            self.tasks = tasks
            self.callbacks = callbacks
        }
    }

    package typealias Case = ContractCase<Subject>

    private static func time(_ second: Int64) -> Timestamp { Timestamp(nanoseconds: second * 1_000_000_000) }

    private static func callback(_ id: String, due second: Int64 = 10, task: String = "task-0001") -> Callback {
        Callback(
            id: id, taskID: task, url: "https://example.com/\u{0}", event: "task.completed", traceID: "t",
            body: [0, 255, 10], dueAt: time(second))
    }

    /// Puts callbacks of one task in.
    private static func put(_ callbacks: Callback..., into subject: Subject) async throws {
        for callback in callbacks {
            if try await subject.tasks.task(callback.taskID) == nil {
                var task = TaskStoreContract.task(1)
                task.id = callback.taskID
                try await subject.tasks.insert(task)
            }
            let task = try await subject.tasks.update(callback.taskID) { task throws(CodeForgeError) in
                task.callback = callback
                return nil
            }
            try expect(task.callback == nil, "a callback is part of one change only")
        }
    }

    private static func due(
        _ subject: Subject, at second: Int64, limit: Int = 100, except busy: Set<String> = []
    ) async throws -> [String] {
        try await subject.callbacks.due(at: time(second), limit: limit, except: busy).map(\.id)
    }

    package static let cases: [Case] = [
        Case("keeps every member") { subject in
            var full = callback("a")
            full.attempts = 2
            try await put(full, into: subject)
            try expectEqual(
                try await subject.callbacks.due(at: time(10), limit: 1, except: []), [full], "the callback")
            try expectEqual(try await subject.tasks.task("task-0001")?.callback, nil, "the task read back")
        },
        Case("comes with its change or not at all") { subject in
            try await subject.tasks.insert(TaskStoreContract.task(1))
            _ = try? await subject.tasks.update("task-0001") { task throws(CodeForgeError) in
                task.callback = callback("a")
                throw CodeForgeError(.conflict, "changed my mind")
            }
            try expectEqual(try await subject.callbacks.nextDue(except: []), nil, "what waits")
        },
        Case("gives what is due, longest due first") { subject in
            try await put(
                callback("b", due: 10), callback("c", due: 11), callback("a", due: 9), callback("d", due: 12),
                into: subject)
            try expectEqual(try await due(subject, at: 11), ["a", "b", "c"], "due")
            try expectEqual(try await due(subject, at: 11, limit: 2), ["a", "b"], "with a limit")
            try expectEqual(try await due(subject, at: 11, limit: 0), [], "none asked for")
            try expectEqual(try await due(subject, at: 11, except: ["a", "c", "x"]), ["b"], "the busy left out")
            try expectEqual(try await due(subject, at: 8), [], "too early")
            try expectEqual(try await subject.callbacks.nextDue(except: ["a"]), time(10), "the next")
        },
        Case("is released with its task, once, and never later than before") { subject in
            var tried = callback("tried", due: 100)
            tried.attempts = 1
            try await put(
                callback("held", due: 100), callback("early", due: 3), tried,
                callback("other", due: 100, task: "other"), into: subject)
            try await subject.callbacks.release(task: "task-0001", at: time(5))
            try expectEqual(try await due(subject, at: 5), ["early", "held"], "due after the release")
        },
        Case("is postponed and removed") { subject in
            try await put(callback("a"), callback("b"), into: subject)
            try await subject.callbacks.postpone("a", attempts: 3, until: time(20))
            try await subject.callbacks.remove("b")
            try await subject.callbacks.postpone("gone", attempts: 1, until: time(1))
            try await subject.callbacks.remove("gone")
            try expectEqual(try await due(subject, at: 19), [], "before")
            let found = try await subject.callbacks.due(at: time(20), limit: 9, except: [])
            try expectEqual(found.map(\.id), ["a"], "after")
            try expectEqual(found.first?.attempts, 3, "attempts")
        },
    ]
}
