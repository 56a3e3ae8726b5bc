/// A chain of steps that runs as one: what is fetched, which tasks run on it, and what is done with their outcome.
public struct Workflow: Sendable, Hashable, Codable {
    /// See `NameRule`.
    public var name: String
    public var description: String
    /// It comes with CodeForge, and cannot be deleted.
    public var isBuiltIn: Bool
    /// Run one after the other.
    public var steps: [WorkflowStep]
    public var parameters: [WorkflowParameter]
    public var createdAt: Timestamp

    public init(
        name: String, description: String = "", isBuiltIn: Bool = false, steps: [WorkflowStep] = [],
        parameters: [WorkflowParameter] = [], createdAt: Timestamp
    ) {
        self.name = name
        self.description = description
        self.isBuiltIn = isBuiltIn
        self.steps = steps
        self.parameters = parameters
        self.createdAt = createdAt
    }
}

/// One step as its author wrote it.
public struct WorkflowStep: Sendable, Hashable, Codable {
    /// The types there are. A definition keeps the text, so that one of a later version can still be shown.
    public enum Kind: String, Sendable, CaseIterable { case fetch, task, action }

    public var name: String
    public var type: String
    /// An object; its members depend on the type.
    public var config: JSONValue

    public init(name: String, type: String, config: JSONValue) {
        self.name = name
        self.type = type
        self.config = config
    }

    /// `nil` for a type that does not exist.
    public var kind: Kind? { Kind(rawValue: type) }
}

/// What a client may or must say when it starts a run.
public struct WorkflowParameter: Sendable, Hashable, Codable {
    public var name: String
    public var required: Bool
    /// Stands in when the client says nothing.
    public var `default`: String?

    public init(name: String, required: Bool = false, default: String? = nil) {
        self.name = name
        self.required = required
        self.default = `default`
    }
}
