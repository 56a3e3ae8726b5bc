extension SandboxProfile {
    /// As clients and the record see it: the members of a profile's file, sizes in bytes, sets in order, and the name.
    public var json: JSONValue {
        [
            "name": .string(name), "workspace": .string(workspace.rawValue), "limits": limits.json,
            "watchdogs": ["first_line": .int(Int64(watchdogs.firstLine)), "silence": .int(Int64(watchdogs.silence))],
            "seccomp": ["groups": .strings(syscalls.map(\.rawValue))],
            "landlock": ["ports": .string(landlock.ports.rawValue), "scoped": .bool(landlock.scoped)],
            "mounts": .array(mounts.map { ["source": .string($0.source), "target": .string($0.target)] }),
            "gateway": gatewayLimits.json(routes: gatewayRoutes, egress: egress, modelTools: modelTools),
            "mcp": .string(mcp.rawValue),
            "agent_configuration": .string(agentConfiguration.rawValue),
            "instructions": .string(instructions.rawValue), "required_layers": .strings(required.map(\.rawValue)),
        ]
    }
}

extension SandboxProfile.Limits {
    fileprivate var json: JSONValue {
        [
            "memory_bytes": .int(memoryBytes), "pids": .int(Int64(processes)), "cpus": .double(cpus),
            "cpu_weight": .int(Int64(cpuWeight)), "disk_bytes": .int(diskBytes), "disk_inodes": .int(diskInodes),
            "overlay_bytes": .int(overlayBytes), "tmp_bytes": .int(temporaryBytes),
            "shm_bytes": .int(sharedMemoryBytes), "home_bytes": .int(homeBytes),
            "tmpfs_inodes": .int(temporaryInodes), "open_files": .int(Int64(openFiles)),
            "file_bytes": .int(fileSizeBytes), "locked_memory_bytes": .int(lockedMemoryBytes),
            "timeout": .int(Int64(timeoutSeconds)), "output": .int(outputBytes),
        ]
    }
}

extension SandboxProfile.GatewayLimits {
    fileprivate func json(
        routes: Set<String>, egress: [String], modelTools: SandboxProfile.ModelTools
    ) -> JSONValue {
        [
            "routes": .strings(Array(routes)), "egress": .array(egress.map { .string($0) }),
            "model_tools": .string(modelTools.rawValue), "connections": .int(Int64(connections)),
            "connections_per_second": .int(Int64(connectionsPerSecond)),
            "requests_per_minute": .int(Int64(requestsPerMinute)),
            "requests": .int(Int64(requests)), "request_bytes": .int(requestBytes),
            "response_bytes": .int(responseBytes), "tokens": .int(Int64(tokens)),
        ]
    }
}

extension JSONValue {
    /// In alphabetical order.
    fileprivate static func strings(_ texts: [String]) -> JSONValue { .array(texts.sorted().map { .string($0) }) }
}
