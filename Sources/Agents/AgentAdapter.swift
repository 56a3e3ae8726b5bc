package import Domain

/// What CodeForge knows about one CLI: how to start it, how to read what it prints, how to resume its conversation.
///
/// Adapters are pure: they turn values into values, and the supervisor does what they say.
package protocol AgentAdapter: Sendable {
    /// The name clients use, such as `claude-code`.
    var name: String { get }
    /// What messages to people call it: `<label> CLI exited with code 1: …`.
    var label: String { get }
    /// Looked up in the image when nothing else is configured.
    var defaultBinary: String { get }
    /// Whose API it talks to, through the gateway; `nil` when it needs none.
    var provider: ModelProvider? { get }
    /// Whether it reads `AgentRun.mcpConfigPath`.
    var readsMCPConfiguration: Bool { get }
    /// Whether the tokens it reports are those of the whole conversation, earlier runs included.
    var countsWholeConversation: Bool { get }

    func command(for run: AgentRun) -> AgentCommand
    func makeNormalizer() -> any OutputNormalizer
}

extension AgentAdapter {
    package var readsMCPConfiguration: Bool { false }
    package var countsWholeConversation: Bool { false }
}

/// A model API that the gateway adds a key for.
package enum ModelProvider: String, Sendable {
    case anthropic, openAI
}

/// One run of a CLI, as the sandbox sees it.
package struct AgentRun: Sendable, Equatable {
    /// The whole prompt; at most 102 400 characters from a client, plus template or history.
    package var prompt: String
    package var model: String?
    /// Ignored when ≤ 0, as are the next.
    package var maxTurns: Int?
    package var maxBudgetUSD: Double?
    /// Conversation of the CLI to go on with. One that is not a `SessionID` is ignored.
    package var resumeSessionID: String?
    /// Working directory inside the sandbox.
    package var workspace: String
    /// Home directory inside the sandbox.
    package var home: String
    /// The task's MCP configuration inside the sandbox, when there is one.
    package var mcpConfigPath: String?
    /// Whether servers named anywhere else are left alone, whatever becomes of the rest of the configuration.
    package var onlyThoseServers = false
    /// The gateway inside the sandbox: `http://127.0.0.1:PORT`, no slash at the end.
    package var gatewayBase: String
    /// Whether the repository's own agent configuration has any effect.
    package var configuration: SandboxProfile.AgentConfiguration
    /// Whether the CLI loads the repository's instructions to agents.
    package var instructions: SandboxProfile.Instructions
    /// Bare name looked up in the image, or a path inside the sandbox.
    package var binary: String

    /// How the binary is started: a JavaScript file through `node`.
    var program: [String] {
        [".js", ".mjs", ".cjs"].contains { binary.hasSuffix($0) } ? ["node", binary] : [binary]
    }

    package init(
        prompt: String, model: String? = nil, maxTurns: Int? = nil, maxBudgetUSD: Double? = nil,
        resumeSessionID: String? = nil, workspace: String = "/workspace", home: String = "/home/agent",
        mcpConfigPath: String? = nil, gatewayBase: String,
        configuration: SandboxProfile.AgentConfiguration, instructions: SandboxProfile.Instructions, binary: String
    ) {
        self.prompt = prompt
        self.model = model
        self.maxTurns = maxTurns
        self.maxBudgetUSD = maxBudgetUSD
        self.resumeSessionID = resumeSessionID
        self.workspace = workspace
        self.home = home
        self.mcpConfigPath = mcpConfigPath
        self.gatewayBase = gatewayBase
        self.configuration = configuration
        self.instructions = instructions
        self.binary = binary
    }
}

/// How to start a CLI in the sandbox. Holds no secret.
package struct AgentCommand: Sendable, Equatable {
    /// A file the CLI expects in its home.
    package struct HomeFile: Sendable, Equatable {
        /// Relative to the home directory; never absolute, never with `..`.
        package var path: String
        /// Its text; of a link the path it leads to.
        package var contents: String
        package var isLink = false

        package init(path: String, contents: String) {
            self.path = path
            self.contents = contents
        }

        /// A symbolic link to `target`, a path inside the sandbox.
        package init(path: String, linkTo target: String) {
            self.path = path
            contents = target
            isLink = true
        }
    }

    /// Free of NUL bytes; each at most 128 KiB, which is what Linux takes (`MAX_ARG_STRLEN`).
    package var argv: [String]
    /// The whole environment: nothing else is to be in it.
    package var environment: [String: String]
    /// To be written before the start, replacing what is there. Earlier iterations could write to the home directory,
    /// so the writer must not follow symbolic links in it.
    package var files: [HomeFile]
    /// What the CLI reads from standard input; `nil` means `/dev/null`.
    package var standardInput: [UInt8]?

    package init(
        argv: [String], environment: [String: String], files: [HomeFile] = [], standardInput: [UInt8]? = nil
    ) {
        self.argv = argv
        self.environment = environment
        self.files = files
        self.standardInput = standardInput
    }
}
