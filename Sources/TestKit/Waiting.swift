import Domain

/// Asks again and again until `attempt` answers; for tests that wait for another process or thread.
///
/// - Throws: `.timeout`, naming what was waited for.
package func eventually<Result>(
    _ what: String,
    within limit: Duration = .seconds(20),
    isolation: isolated (any Actor)? = #isolation,
    _ attempt: () async throws -> Result?
) async throws -> Result {
    let clock = ContinuousClock()
    let end = clock.now + limit
    while true {
        if let result = try await attempt() { return result }
        guard clock.now < end else { throw CodeForgeError(.timeout, "waited \(limit) for \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// What a contract suite throws when a port breaks its word.
package struct ContractViolation: Error, CustomStringConvertible {
    package let description: String
}

/// Throws unless the condition holds.
func expect(_ condition: Bool, _ rule: @autoclosure () -> String, line: UInt = #line) throws(ContractViolation) {
    if !condition { throw ContractViolation(description: "\(rule()) (contract line \(line))") }
}

func expectEqual<Value: Equatable>(
    _ got: Value,
    _ wanted: Value,
    _ what: String,
    line: UInt = #line
) throws(ContractViolation) {
    try expect(got == wanted, "\(what): got \(got), wanted \(wanted)", line: line)
}

/// One rule of a port, to be run on every implementation.
///
/// The subject is made by the test: for rules about restarts it makes several on the same data.
package struct ContractCase<Subject>: Sendable, CustomStringConvertible {
    package let description: String
    package let run: @Sendable (Subject) async throws -> Void

    init(_ description: String, _ run: @escaping @Sendable (Subject) async throws -> Void) {
        self.description = description
        self.run = run
    }
}
