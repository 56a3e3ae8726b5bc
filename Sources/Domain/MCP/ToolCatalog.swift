/// The tools that come with CodeForge. Data of the release rather than rows: an upgrade changes them for everybody.
public enum ToolCatalog {
    /// In the order they are listed.
    public static let builtIn: [RegisteredTool] = [sentry, jira, git, github, playwright].map {
        RegisteredTool(tool: $0, isBuiltIn: true, createdAt: Timestamp(nanoseconds: 1_771_977_600_000_000_000))
    }

    public static func tool(named name: String) -> RegisteredTool? { builtIn.first { $0.tool.name == name } }

    private static let sentry = Tool(
        name: "sentry", description: "Sentry error tracking — search issues, get stack traces, resolve errors",
        package: "@sentry/mcp-server", command: "npx",
        requiredConfig: [secret("auth_token", "Sentry authentication token", "SENTRY_AUTH_TOKEN")],
        capabilities: ["error-tracking", "issues"])

    private static let jira = Tool(
        name: "jira", description: "Jira issue tracking — search, read and update issues",
        package: "mcp-atlassian", command: "uvx",
        requiredConfig: [
            ToolField(
                name: "url", description: "Base URL of the Jira site", type: "url", variable: "JIRA_URL",
                isSensitive: false),
            ToolField(
                name: "username", description: "Jira user name", type: "string", variable: "JIRA_USERNAME",
                isSensitive: false),
            secret("api_token", "Jira API token", "JIRA_API_TOKEN"),
        ],
        capabilities: ["issue-tracking", "project-management"])

    private static let git = Tool(
        name: "git", description: "Git operations — log, diff, blame and branches of the workspace",
        package: "@cyanheads/git-mcp-server", command: "npx", capabilities: ["version-control", "git"])

    private static let github = Tool(
        name: "github", description: "GitHub — repositories, issues and pull requests",
        package: "@modelcontextprotocol/server-github", command: "npx",
        requiredConfig: [secret("token", "GitHub personal access token", "GITHUB_PERSONAL_ACCESS_TOKEN")],
        capabilities: ["github", "issues", "pull-requests"])

    private static let playwright = Tool(
        name: "playwright", description: "Playwright — drives a browser for tests and automation",
        package: "@playwright/mcp", command: "npx", capabilities: ["browser", "testing", "automation"])

    private static func secret(_ name: String, _ description: String, _ variable: String) -> ToolField {
        ToolField(name: name, description: description, type: "secret", variable: variable, isSensitive: true)
    }
}
