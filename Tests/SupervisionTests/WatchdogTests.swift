import Domain
import Testing

@testable import Supervision

@Suite struct WatchdogTests {
    private let limits = JobSpec.Watchdogs(firstLine: 30, silence: 90, afterResult: 10)

    @Test func theFirstLineHasATimeOfItsOwn() {
        let watchdog = Watchdog(limits)
        #expect(watchdog.verdict(at: 0) == .wait(30))
        #expect(watchdog.verdict(at: 29.5) == .wait(0.5))
        #expect(watchdog.verdict(at: 30) == .fired(.firstLine))
    }

    @Test func eachLineStartsTheSilenceAnew() {
        var watchdog = Watchdog(limits)
        watchdog.line(at: 29, sawResult: false)
        #expect(watchdog.verdict(at: 30) == .wait(89))
        watchdog.line(at: 100, sawResult: false)
        #expect(watchdog.verdict(at: 189) == .wait(1))
        #expect(watchdog.verdict(at: 190) == .fired(.silence))
    }

    @Test func whoPrintsAfterTheResultIsAlive() {
        var watchdog = Watchdog(limits)
        watchdog.line(at: 5, sawResult: true)
        #expect(watchdog.verdict(at: 14) == .wait(1))
        watchdog.line(at: 14, sawResult: false)
        #expect(watchdog.verdict(at: 16) == .wait(8))
        #expect(watchdog.verdict(at: 24) == .fired(.afterResult))
    }

    @Test func eachCanBeSwitchedOff() {
        var watchdog = Watchdog(.off)
        #expect(watchdog.verdict(at: 1_000_000) == .idle)
        watchdog.line(at: 1, sawResult: true)
        #expect(watchdog.verdict(at: 1_000_000) == .idle)
        var silent = Watchdog(.init(firstLine: 0, silence: 5, afterResult: 0))
        #expect(silent.verdict(at: 100) == .idle, "silence is between lines")
        silent.line(at: 100, sawResult: true)
        #expect(silent.verdict(at: 105) == .fired(.silence))
    }
}
