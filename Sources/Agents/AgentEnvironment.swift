/// What every CLI finds in its environment.
enum AgentEnvironment {
    /// Stands where a key is expected; the gateway replaces it outside the sandbox.
    static let placeholderKey = "codeforge-placeholder-the-gateway-adds-the-key"

    static func base(for run: AgentRun) -> [String: String] {
        [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": run.home,
            "USER": "agent",
            "LOGNAME": "agent",
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "TMPDIR": "/tmp",
            // Nobody is there to answer a prompt or leave a pager.
            "GIT_TERMINAL_PROMPT": "0",
            "PAGER": "cat",
            "GIT_PAGER": "cat",
            // The one way out: what a profile does not allow is refused there with a reason, and recorded.
            "HTTP_PROXY": run.gatewayBase,
            "HTTPS_PROXY": run.gatewayBase,
            "ALL_PROXY": run.gatewayBase,
            "http_proxy": run.gatewayBase,
            "https_proxy": run.gatewayBase,
            "all_proxy": run.gatewayBase,
            "NO_PROXY": "127.0.0.1,localhost,::1",
            "no_proxy": "127.0.0.1,localhost,::1",
        ]
    }
}

extension String {
    /// Linux refuses a longer argument, and a NUL would end it early.
    var fitsArgument: Bool {
        let longest = 128 * 1024 - 1  // MAX_ARG_STRLEN less the terminator
        return utf8.count <= longest && !utf8.contains(0)
    }

    /// `nil` when there is nothing in it.
    var nonEmpty: String? { isEmpty ? nil : self }
}
