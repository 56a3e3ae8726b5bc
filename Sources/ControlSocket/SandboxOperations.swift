package import Domain

/// A command for the inside of a running sandbox.
package struct InsideCommand: Sendable, Codable, Hashable {
    /// A name without `/` is looked up in `PATH`.
    package var arguments: [String]
    /// Added to what the supervisor sets (`PATH`, `HOME`, `LANG`).
    package var environment: [String: String]
    /// Absolute path inside; `nil`: where the sandbox's own command began.
    package var workingDirectory: String?

    package init(arguments: [String], environment: [String: String] = [:], workingDirectory: String? = nil) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
    }

    /// How it ended.
    package enum End: Sendable, Codable, Hashable {
        /// 0…255.
        case exited(code: Int32)
        case signalled(Int32)
        /// Killed with the sandbox.
        case killed

        /// What a shell would call it: the code, 128 + signal, or 137 when killed.
        package var shellCode: Int32 {
            switch self {
            case .exited(let code): code
            case .signalled(let signal): 128 + signal
            case .killed: 137
            }
        }
    }
}

/// Everything an operator of this host can do to running sandboxes.
package protocol SandboxOperations: SandboxControl {
    /// Runs a command inside, under every restriction of the sandbox, and waits for its end. Audited. Cancelling kills
    /// the command.
    ///
    /// - Parameters:
    ///   - actor: As for `perform(_:on:by:)`.
    ///   - input, output, errors: Its standard input and output, borrowed until this returns.
    /// - Throws: As `status(of:)`; `.invalidArgument` and `.notFound` for a command that cannot be started.
    func execute(
        _ command: InsideCommand, in id: String, by actor: String, input: Int32, output: Int32, errors: Int32
    ) async throws(CodeForgeError) -> InsideCommand.End
}
