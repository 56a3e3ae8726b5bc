package import Domain
import Synchronization

/// Marks in a set; no time passes in it.
package final class InMemoryDeliveryMarks: DeliveryMarks {
    private struct State {
        var marks: [DeliveryMark: Int] = [:]
        var failure: CodeForgeError?

        func check() throws(CodeForgeError) { if let failure { throw failure } }
    }
    private let state = Mutex(State())

    package init() {}

    /// Makes every call fail from now on; `nil` ends that.
    package func fail(with error: CodeForgeError?) { state.withLock { $0.failure = error } }

    /// Seconds each mark was last given.
    package var marks: [DeliveryMark: Int] { state.withLock(\.marks) }

    package func add(_ mark: DeliveryMark, seconds: Int) async throws(CodeForgeError) -> Bool {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            guard state.marks[mark] == nil else { return false }
            state.marks[mark] = seconds
            return true
        }
    }

    package func keep(_ mark: DeliveryMark, seconds: Int) async throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            state.marks[mark] = seconds
        }
    }

    package func remove(_ mark: DeliveryMark) async throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            state.marks[mark] = nil
        }
    }
}
