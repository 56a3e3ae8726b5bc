import Domain

/// Sandboxes, their processes and their audit as clients see them.
enum SandboxView {
    /// One running sandbox, between the braces.
    ///
    /// - Parameter whole: With the profile as it is enforced, and the layers that are missing.
    static func write(_ status: SandboxStatus, now: Timestamp, whole: Bool, to json: inout JSONWriter) {
        json.member("id", status.id)
        json.member("task_id", status.taskID)
        json.member("iteration", status.iteration)
        json.member("phase", status.phase)
        json.member("state", status.state.rawValue)
        json.member("profile", status.profile.name)
        json.member("image", status.image)
        json.member("pid", Int(status.pid))
        json.member("started_at", status.startedAt)
        json.member("uptime_seconds", max(0, now.seconds(since: status.startedAt)))
        json.name("layers")
        json.beginArray()
        for layer in status.layers { json.string(layer.rawValue) }
        json.endArray()
        json.name("usage")
        write(status.usage, to: &json)
        guard whole else { return }
        write(missing: status.missing, to: &json)
        json.name("effective_profile")
        json.value(status.profile.json)
    }

    static func write(missing layers: [LayerStatus], to json: inout JSONWriter) {
        json.name("missing_layers")
        json.beginArray()
        for layer in layers {
            json.beginObject()
            json.member("layer", layer.layer.rawValue)
            json.member("detail", layer.detail)
            json.member(ifAny: "remedy", layer.remedy)
            json.endObject()
        }
        json.endArray()
    }

    private static func write(_ usage: SandboxStatus.Usage, to json: inout JSONWriter) {
        json.beginObject()
        json.member("cpu_seconds", usage.cpuSeconds)
        if let limit = usage.cpuLimit { json.member("cpu_limit", limit) }
        gauge("memory", usage.memory, .bytes, to: &json)
        gauge("processes", usage.processes, .count, to: &json)
        gauge("disk", usage.disk, .bytes, to: &json)
        gauge("inodes", usage.inodes, .count, to: &json)
        json.member(present: "read_bytes", usage.readBytes)
        json.member(present: "written_bytes", usage.writtenBytes)
        gauge("output", usage.output, .bytes, to: &json)
        gauge("gateway_out", usage.gatewayOut, .bytes, to: &json)
        gauge("gateway_in", usage.gatewayIn, .bytes, to: &json)
        gauge("gateway_requests", usage.gatewayRequests, .count, to: &json)
        gauge("gateway_tokens", usage.gatewayTokens, .count, to: &json)
        json.member(present: "refused_syscalls", usage.refusedCalls)
        json.endObject()
    }

    private enum Unit { case bytes, count }

    /// What the host does not tell is left out; a gauge of which it tells nothing is left out whole.
    private static func gauge(
        _ name: StaticString, _ gauge: SandboxStatus.Gauge, _ unit: Unit, to json: inout JSONWriter
    ) {
        guard gauge != SandboxStatus.Gauge() else { return }
        json.name(name)
        json.beginObject()
        switch unit {
        case .bytes:
            json.member(present: "now_bytes", gauge.now)
            json.member(present: "peak_bytes", gauge.peak)
            json.member(present: "limit_bytes", gauge.limit)
        case .count:
            json.member(present: "now", gauge.now)
            json.member(present: "peak", gauge.peak)
            json.member(present: "limit", gauge.limit)
        }
        json.endObject()
    }

    // MARK: Processes

    /// Processes as trees: those whose parent is outside are the roots.
    static func write(_ processes: [SandboxProcess], to json: inout JSONWriter) {
        let known = Set(processes.map(\.pid))
        // A process that names itself as its parent, or a ring of them, hangs below no root: never walked.
        let children = Dictionary(grouping: processes, by: \.parent)
        json.beginArray()
        for root in processes where !known.contains(root.parent) { write(root, children, depth: 0, to: &json) }
        json.endArray()
    }

    /// A chain this deep is cut: each level takes stack here and in the client.
    private static let deepest = 128

    private static func write(
        _ process: SandboxProcess, _ children: [Int32: [SandboxProcess]], depth: Int, to json: inout JSONWriter
    ) {
        json.beginObject()
        json.member("pid", Int(process.pid))
        json.member("parent_pid", Int(process.parent))
        if let inner = process.innerPID { json.member("inner_pid", Int(inner)) }
        json.member("state", process.state)
        json.name("argv")
        json.beginArray()
        for argument in process.arguments { json.string(argument) }
        json.endArray()
        json.member("cpu_seconds", process.cpuSeconds)
        json.member("resident_bytes", Int(process.residentBytes))
        json.member("threads", process.threads)
        if depth < deepest, let below = children[process.pid], !below.isEmpty {
            json.name("children")
            json.beginArray()
            for child in below { write(child, children, depth: depth + 1, to: &json) }
            json.endArray()
        }
        json.endObject()
    }

    // MARK: Audit

    static func write(_ entry: AuditEntry, to json: inout JSONWriter) {
        let record = entry.record
        json.beginObject()
        json.member("id", String(entry.id))
        json.member("time", record.time)
        json.member("sandbox", record.sandbox)
        json.member("task_id", entry.run.taskID)
        json.member("iteration", entry.run.iteration)
        json.member("attempt", entry.run.attempt)
        json.member("number", record.number)
        json.member("kind", record.kind.rawValue)
        json.member("name", record.name)
        json.member("verdict", record.verdict.rawValue)
        if record.detail != .null {
            json.name("detail")
            json.value(record.detail)
        }
        json.member(ifAny: "suppressed", record.suppressed)
        json.endObject()
    }

    static func bytes(_ entry: AuditEntry) -> [UInt8] {
        var json = JSONWriter()
        write(entry, to: &json)
        return json.bytes
    }
}

extension JSONWriter {
    /// A member only when the value is known; 0 is a value.
    fileprivate mutating func member(present name: StaticString, _ value: Int64?) {
        guard let value else { return }
        self.name(name)
        integer(value)
    }
}
