/// The MCP servers of one run, worked out before its supervisor starts.
public struct MCPPlan: Sendable, Codable, Equatable {
    /// A server that can be started or reached.
    public struct Server: Sendable, Codable, Equatable {
        public enum Launch: Sendable, Codable, Equatable {
            /// Runs inside the sandbox. Its environment goes in with it.
            case stdio(command: String, arguments: [String], environment: [String: String])
            /// Is reached through the gateway, which adds the headers outside.
            case http(url: String, headers: [String: String])
        }

        public var name: String
        public var launch: Launch

        public init(name: String, launch: Launch) {
            self.name = name
            self.launch = launch
        }

        public var transport: String {
            switch launch {
            case .stdio: "stdio"
            case .http: "http"
            }
        }
    }

    /// Something that was asked for and is left out.
    public struct Omission: Sendable, Codable, Equatable {
        /// Of the server or tool; empty when it is about all of them.
        public var name: String
        public var transport: String?
        /// For people; without any value that was given.
        public var reason: String

        public init(name: String, transport: String? = nil, reason: String) {
            self.name = name
            self.transport = transport
            self.reason = reason
        }
    }

    /// Each name once.
    public var servers: [Server]
    public var omissions: [Omission]

    public init(servers: [Server] = [], omissions: [Omission] = []) {
        self.servers = servers
        self.omissions = omissions
    }

    /// Secrets that stay outside: header values.
    public var secrets: [String] {
        servers.flatMap { server -> [String] in
            guard case .http(_, let headers) = server.launch else { return [] }
            return Array(headers.values)
        }
    }
}

extension MCPPlan.Server.Launch: CustomStringConvertible {
    /// Never shows environment, headers or URL.
    public var description: String {
        switch self {
        case .stdio(let command, _, _): "stdio(\(command))"
        case .http: "http"
        }
    }
}
