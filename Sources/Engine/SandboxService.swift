package import Domain

/// What operators may see of sandboxes and do to them.
package final class SandboxService: Sendable {
    package let trail: AuditTrail
    private let control: any SandboxControl

    package init(control: any SandboxControl, trail: AuditTrail) {
        self.control = control
        self.trail = trail
    }

    /// Every running sandbox, oldest first.
    package func running() async throws(CodeForgeError) -> [SandboxStatus] { try await control.sandboxes() }

    /// - Throws: `.notFound` when it does not run, or never did; see `SandboxControl.status(of:)`.
    package func status(of id: String) async throws(CodeForgeError) -> SandboxStatus {
        try SandboxService.check(id)
        return try await control.status(of: id)
    }

    /// - Throws: `.notFound` for a sandbox nobody knows, `.conflict` for one that has ended.
    package func processes(of id: String) async throws(CodeForgeError) -> [SandboxProcess] {
        try SandboxService.check(id)
        do throws(CodeForgeError) {
            return try await control.processes(of: id)
        } catch {
            throw await explain(error, id)
        }
    }

    /// - Parameter actor: See `SandboxControl.perform`.
    /// - Throws: As `processes(of:)`; `.unavailable` when the host cannot do it.
    package func perform(_ action: SandboxAction, on id: String, by actor: String) async throws(CodeForgeError) {
        try SandboxService.check(id)
        do throws(CodeForgeError) {
            try await control.perform(action, on: id, by: actor)
        } catch {
            throw await explain(error, id)
        }
    }

    /// Whether it runs, as far as anybody knows: a supervisor that does not answer may still have it.
    package func isRunning(_ id: String) async -> Bool {
        do throws(CodeForgeError) {
            _ = try await control.status(of: id)
            return true
        } catch {
            return error.code != .notFound
        }
    }

    /// - Throws: `.notFound` when there is neither a record of it nor does it run.
    package func checkKnown(_ id: String) async throws(CodeForgeError) {
        try SandboxService.check(id)
        if try await hasRecords(id) { return }
        _ = try await control.status(of: id)
    }

    private func hasRecords(_ id: String) async throws(CodeForgeError) -> Bool {
        try await !trail.entries(AuditQuery(.sandbox(id), limit: 1)).isEmpty
    }

    /// A sandbox that is on record but does not run has ended.
    private func explain(_ error: CodeForgeError, _ id: String) async -> CodeForgeError {
        guard error.code == .notFound, (try? await hasRecords(id)) == true else { return error }
        return CodeForgeError(.conflict, "sandbox \(id) is not running any more")
    }

    /// Nothing but the form of an id goes on to places where it may become part of a path.
    private static func check(_ id: String) throws(CodeForgeError) {
        let isForm =
            (1...64).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        guard isForm else { throw CodeForgeError(.notFound, "sandbox not found: this is no sandbox's id") }
    }
}
