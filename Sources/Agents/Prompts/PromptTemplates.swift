/// What the task types tell the model: its role, what to look at, what not to touch and what to answer.
package enum PromptTemplates {
    static func plan(task: String) -> String {
        """
        You are a software architect. Plan the following task for the repository in the current directory; do not \
        carry it out.

        ## Task

        \(task)

        ## How to work

        1. Explore the repository: its structure, the parts the task touches, its tests.
        2. Work out its conventions: naming, layering, error handling, how changes are usually made.
        3. Write the plan as Markdown:
           - the approach, and why it rather than others;
           - the steps in order, each with the files to create or change and what to do in them;
           - how to test the result;
           - the risks and open questions;
           - an estimate of the complexity (small, medium or large).

        \(readOnly) Your answer is the plan.
        """
    }

    static func review(focus: String) -> String {
        """
        You are a senior code reviewer. Review the repository in the current directory.

        ## Focus

        \(focus)

        ## What to judge

        Inspect the code itself, not only its documentation:
        - quality: correctness, clarity, error handling, dead or duplicated code;
        - architecture: structure, coupling, fitness of the abstractions;
        - security: injection, secrets, missing checks, unsafe defaults;
        - performance: needless work, memory, blocking calls;
        - tests: what is covered, what is not, and whether they would notice a break.

        \(readOnly)

        \(answer(autoFixable: false))
        """
    }

    static func pullRequestReview(number: Int, target: String, instructions: String) -> String {
        let extra = instructions.isEmpty ? "" : "\n## Additional instructions\n\n\(instructions)\n"
        return """
            You are a senior code reviewer. Review pull request (merge request) #\(number).

            - Source branch: `pr-\(number)`, checked out in the current directory
            - Target branch: `\(target)`
            \(extra)
            ## What to look at

            Run `git diff origin/\(target)...HEAD` to see the change, and read the code around it where you need to.
            Judge correctness, security, performance, quality and tests.

            Report only on lines inside the hunks of that diff, with the line numbers of the new side.

            \(readOnly)

            \(answer(autoFixable: true))
            """
    }

    package static func codeReview(context: String) -> String {
        """
        You are a senior code reviewer. Review the changes just made in the repository in the current directory.

        ## The task they were made for

        \(context)

        ## What to look at

        Run `git diff HEAD~1` to see the change. It may be uncommitted, and the clone may have a single commit: then \
        `git diff HEAD` shows it, and `git status` the new files.
        Judge correctness, security, performance, quality and tests, and whether the task was done.

        Report only on what the change touches, with the line numbers of the new side.

        \(readOnly)

        \(answer(autoFixable: true))
        """
    }

    private static let readOnly =
        "Strictly read-only: do not create, change or delete files, and make no commits or branches."

    private static func answer(autoFixable: Bool) -> String {
        let extra = autoFixable ? ",\n  \"auto_fixable\": true | false" : ""
        return """
            ## Answer

            Answer with only this JSON object, without any other text around it:

            {
              "verdict": "approve" | "request_changes" | "comment",
              "score": 1 to 10,
              "summary": "the overall judgement in a few sentences",
              "issues": [
                {
                  "severity": "critical" | "major" | "minor" | "suggestion",
                  "file": "path from the repository's root",
                  "line": 42,
                  "description": "what is wrong and why it matters",
                  "suggestion": "how to fix it"
                }
              ]\(extra)
            }
            """
    }
}
