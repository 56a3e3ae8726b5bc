import Domain

/// Workflows and runs as clients see them.
enum WorkflowView {
    /// - Parameter showsSecrets: Whether what an author wrote into the place of a secret is there as it is.
    static func write(_ workflow: Workflow, showsSecrets: Bool, to json: inout JSONWriter) {
        json.member("name", workflow.name)
        json.member("description", workflow.description)
        json.member("builtin", workflow.isBuiltIn)
        json.name("steps")
        json.beginArray()
        for step in workflow.steps {
            json.beginObject()
            json.member("name", step.name)
            json.member("type", step.type)
            json.name("config")
            json.value(showsSecrets ? step.config : masked(step.config))
            json.endObject()
        }
        json.endArray()
        json.name("parameters")
        json.beginArray()
        for parameter in workflow.parameters {
            json.beginObject()
            json.member("name", parameter.name)
            json.member("required", parameter.required)
            if let value = parameter.default?.filled {
                json.member("default", !showsSecrets && isSecret(parameter.name) ? TaskConfig.mask : value)
            }
            json.endObject()
        }
        json.endArray()
        json.member("created_at", workflow.createdAt)
    }

    /// The whole body that answers the start of a run.
    static func created(_ run: WorkflowRun) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("run_id", run.id)
        json.member("workflow_name", run.workflowName)
        json.member("status", run.status.rawValue)
        json.member("created_at", run.createdAt)
        json.endObject()
        return json.bytes + [UInt8(ascii: "\n")]
    }

    /// Everything but its steps.
    static func write(_ run: WorkflowRun, to json: inout JSONWriter) {
        json.member("id", run.id)
        json.member("workflow_name", run.workflowName)
        json.member("status", run.status.rawValue)
        let params = run.params.map { ($0.key, isSecret($0.key) && !$0.value.isEmpty ? TaskConfig.mask : $0.value) }
        json.member(ifAny: "params", Dictionary(params, uniquingKeysWith: { $1 }))
        json.member(ifAny: "error", run.error)
        json.member(ifAny: "trace_id", run.traceID)
        json.member("created_at", run.createdAt)
        json.member(ifAny: "started_at", run.startedAt)
        json.member(ifAny: "finished_at", run.finishedAt)
    }

    static func write(_ step: RunStep, to json: inout JSONWriter) {
        json.member("run_id", step.runID)
        json.member("step_name", step.name)
        json.member("step_type", step.type)
        json.member("status", step.status.rawValue)
        json.member(ifAny: "result", step.result)
        json.member(ifAny: "task_id", step.taskID)
        json.member(ifAny: "error", step.error)
        json.member("started_at", step.startedAt)
        json.member(ifAny: "finished_at", step.finishedAt)
    }

    // MARK: Secrets

    private static let secretNames = ["token", "api_key", "apikey", "secret", "password", "authorization"]

    /// Whether a parameter, header or member of that name holds a secret; names of registered keys are none.
    static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return secretNames.contains { name.hasSuffix($0) }
    }

    /// A step's config without the secrets that are written out in it. What a template puts there is a parameter's.
    private static func masked(_ config: JSONValue) -> JSONValue {
        guard case .object(var members) = config else { return config }
        for (name, value) in members {
            switch name {
            case "mcp_servers", "tools":
                members[name] = .array((value.arrayValue ?? []).map(maskedValues))
            case "headers": members[name] = maskedSecrets(value)
            default: if isSecret(name) { members[name] = maskedText(value) }
            }
        }
        return .object(members)
    }

    /// The environment, headers and configuration of a server or tool.
    private static func maskedValues(_ entry: JSONValue) -> JSONValue {
        guard case .object(var members) = entry else { return entry }
        for name in ["env", "headers", "config"] {
            guard case .object(let values)? = members[name] else { continue }
            members[name] = .object(values.mapValues(maskedText))
        }
        return .object(members)
    }

    private static func maskedSecrets(_ headers: JSONValue) -> JSONValue {
        guard case .object(var members) = headers else { return headers }
        for (name, value) in members where isSecret(name) || name.lowercased().hasSuffix("key") {
            members[name] = maskedText(value)
        }
        return .object(members)
    }

    private static func maskedText(_ value: JSONValue) -> JSONValue {
        guard let text = value.stringValue, !text.isEmpty else { return value }
        // A template alone, not one with a secret beside it.
        return text.hasPrefix("{{") && text.hasSuffix("}}") ? value : .string(TaskConfig.mask)
    }
}
