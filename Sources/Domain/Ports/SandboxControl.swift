/// What an operator can do to a running sandbox.
public enum SandboxAction: String, Sendable, Codable, CaseIterable {
    /// Ends everything in it; its run fails.
    case kill
    /// Stops every process in it until `resume` (control group freezer); its timeouts go on.
    case pause
    case resume
}

/// Looks into running sandboxes through their supervisors.
public protocol SandboxControl: Sendable {
    /// Every running sandbox, oldest first. A supervisor that does not answer in about a second is left out.
    func sandboxes() async throws(CodeForgeError) -> [SandboxStatus]

    /// - Throws: `.notFound` when no running sandbox has that id; `.unavailable` when its supervisor does not answer.
    func status(of id: String) async throws(CodeForgeError) -> SandboxStatus

    /// Processes inside, parents before their children.
    ///
    /// - Throws: as `status(of:)`.
    func processes(of id: String) async throws(CodeForgeError) -> [SandboxProcess]

    /// Done when it returns, and audited.
    ///
    /// - Parameter actor: Who asks, for the audit: a token's name or `local user <uid>`.
    /// - Throws: as `status(of:)`; `.unavailable` when the host cannot do it (no freezer).
    func perform(_ action: SandboxAction, on id: String, by actor: String) async throws(CodeForgeError)
}
