import Domain
import Testing

@Suite struct UsageTests {
    @Test func whatIsSinceAnEarlierTotal() {
        let total = Usage(inputTokens: 480, outputTokens: 120, durationSeconds: 3)
        #expect(
            total.since(Usage(inputTokens: 360, outputTokens: 90))
                == Usage(inputTokens: 120, outputTokens: 30, durationSeconds: 3))
        #expect(total.since(total) == Usage(durationSeconds: 3))
    }

    @Test func totalsThatDidNotGrowWereNone() {
        let run = Usage(inputTokens: 100, outputTokens: 200)
        #expect(run.since(Usage(inputTokens: 101, outputTokens: 1)) == run)
        #expect(run.since(Usage(inputTokens: 1, outputTokens: 201)) == run)
        #expect(run.since(Usage(inputTokens: .max, outputTokens: .max)) == run)
    }
}
