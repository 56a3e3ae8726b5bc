/// Something a task asks for by name, with what it needs to know; becomes an MCP server.
public struct Tool: Sendable, Hashable, Codable {
    /// Values of `type`.
    public static let types = ["mcp", "builtin", "custom"]

    public var name: String
    public var type: String
    public var description: String
    public var version: String
    /// `stdio`, which empty means too, or `http`.
    public var transport: String
    public var url: String
    public var package: String
    public var command: String
    public var args: [String]
    public var requiredConfig: [ToolField]
    public var optionalConfig: [ToolField]
    public var capabilities: [String]

    public init(
        name: String, type: String = "mcp", description: String = "", transport: String = "stdio", url: String = "",
        package: String = "", command: String = "", requiredConfig: [ToolField] = [],
        optionalConfig: [ToolField] = [], capabilities: [String] = []
    ) {
        self.name = name
        self.type = type
        self.description = description
        version = ""
        self.transport = transport
        self.url = url
        self.package = package
        self.command = command
        args = []
        self.requiredConfig = requiredConfig
        self.optionalConfig = optionalConfig
        self.capabilities = capabilities
    }

    private enum CodingKeys: String, CodingKey {
        case name, type, description, version
        case transport = "mcp_transport"
        case url = "mcp_url"
        case package = "mcp_package"
        case command = "mcp_command"
        case args = "mcp_args"
        case requiredConfig = "required_config"
        case optionalConfig = "optional_config"
        case capabilities
    }

    /// Absent and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let body = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ key: CodingKeys) throws -> String { try body.decodeIfPresent(String.self, forKey: key) ?? "" }
        func list<Item: Decodable>(_ key: CodingKeys) throws -> [Item] {
            try body.decodeIfPresent([Item].self, forKey: key) ?? []
        }
        name = try text(.name)
        type = try text(.type)
        description = try text(.description)
        version = try text(.version)
        transport = try text(.transport)
        url = try text(.url)
        package = try text(.package)
        command = try text(.command)
        args = try list(.args)
        requiredConfig = try list(.requiredConfig)
        optionalConfig = try list(.optionalConfig)
        capabilities = try list(.capabilities)
    }
}

/// What a tool has to be told, or may be.
public struct ToolField: Sendable, Hashable, Codable {
    public var name: String
    public var description: String
    /// `string`, `secret`, `url`, `int` or `bool`; the last three are checked.
    public var type: String
    /// The environment variable or header that carries the value; empty: none does.
    public var variable: String
    public var isSensitive: Bool

    public init(name: String, description: String, type: String, variable: String, isSensitive: Bool) {
        self.name = name
        self.description = description
        self.type = type
        self.variable = variable
        self.isSensitive = isSensitive
    }

    private enum CodingKeys: String, CodingKey {
        case name, description, type
        case variable = "env_var"
        case isSensitive = "sensitive"
    }

    public init(from decoder: any Decoder) throws {
        let body = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ key: CodingKeys) throws -> String { try body.decodeIfPresent(String.self, forKey: key) ?? "" }
        name = try text(.name)
        description = try text(.description)
        type = try text(.type)
        variable = try text(.variable)
        isSensitive = try body.decodeIfPresent(Bool.self, forKey: .isSensitive) ?? false
    }
}

/// A tool that tasks can ask for.
public struct RegisteredTool: Sendable, Hashable {
    public var tool: Tool
    /// Comes with CodeForge and cannot be deleted.
    public var isBuiltIn: Bool
    public var createdAt: Timestamp

    public init(tool: Tool, isBuiltIn: Bool = false, createdAt: Timestamp) {
        self.tool = tool
        self.isBuiltIn = isBuiltIn
        self.createdAt = createdAt
    }
}
