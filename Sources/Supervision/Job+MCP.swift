import Agents
import Domain
import Gateway
import Glibc
import HostProcess
import Sandboxing
import Workspaces

/// The MCP servers a CLI is told of: `.mcp.json` in its work tree, and endpoints of its gateway.
///
/// The file is no part of the work tree: it lies over it, read-only, in the agent's sandbox alone. So it is no change
/// of the repository's, can't be committed, and the file that may be there is as it was.
struct MCPSetup: Sendable {
    /// Inside the sandbox; `nil`: the CLI is told of no file.
    var configPath: String?
    /// Whether the CLI leaves servers alone that the repository names elsewhere.
    var onlyThoseServers = false
    var endpoints: [String: GatewayPolicy.MCPServer] = [:]
    var servers: [MCPPlan.Server] = []
    var omissions: [MCPPlan.Omission] = []
    /// Of the file on the host, while it is there.
    fileprivate var file: String?
    fileprivate var place: WorkspacePlace?

    static let fileName = ".mcp.json"

    /// The generated file, for the agent's sandbox.
    var bind: SandboxRequest.Bind? {
        file.map { SandboxRequest.Bind(source: $0, target: GitScript.workTree + "/" + MCPSetup.fileName) }
    }

    /// What is not left in the state directory: the environment of servers may be secret. Mounts keep it.
    func forget() { if let file { unlink(file) } }

    /// Leaves neither the file nor the place it lay on. Repeatable.
    func clear() {
        forget()
        place?.clear()
    }
}

extension Job {
    /// Never fails: what can't be had is an omission.
    func prepareMCP(for adapter: any AgentAdapter, _ profile: SandboxProfile) -> MCPSetup {
        var setup = MCPSetup()
        guard adapter.readsMCPConfiguration else { return setup }
        setup.onlyThoseServers = profile.mcp != .all
        setup.omissions = spec.mcp.omissions
        for server in spec.mcp.servers {
            do throws(CodeForgeError) {
                if let endpoint = try admit(server, profile) { setup.endpoints[server.name] = endpoint }
                setup.servers.append(server)
            } catch {
                setup.omissions.append(
                    .init(name: server.name, transport: server.transport, reason: error.message))
            }
        }
        let place = WorkspacePlace(MCPSetup.fileName, in: spec.paths.workspace)
        place.clear()  // of a run that was killed
        if setup.servers.isEmpty {
            if profile.agentConfiguration == .repository, profile.mcp == .all, place.content() == .file {
                setup.configPath = GitScript.workTree + "/" + MCPSetup.fileName
            }
            return setup
        }
        do throws(CodeForgeError) {
            setup.place = place
            try place.make()
            let file = spec.paths.state + "/mcp.json"
            try write(configuration(setup.servers), to: file)
            setup.file = file
            setup.configPath = GitScript.workTree + "/" + MCPSetup.fileName
        } catch {
            setup.clear()
            setup.omissions += setup.servers.map {
                .init(name: $0.name, transport: $0.transport, reason: error.message)
            }
            (setup.servers, setup.endpoints, setup.place) = ([], [:], nil)
        }
        return setup
    }

    /// - Returns: What the gateway serves for it; `nil` for one that runs inside.
    /// - Throws: `.forbidden` when the profile is against it, `.invalidArgument` for one the gateway could not serve.
    private func admit(
        _ server: MCPPlan.Server, _ profile: SandboxProfile
    ) throws(CodeForgeError) -> GatewayPolicy.MCPServer? {
        guard profile.mcp != .none else {
            throw CodeForgeError(.forbidden, "profile \(profile.name) has no MCP servers (mcp: none)")
        }
        switch server.launch {
        case .http(let url, let headers):
            let endpoint = GatewayPolicy.MCPServer(
                url: url,
                headers: HeaderList(
                    headers.sorted { $0.key < $1.key }.map { HeaderList.Field($0.key, $0.value) }))
            try endpoint.check(name: server.name)
            return endpoint
        case .stdio(let command, _, let environment):
            guard profile.mcp == .all else {
                throw CodeForgeError(
                    .forbidden,
                    "profile \(profile.name) has no MCP servers that run inside (mcp: http)"
                        + (environment.isEmpty ? "" : "; this one would bring values of its own"))
            }
            guard mayHave(command, profile) else {
                throw CodeForgeError(.notFound, "the image has no program \(command)")
            }
            return nil
        }
    }

    /// Whether a program may be found inside: by a path, or as a name in the image's directories for programs. A CLI
    /// would leave out one that can't be started without a word.
    private func mayHave(_ command: String, _ profile: SandboxProfile) -> Bool {
        // What a profile shows there is not looked through.
        guard !command.contains("/"), !profile.mounts.contains(where: { $0.target.hasPrefix("/usr/") }) else {
            return true
        }
        // A link counts: where an absolute one leads is a matter of the image, not of this host.
        return ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin"].contains { folder in
            var status = stat()
            return lstat("\(spec.paths.image)/\(folder)/\(command)", &status) == 0
        }
    }

    /// Tells of what was left out; for the audit also of what was not.
    func recordMCP(_ setup: MCPSetup, sandbox: String) {
        func short(_ text: String) -> JSONValue { .string(SafeText.start(of: text.utf8, limit: 300)) }
        for server in setup.servers {
            audit.record(
                .mcp, SafeText.start(of: server.name.utf8, limit: 64), .allowed, sandbox: sandbox,
                detail: ["transport": .string(server.transport)])
        }
        for omission in setup.omissions {
            var detail: [String: JSONValue] = ["reason": short(omission.reason)]
            if let transport = omission.transport { detail["transport"] = short(transport) }
            audit.record(
                .mcp, SafeText.start(of: omission.name.utf8, limit: 64), .refused, sandbox: sandbox,
                detail: .object(detail))
            detail["name"] = short(omission.name)
            emit(.system, "mcp_server_refused", .object(detail))
        }
    }

    /// Claude Code's form. Servers behind HTTP are the gateway's endpoints: neither their URL nor their headers go in.
    private func configuration(_ servers: [MCPPlan.Server]) -> [UInt8] {
        var entries: [String: JSONValue] = [:]
        for server in servers {
            switch server.launch {
            case .http:
                entries[server.name] = [
                    "type": "http", "url": .string(SandboxRunner.gatewayURL + "/mcp/" + server.name),
                ]
            case .stdio(let command, let arguments, let environment):
                var entry: [String: JSONValue] = [
                    "command": .string(command), "args": .array(arguments.map { .string($0) }),
                ]
                if !environment.isEmpty { entry["env"] = .object(environment.mapValues { .string($0) }) }
                entries[server.name] = .object(entry)
            }
        }
        var json = JSONWriter()
        json.value(["mcpServers": .object(entries)])
        return json.bytes + [UInt8(ascii: "\n")]
    }

    /// Readable for everybody, in a directory that is not: whoever runs inside is somebody else.
    private func write(_ bytes: [UInt8], to path: String) throws(CodeForgeError) {
        unlink(path)
        let file = HostDescriptor(open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600))
        guard file.raw >= 0, HostDescriptor.writeAll(bytes[...], to: file.raw), fchmod(file.raw, 0o644) == 0 else {
            throw CodeForgeError(.unavailable, "cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }
}
