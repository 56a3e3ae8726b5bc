import Domain
import Testing

@testable import Agents

@Suite struct PromptBuilderTests {
    private func task(_ type: TaskType, prompt: String) -> CodeTask {
        CodeTask(
            id: "t", type: type, repoURL: "https://example.test/a/b", prompt: prompt, workspaceSlug: "t",
            createdAt: Timestamp(nanoseconds: 0))
    }

    private func iteration(_ number: Int, prompt: String = "p", result: String = "r", error: String = "") -> Iteration {
        Iteration(
            number: number, prompt: prompt, status: error.isEmpty ? .completed : .failed, result: result, error: error,
            startedAt: Timestamp(nanoseconds: 0))
    }

    @Test func codeGoesByteForByte() {
        let prompt = "  {prompt} %@ \\(x)\r\n\u{0}"
        #expect(PromptBuilder.firstPrompt(of: task(.code, prompt: prompt)) == prompt)
    }

    @Test func templatesHoldTheClientsTextAsItIs() {
        let text = "focus on {{this}} and `that`\n## Answer"
        for type in [TaskType.plan, .review, .prReview] {
            let prompt = PromptBuilder.firstPrompt(of: task(type, prompt: text))
            #expect(prompt.contains(text), "\(type)")
            #expect(prompt.contains("read-only"), "\(type)")
        }
        #expect(PromptBuilder.codeReview(of: task(.code, prompt: text)).contains(text))
    }

    @Test func reviewsAskForTheJSONOfTheContract() {
        for prompt in [
            PromptBuilder.firstPrompt(of: task(.review, prompt: "x")),
            PromptBuilder.firstPrompt(of: task(.prReview, prompt: "x")),
            PromptBuilder.codeReview(of: task(.code, prompt: "x")),
        ] {
            for member in ["verdict", "score", "summary", "issues", "severity", "file", "line", "suggestion"] {
                #expect(prompt.contains("\"\(member)\""))
            }
        }
        #expect(!PromptBuilder.firstPrompt(of: task(.review, prompt: "x")).contains("auto_fixable"))
        #expect(PromptBuilder.firstPrompt(of: task(.prReview, prompt: "x")).contains("auto_fixable"))
        #expect(PromptBuilder.codeReview(of: task(.code, prompt: "x")).contains("git diff HEAD~1"))
    }

    @Test func aPullRequestReviewNamesItsBranches() {
        var review = task(.prReview, prompt: "")
        review.config = TaskConfig()
        review.config?.prNumber = 7
        let plain = PromptBuilder.firstPrompt(of: review)
        #expect(plain.contains("#7") && plain.contains("`pr-7`") && plain.contains("git diff origin/main...HEAD"))
        #expect(!plain.contains("Additional instructions"))
        review.config?.targetBranch = "release"
        review.prompt = "Mind the locks."
        let full = PromptBuilder.firstPrompt(of: review)
        #expect(full.contains("git diff origin/release...HEAD"))
        #expect(full.contains("## Additional instructions\n\nMind the locks.\n"))
    }

    @Test func aFollowUpComesAfterItsHistory() {
        #expect(PromptBuilder.followUp("next", earlier: []) == "next")
        let prompt = PromptBuilder.followUp(
            "next", earlier: [iteration(1, prompt: "one"), iteration(2, prompt: "two", result: "", error: "broke")])
        #expect(
            prompt == """
                ## Previous iterations

                ### Iteration 1 (completed)

                Prompt:
                one

                Result:
                r

                ### Iteration 2 (failed)

                Prompt:
                two

                Error:
                broke

                ## Current instruction

                next
                """)
    }

    @Test func aTasksIterationDecides() {
        var plan = task(.plan, prompt: "first")
        #expect(PromptBuilder.prompt(of: plan, cli: "claude-code", earlier: []).contains("architect"))
        plan.iteration = 2
        plan.currentPrompt = "second"
        let prompt = PromptBuilder.prompt(of: plan, cli: "claude-code", earlier: [iteration(1, prompt: "first")])
        #expect(prompt.hasSuffix("\n\nsecond") && prompt.contains("first") && !prompt.contains("architect"))
    }

    @Test func theOldestIterationsAreLeftOutFirst() throws {
        let long = String(repeating: "é", count: 20_000)
        let prompt = PromptBuilder.followUp("next", earlier: (1...4).map { iteration($0, prompt: long) })
        let history = try #require(prompt.firstRange(of: "\n## Current instruction")).lowerBound
        #expect(prompt[..<history].unicodeScalars.count <= PromptBuilder.historyLimit)
        #expect(!prompt.contains("Iteration 2 ") && prompt.contains("Iteration 3 ") && prompt.contains("Iteration 4 "))
        #expect(prompt.contains("(2 earlier iterations left out.)"))
    }

    @Test func aSingleHugeIterationIsCut() throws {
        let prompt = PromptBuilder.followUp(
            "next", earlier: [iteration(1, prompt: String(repeating: "x", count: 90_000))])
        #expect(prompt.unicodeScalars.count < PromptBuilder.historyLimit + 100)
        #expect(prompt.hasSuffix("x...\n\n## Current instruction\n\nnext"))
    }

    @Test func longResultsAreShortened() {
        let prompt = PromptBuilder.followUp(
            "next", earlier: [iteration(1, result: String(repeating: "r", count: 5_000))])
        #expect(prompt.contains(String(repeating: "r", count: 2_000) + "...\n"))
        #expect(!prompt.contains(String(repeating: "r", count: 2_001)))
    }
}
