/// The CLIs CodeForge knows.
package enum AgentCatalog {
    /// In the order they are listed to clients.
    package static let all: [any AgentAdapter] = [ClaudeCodeAdapter(), CodexAdapter(), ShellAdapter()]

    package static var names: [String] { all.map(\.name) }

    package static func adapter(named name: String) -> (any AgentAdapter)? {
        all.first { $0.name == name }
    }
}
