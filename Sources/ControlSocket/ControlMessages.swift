import Domain

/// What the two ends say: a request and its answer, each one line of JSON. One request for each connection.
struct ControlRequest: Codable, Equatable {
    enum Operation: String, Codable { case list, processes, perform, execute }

    /// Both ends come from one installation, but a supervisor outlives an upgrade of the server.
    static let version = 1
    /// Longest request and answer in bytes, line feed included.
    static let limit = 256 << 10
    static let answerLimit = 8 << 20

    var version = Self.version
    var operation: Operation
    var sandbox: String?
    var actor: String?
    var action: SandboxAction?
    var command: InsideCommand?

    init(
        _ operation: Operation, sandbox: String? = nil, actor: String? = nil, action: SandboxAction? = nil,
        command: InsideCommand? = nil
    ) {
        self.operation = operation
        self.sandbox = sandbox
        self.actor = actor
        self.action = action
        self.command = command
    }
}

/// Exactly one of the optional members is set; none when something was done that has no result.
struct ControlAnswer: Codable, Equatable {
    struct Failure: Codable, Equatable {
        var code: String
        var message: String
    }

    var version = ControlRequest.version
    var failure: Failure?
    var sandboxes: [SandboxStatus]?
    var processes: [SandboxProcess]?
    var end: InsideCommand.End?

    init() {}

    init(_ error: CodeForgeError) { failure = Failure(code: error.code.description, message: error.message) }

    /// The answer without its failure, which is thrown.
    func checked() throws(CodeForgeError) -> ControlAnswer {
        guard let failure else { return self }
        throw CodeForgeError(.init(failure.code) ?? .internal, failure.message)
    }
}
