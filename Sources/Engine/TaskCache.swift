import Domain
import Synchronization

/// Tasks as they are on record, for who asks for them again and again.
///
/// Never shows what a write has replaced: a task is forgotten before a write of it begins, and what was read while one
/// was under way is not kept. Two generations bound it: a full young one becomes the old one, and what nobody asked for
/// since is gone with the old one before.
final class TaskCache: Sendable {
    private let state = Mutex(State())
    /// Bytes of one generation.
    private let limit: Int

    /// - Parameter bytes: About what all tasks in it may take up; 0 keeps none.
    init(bytes: Int) { limit = bytes / 2 }

    /// A task from here or, when it is not, from `read`.
    func task(
        _ id: String, read: () async throws(CodeForgeError) -> CodeTask?
    ) async throws(CodeForgeError) -> CodeTask? {
        let (known, ticket) = state.withLock { state in
            let known = state.task(id, limit)
            return (known, known == nil ? state.beginRead(id) : nil)
        }
        if let known { return known }
        let task: CodeTask?
        do throws(CodeForgeError) {
            task = try await read()
        } catch {
            state.withLock { _ = $0.endRead(id, ticket) }
            throw error
        }
        state.withLock { state in
            if state.endRead(id, ticket), let task { state.keep(task, limit) }
        }
        return task
    }

    /// Carries out a write of a task.
    func writing<Result>(
        _ id: String, _ write: () async throws(CodeForgeError) -> Result
    ) async throws(CodeForgeError) -> Result {
        state.withLock { $0.beginWrite(id) }
        defer { state.withLock { $0.endWrite(id) } }
        return try await write()
    }
}

extension TaskCache {
    fileprivate struct State {
        private var young: [String: CodeTask] = [:]
        private var youngBytes = 0
        private var old: [String: CodeTask] = [:]
        /// How many writes of a task are under way.
        private var writes: [String: Int] = [:]
        /// The latest read of a task that is under way, as long as no write came between.
        private var reads: [String: UInt64] = [:]
        private var lastTicket: UInt64 = 0

        mutating func task(_ id: String, _ limit: Int) -> CodeTask? {
            if let task = young[id] { return task }
            guard let task = old.removeValue(forKey: id) else { return nil }
            keep(task, limit)
            return task
        }

        /// - Returns: What ends it; `nil` when what is read can't be kept.
        mutating func beginRead(_ id: String) -> UInt64? {
            guard writes[id] == nil else { return nil }
            lastTicket += 1
            reads[id] = lastTicket
            return lastTicket
        }

        /// - Returns: Whether what was read is still what is on record.
        mutating func endRead(_ id: String, _ ticket: UInt64?) -> Bool {
            guard let ticket, reads[id] == ticket else { return false }
            reads[id] = nil
            return true
        }

        mutating func beginWrite(_ id: String) {
            writes[id, default: 0] += 1
            reads[id] = nil
            old[id] = nil
            if let task = young.removeValue(forKey: id) { youngBytes -= State.cost(task) }
        }

        mutating func endWrite(_ id: String) {
            guard let count = writes[id], count > 1 else { return writes[id] = nil }
            writes[id] = count - 1
        }

        mutating func keep(_ task: CodeTask, _ limit: Int) {
            let cost = State.cost(task)
            guard cost <= limit else { return }
            if youngBytes + cost > limit {
                (old, young, youngBytes) = (young, [:], 0)
            }
            if let replaced = young.updateValue(task, forKey: task.id) { youngBytes -= State.cost(replaced) }
            youngBytes += cost
        }

        /// Memory, in about: the long texts and a lump for the rest.
        private static func cost(_ task: CodeTask) -> Int {
            var texts = [task.prompt, task.currentPrompt, task.result, task.error, task.review?.summary]
            for issue in task.review?.issues ?? [] { texts += [issue.file, issue.description, issue.suggestion] }
            for server in task.config?.mcpServers ?? [] {
                texts += [server.name, server.package, server.command, server.url]
                texts += server.args ?? []
                texts += parts(of: server.env) + parts(of: server.headers)
            }
            for tool in task.config?.tools ?? [] { texts += [tool.name] + parts(of: tool.config) }
            return texts.reduce(2048) { $0 + 32 + ($1?.utf8.count ?? 0) }
        }

        private static func parts(of map: [String: String]?) -> [String?] {
            (map ?? [:]).flatMap { [$0.key, $0.value] }
        }
    }
}
