import Domain

/// The body of `POST /workflows`. Unknown members are ignored; `null` is like absent.
struct CreateWorkflowRequest: Decodable {
    var workflow: Workflow

    private enum Key: String, CodingKey { case name, description, steps, parameters }

    private struct Step: Decodable {
        var name: String?
        var type: String?
        var config: JSONValue?
    }

    private struct Parameter: Decodable {
        var name: String?
        var required: Bool?
        var `default`: String?
    }

    init(from decoder: any Decoder) throws {
        let body = try decoder.container(keyedBy: Key.self)
        let steps = try body.decodeIfPresent([Step].self, forKey: .steps) ?? []
        let parameters = try body.decodeIfPresent([Parameter].self, forKey: .parameters) ?? []
        workflow = Workflow(
            name: try body.decodeIfPresent(String.self, forKey: .name) ?? "",
            description: try body.decodeIfPresent(String.self, forKey: .description) ?? "",
            steps: steps.map { step in
                WorkflowStep(name: step.name ?? "", type: step.type ?? "", config: step.config ?? .object([:]))
            },
            parameters: parameters.map { parameter in
                WorkflowParameter(
                    name: parameter.name ?? "", required: parameter.required ?? false,
                    default: parameter.default?.filled)
            }, createdAt: Timestamp(nanoseconds: 0))
    }
}

/// The body of `POST /workflows/{name}/run`; may be missing.
struct RunWorkflowRequest: Decodable {
    var params: [String: String]?
}
