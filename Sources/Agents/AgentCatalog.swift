/// The CLIs CodeForge knows.
package enum AgentCatalog {
    /// In the order they are listed to clients.
    package static let all: [any AgentAdapter] = [ClaudeCodeAdapter(), CodexAdapter(), ShellAdapter()]

    package static var names: [String] { all.map(\.name) }

    /// Those that understand prose, and so can review.
    package static var reviewers: Set<String> { Set(all.filter { $0.provider != nil }.map(\.name)) }

    package static func adapter(named name: String) -> (any AgentAdapter)? {
        all.first { $0.name == name }
    }
}
