import Domain
import Testing

@testable import Engine

@Suite struct TaskRulesTests {
    private let rules = TaskRules(registeredCLIs: ["claude-code", "codex"], makeID: { "id" }, isURL: URLRule.accepts)

    private func draft(_ change: (inout TaskDraft) -> Void = { _ in }) -> TaskDraft {
        var draft = TaskDraft(repoURL: "https://host/x.git", prompt: "p")
        change(&draft)
        return draft
    }

    @Test(arguments: [
        "https://host/x", "ssh://git@host/x", "file:///srv/x.git", "FILE:/srv/x", "mailto:someone", "https://h:80",
    ])
    func acceptsURLs(_ text: String) { #expect(URLRule.accepts(text)) }

    @Test(arguments: [
        "", "not-a-url", "git@host:owner/repo.git", "https://", "https:///x", "http:/x", "https://a b/",
        "https://h/%zz",
        "https://h:x/", "://h", "file:x",
    ])
    func refusesWhatIsNone(_ text: String) { #expect(!URLRule.accepts(text)) }

    @Test func emptyTypeIsCode() throws {
        #expect(try rules.validate(draft()) == .code)
        #expect(try rules.validate(draft { $0.taskType = "" }) == .code)
        #expect(try rules.validate(draft { $0.taskType = "plan" }) == .plan)
    }

    @Test func allMembersAreCheckedTogetherAndTheFirstIsTheMessage() {
        let error = #expect(throws: CodeForgeError.self) {
            try rules.validate(TaskDraft(repoURL: "", prompt: "", taskType: "nonsense", callbackURL: "x"))
        }
        #expect(error?.message == "repo_url: field is required")
        #expect(error?.fields.map(\.name) == ["repo_url", "prompt", "callback_url"])
    }

    @Test func aPromptIsMeasuredInScalarsAndMayBeBlank() throws {
        _ = try rules.validate(draft { $0.prompt = " " })
        _ = try rules.validate(draft { $0.prompt = String(repeating: "é", count: 102_400) })
        let error = #expect(throws: CodeForgeError.self) {
            try rules.validate(draft { $0.prompt = String(repeating: "e", count: 102_401) })
        }
        #expect(error?.message == "prompt: exceeds maximum length")
    }

    @Test func laterChecksReportAlone() {
        func message(_ change: (inout TaskDraft) -> Void) -> String? {
            #expect(throws: CodeForgeError.self) { try rules.validate(draft(change)) }?.message
        }
        #expect(message { $0.taskType = "x" } == "task_type: unknown task type: x")
        #expect(message { $0.taskType = "pr_review" } == "pr_number: pr_number is required for pr_review tasks")
        #expect(
            message {
                $0.config = .init(); $0.config?.cli = "vim"
            } == "cli: unknown CLI: vim")
    }

    @Test(arguments: [
        ("Fix the failing auth tests", "fix-the-failing-auth-tests-550e8400"),
        ("Přidat novou funkci", "pridat-novou-funkci-550e8400"),
        ("!!!", "task-550e8400"), ("", "task-550e8400"),
        ("One two three four five six seven", "one-two-three-four-five-550e8400"),
        ("ﬁx ＡＢＣ", "fix-abc-550e8400"),
        (
            String(repeating: "a", count: 40) + " " + String(repeating: "b", count: 40),
            String(repeating: "a", count: 40) + "-550e8400"
        ),
    ])
    func slugsAreFiveWordsOfASCII(_ prompt: String, _ slug: String) {
        #expect(Slug.make(prompt: prompt, taskID: "550e8400-e29b-41d4-a716-446655440000") == slug)
    }
}
