/// An MCP server as a client describes it: registered for all tasks, or brought along by one.
public struct MCPServer: Sendable, Hashable, Codable {
    public var name: String?
    /// `stdio`, which absent and empty mean too, or `http`.
    public var transport: String?
    public var package: String?
    public var command: String?
    public var args: [String]?
    /// Of a server that runs inside the sandbox. Values may be secrets.
    public var env: [String: String]?
    public var url: String?
    /// Of a server behind HTTP; the gateway adds them. Values may be secrets.
    public var headers: [String: String]?

    public init(
        name: String?, transport: String? = nil, package: String? = nil, command: String? = nil, args: [String]? = nil,
        env: [String: String]? = nil, url: String? = nil, headers: [String: String]? = nil
    ) {
        self.name = name
        self.transport = transport
        self.package = package
        self.command = command
        self.args = args
        self.env = env
        self.url = url
        self.headers = headers
    }

    /// How it is reached: the default filled in.
    public var effectiveTransport: String { transport?.filled ?? "stdio" }
}

/// A server that is there for every task.
public struct RegisteredMCPServer: Sendable, Hashable {
    public var server: MCPServer
    public var createdAt: Timestamp

    public init(server: MCPServer, createdAt: Timestamp) {
        self.server = server
        self.createdAt = createdAt
    }
}

/// Never shows what it may hold.
extension MCPServer: CustomStringConvertible, CustomReflectable {
    public var description: String { "MCPServer(\(name ?? ""), \(effectiveTransport))" }
    public var customMirror: Mirror { Mirror(self, children: ["name": name ?? ""]) }
}
