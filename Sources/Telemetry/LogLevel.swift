package import Logging
import Synchronization

/// The least severe level that is logged, for every handler that shares it; may change while they log.
package final class LogLevel: Sendable {
    private let index: Atomic<Int>
    private static let all = Logger.Level.allCases

    package init(_ level: Logger.Level) { index = Atomic(LogLevel.index(of: level)) }

    package var current: Logger.Level { LogLevel.all[index.load(ordering: .relaxed)] }

    package func set(_ level: Logger.Level) { index.store(LogLevel.index(of: level), ordering: .relaxed) }

    private static func index(of level: Logger.Level) -> Int { all.firstIndex(of: level) ?? 0 }
}
