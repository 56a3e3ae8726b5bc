package import Domain

/// What is generated from the table of profile keys and the built-in profiles.
package enum ProfileReference {
    /// The table of `docs/security/profiles.md`.
    package static var table: String {
        let names = SandboxProfile.builtIn.map { "`\($0.name)`" }.joined(separator: " | ")
        var out = "| Key | Meaning | Enforced by | \(names) |\n|---|---|---|"
        out += String(repeating: "---|", count: SandboxProfile.builtIn.count) + "\n"
        for key in ProfileKey.all {
            let values = SandboxProfile.builtIn.map { "\(key.cell(in: $0))" }.joined(separator: " | ")
            out += "| `\(key.name)` | \(key.summary) Takes \(key.allowed). | \(key.layer) | \(values) |\n"
        }
        return out
    }

    /// `Sources/Domain/Sandbox/BuiltInProfiles.swift`, from the profiles as their files have them.
    package static func swift(_ profiles: [SandboxProfile]) -> String {
        """
        // Generated from sandbox/profiles/*.yaml by `UPDATE_GENERATED=1 swift test --filter builtInProfilesAreTheFiles`.

        // swift-format-ignore-file

        extension SandboxProfile {
        \(profiles.map(swift).joined(separator: "\n\n"))
        }

        """
    }

    private static func swift(_ profile: SandboxProfile) -> String {
        let limits = profile.limits
        let gateway = profile.gatewayLimits
        func cases(_ words: [String]) -> String { "[" + words.map { ".\($0)" }.joined(separator: ", ") + "]" }
        func quoted(_ texts: [String]) -> String {
            "[" + texts.map(RawSetting.quoted).joined(separator: ", ") + "]"
        }
        let mounts = profile.mounts.map {
            "Mount(source: \(RawSetting.quoted($0.source)), target: \(RawSetting.quoted($0.target)))"
        }
        let lines = [
            "var limits = Limits(",
            "    memoryBytes: \(limits.memoryBytes), processes: \(limits.processes), cpus: \(limits.cpus),",
            "    overlayBytes: \(limits.overlayBytes), temporaryBytes: \(limits.temporaryBytes),",
            "    sharedMemoryBytes: \(limits.sharedMemoryBytes), homeBytes: \(limits.homeBytes),",
            "    openFiles: \(limits.openFiles), fileSizeBytes: \(limits.fileSizeBytes),",
            "    lockedMemoryBytes: \(limits.lockedMemoryBytes))",
            "limits.cpuWeight = \(limits.cpuWeight)",
            "limits.diskBytes = \(limits.diskBytes)",
            "limits.diskInodes = \(limits.diskInodes)",
            "limits.temporaryInodes = \(limits.temporaryInodes)",
            "limits.timeoutSeconds = \(limits.timeoutSeconds)",
            "limits.outputBytes = \(limits.outputBytes)",
            "var profile = SandboxProfile(",
            "    name: \(RawSetting.quoted(profile.name)), workspace: .\(profile.workspace), limits: limits,",
            "    syscalls: \(cases(SyscallGroup.allCases.filter(profile.syscalls.contains).map { "\($0)" })),",
            "    gatewayRoutes: \(quoted(profile.gatewayRoutes.sorted())),",
            "    required: \(cases(SandboxLayer.allCases.filter(profile.required.contains).map { "\($0)" })))",
            "profile.watchdogs.firstLine = \(profile.watchdogs.firstLine)",
            "profile.watchdogs.silence = \(profile.watchdogs.silence)",
            "profile.landlock = Landlock(ports: .\(profile.landlock.ports), scoped: \(profile.landlock.scoped))",
            "profile.mounts = [\(mounts.joined(separator: ", "))]",
            "profile.egress = \(quoted(profile.egress))",
            "profile.modelTools = .\(profile.modelTools)",
            "profile.gatewayLimits.connections = \(gateway.connections)",
            "profile.gatewayLimits.connectionsPerSecond = \(gateway.connectionsPerSecond)",
            "profile.gatewayLimits.requestsPerMinute = \(gateway.requestsPerMinute)",
            "profile.gatewayLimits.requests = \(gateway.requests)",
            "profile.gatewayLimits.requestBytes = \(gateway.requestBytes)",
            "profile.gatewayLimits.responseBytes = \(gateway.responseBytes)",
            "profile.gatewayLimits.tokens = \(gateway.tokens)",
            "profile.mcp = .\(profile.mcp)",
            "profile.agentConfiguration = .\(profile.agentConfiguration)",
            "profile.instructions = .\(profile.instructions)",
            "return profile",
        ]
        return "    /// As `sandbox/profiles/\(profile.name).yaml` has it.\n"
            + "    public static let \(profile.name): SandboxProfile = {\n"
            + lines.map { "        \($0)" }.joined(separator: "\n") + "\n    }()"
    }
}

extension ProfileKey {
    fileprivate func cell(in profile: SandboxProfile) -> String {
        switch slot {
        case .words(let words):
            let chosen = words.get(profile)
            let missing = words.allowed.filter { !chosen.contains($0) }
            if missing.isEmpty { return "all" }
            if missing.count < chosen.count { return "all but " + missing.joined(separator: ", ") }
            return words.allowed.filter(chosen.contains).joined(separator: ", ")
        default:
            let text = yaml(in: profile)
            return text == "[]" ? "–" : text
        }
    }
}
