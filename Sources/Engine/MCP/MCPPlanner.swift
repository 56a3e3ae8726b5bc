package import Domain

/// Works out the MCP servers of a run. What can't be had is left out and said so; the run goes on.
package struct MCPPlanner: Sendable {
    private let servers: any MCPServerStore
    private let tools: any ToolStore

    package init(servers: any MCPServerStore, tools: any ToolStore) {
        self.servers = servers
        self.tools = tools
    }

    /// Registered servers, then the task's own, then those of its tools; a later one takes the place of an earlier one
    /// of the same name.
    package func plan(_ config: TaskConfig?, _ secrets: TaskSecrets) async -> MCPPlan {
        var plan = MCPPlan()
        do throws(CodeForgeError) {
            for registered in try await servers.servers() { plan.add(registered.server) }
        } catch {
            plan.omissions.append(.init(name: "", reason: "the registered servers can't be read: \(error.message)"))
        }
        if let config, config.holdsSecrets, secrets.mcpServers == nil, secrets.tools == nil {
            plan.omissions.append(
                .init(name: "", reason: "the task's servers and tools: their values are no longer kept"))
            return plan
        }
        for server in secrets.mcpServers ?? config?.mcpServers ?? [] { plan.add(server) }
        await addTools(secrets.tools ?? config?.tools ?? [], to: &plan)
        return plan
    }

    /// One tool that is unknown or wrongly configured takes all others with it, as the API has it.
    private func addTools(_ requests: [ToolRequest], to plan: inout MCPPlan) async {
        var resolved: [MCPServer] = []
        for request in requests {
            let name = request.name ?? ""
            do throws(CodeForgeError) {
                // What a client registered can't have the name of one that comes with CodeForge.
                guard let tool = try await tools.tool(name) ?? ToolCatalog.tool(named: name) else {
                    throw CodeForgeError(.notFound, "unknown tool")
                }
                let values = request.config ?? [:]
                try ToolRules.check(values, for: tool.tool)
                resolved.append(ToolRules.server(tool.tool, values))
            } catch {
                plan.omissions.append(.init(name: name, reason: "all tools are left out: \(error.message)"))
                return
            }
        }
        for server in resolved {
            guard server.effectiveTransport == "http" || server.package?.isEmpty == false else {
                plan.omissions.append(.init(name: server.name ?? "", transport: "stdio", reason: "no package"))
                continue
            }
            plan.add(server)
        }
    }
}

extension MCPPlan {
    /// Adds a server as it is to be started or reached.
    fileprivate mutating func add(_ server: MCPServer) {
        let name = server.name ?? ""
        let transport = server.effectiveTransport
        guard !name.isEmpty else {
            omissions.append(.init(name: "", transport: transport, reason: "no name"))
            return
        }
        let launch: Server.Launch
        switch transport {
        case "http":
            guard let url = server.url, !url.isEmpty else {
                omissions.append(.init(name: name, transport: transport, reason: "no url"))
                return
            }
            launch = .http(url: url, headers: server.headers ?? [:])
        case "stdio":
            let command = server.command?.filled ?? "npx"
            let package = server.package.flatMap { $0.isEmpty ? nil : [$0] } ?? []
            let prefix: [String]
            switch command {
            case "npx": prefix = ["-y"]
            case "docker": prefix = ["run", "-i", "--rm"]
            default: prefix = []
            }
            launch = .stdio(
                command: command, arguments: prefix + package + (server.args ?? []), environment: server.env ?? [:])
        default:
            omissions.append(.init(name: name, reason: "transport must be 'stdio' or 'http'"))
            return
        }
        servers.removeAll { $0.name == name }
        servers.append(Server(name: name, launch: launch))
    }
}

/// What a tool wants to be told, and what becomes of it.
enum ToolRules {
    /// - Throws: `.invalidArgument` for the first field that is missing or not of its type; the value is not repeated.
    static func check(_ values: [String: String], for tool: Tool) throws(CodeForgeError) {
        for field in tool.requiredConfig {
            guard let value = values[field.name], !value.isEmpty else {
                throw CodeForgeError(.invalidArgument, "\(field.name) is required")
            }
            try check(value, field)
        }
        for field in tool.optionalConfig {
            if let value = values[field.name], !value.isEmpty { try check(value, field) }
        }
    }

    private static func check(_ value: String, _ field: ToolField) throws(CodeForgeError) {
        let fits: Bool
        switch field.type {
        case "url": fits = isURL(value)
        case "int": fits = Int(value) != nil
        case "bool": fits = ["true", "false", "1", "0"].contains(value.lowercased())
        default: fits = true
        }
        guard fits else { throw CodeForgeError(.invalidArgument, "\(field.name) is no \(field.type)") }
    }

    /// Scheme and host.
    private static func isURL(_ value: String) -> Bool {
        guard URLRule.accepts(value), let range = value.firstRange(of: "://") else { return false }
        let authority = value[range.upperBound...].prefix { !"/?#".contains($0) }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        return !host.prefix { $0 != ":" }.isEmpty
    }

    /// The server a tool becomes: values go into its environment, or its headers.
    static func server(_ tool: Tool, _ values: [String: String]) -> MCPServer {
        var variables: [String: String] = [:]
        for field in tool.requiredConfig + tool.optionalConfig where !field.variable.isEmpty {
            if let value = values[field.name], !value.isEmpty { variables[field.variable] = value }
        }
        return MCPServer(
            name: tool.name, transport: tool.transport, package: tool.package, command: tool.command, args: tool.args,
            env: variables, url: tool.url, headers: variables)
    }
}
