import Foundation
import Testing

@testable import Agents

/// Output of the real CLIs (Claude Code 2.1.330, Codex 0.163.0), recorded against `scripted-model` with its own script by
/// `Tests/AgentsTests/record`; beside each the events it becomes, one `type<TAB>content` a line.
///
/// After recording anew, run with `CODEFORGE_WRITE_EXPECTED=1` once and read the difference.
@Suite struct FixtureTests {
    static let names = [
        "claude-code-task", "claude-code-resume", "claude-code-failure", "claude-code-overload",
        "codex-task", "codex-resume", "codex-failure", "codex-command",
    ]

    @Test(arguments: names)
    func recordedOutputBecomesTheExpectedEvents(name: String) throws {
        let (events, _) = try read(name)
        var text = ""
        for event in events {
            let json = try #require(try JSONSerialization.jsonObject(with: Data(event.data)) as? [String: Any])
            #expect(json["raw"] is [String: Any])
            let content = (json["content"] as? String ?? "").replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
            text += "\(event.kind?.rawValue ?? "-")\t\(content)\n"
        }
        let expected = fixture(name + ".expected")
        if ProcessInfo.processInfo.environment["CODEFORGE_WRITE_EXPECTED"] != nil {
            let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            try text.write(
                to: source.appendingPathComponent("Fixtures/\(name).expected"), atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: expected, encoding: .utf8) == text)
    }

    @Test(arguments: ["claude-code", "codex"])
    func aTaskEndsWithResultTokensAndConversation(cli: String) throws {
        let (_, task) = try read(cli + "-task")
        #expect(task.result == "I wrote SCRIPTED.md and looked at it.")
        #expect(task.inputTokens == 360)
        #expect(task.outputTokens == 90)
        #expect(task.sawResult && task.failure == nil)
        let (_, resumed) = try read(cli + "-resume")
        #expect(resumed.sessionID == task.sessionID && task.sessionID != nil)
        #expect(resumed.result == "Prompt 2 was: scripted:echo and again")
    }

    @Test(arguments: ["claude-code", "codex"])
    func aRefusalByTheModelIsNamed(cli: String) throws {
        let (_, summary) = try read(cli + "-failure")
        #expect(summary.failure?.contains("scripted failure") == true)
        #expect(summary.sawResult)
    }

    private func fixture(_ name: String) -> URL {
        Bundle.module.bundleURL.appendingPathComponent("Fixtures/\(name)")
    }

    private func read(_ name: String) throws -> ([StreamOutput], AgentSummary) {
        let adapter = try #require(AgentCatalog.all.first { name.hasPrefix($0.name) })
        var normalizer = adapter.makeNormalizer()
        let lines = try Data(contentsOf: fixture(name + ".jsonl")).split(separator: 0x0A).map(Array.init)
        let events = lines.compactMap { normalizer.line($0) }
        #expect(events.count == lines.count)
        return (events, normalizer.summary)
    }
}
