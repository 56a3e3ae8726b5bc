package import Domain
import Synchronization

/// MCP servers in an array.
package final class InMemoryMCPServerStore: MCPServerStore {
    private let state = Mutex<(all: [(name: String, server: RegisteredMCPServer)], failure: CodeForgeError?)>(([], nil))

    package init() {}

    /// Makes every call fail from now on.
    package func fail(with error: CodeForgeError) { state.withLock { $0.failure = error } }

    package func insert(
        _ server: MCPServer, named name: String, at time: Timestamp
    ) async throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            if let failure = state.failure { throw failure }
            if state.all.contains(where: { $0.name == name }) { throw CodeForgeError(.conflict, "\(name) is taken") }
            state.all.append((name, RegisteredMCPServer(server: server, createdAt: time)))
        }
    }

    package func servers() async throws(CodeForgeError) -> [RegisteredMCPServer] {
        try state.withLock { state throws(CodeForgeError) in
            if let failure = state.failure { throw failure }
            return state.all.map(\.server)
        }
    }

    package func remove(_ name: String) async throws(CodeForgeError) -> Bool {
        try state.withLock { state throws(CodeForgeError) in
            if let failure = state.failure { throw failure }
            let count = state.all.count
            state.all.removeAll { $0.name == name }
            return state.all.count < count
        }
    }
}

/// Tools in an array.
package final class InMemoryToolStore: ToolStore {
    private let all = Mutex<[RegisteredTool]>([])

    package init() {}

    package func insert(_ tool: Tool, at time: Timestamp) async throws(CodeForgeError) {
        try all.withLock { all throws(CodeForgeError) in
            if all.contains(where: { $0.tool.name == tool.name }) {
                throw CodeForgeError(.conflict, "\(tool.name) is taken")
            }
            all.append(RegisteredTool(tool: tool, createdAt: time))
        }
    }

    package func tools() async throws(CodeForgeError) -> [RegisteredTool] { all.withLock { $0 } }

    package func tool(_ name: String) async throws(CodeForgeError) -> RegisteredTool? {
        all.withLock { $0.first { $0.tool.name == name } }
    }

    package func remove(_ name: String) async throws(CodeForgeError) -> Bool {
        all.withLock { all in
            let count = all.count
            all.removeAll { $0.tool.name == name }
            return all.count < count
        }
    }
}
