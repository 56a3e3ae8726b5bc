import Domain
import Testing

@Suite struct TransitionTests {
    /// As the API reference has them, written out once more.
    private static let allowed: Set<String> = [
        "pending → cloning", "pending → failed", "cloning → running", "cloning → failed", "running → completed",
        "running → failed", "completed → awaiting_instruction", "completed → creating_pr", "completed → reviewing",
        "reviewing → completed", "reviewing → failed", "awaiting_instruction → running",
        "awaiting_instruction → reviewing", "awaiting_instruction → failed", "creating_pr → pr_created",
        "creating_pr → failed", "pr_created → awaiting_instruction", "pr_created → completed",
    ]

    @Test func everyPairIsAllowedOrNamed() {
        var seen: Set<String> = []
        for from in TaskStatus.allCases {
            for next in TaskStatus.allCases {
                let pair = "\(from.rawValue) → \(next.rawValue)"
                if Self.allowed.contains(pair) {
                    seen.insert(pair)
                    #expect(throws: Never.self, "\(pair)") { try from.checkTransition(to: next) }
                } else {
                    #expect(throws: CodeForgeError(.conflict, "invalid transition: \(pair)")) {
                        try from.checkTransition(to: next)
                    }
                }
            }
        }
        #expect(seen == Self.allowed && TaskStatus.allCases.count == 9)
    }
}
