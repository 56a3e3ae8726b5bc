import Agents

/// Puts the files an agent needs into its home, from inside the sandbox: an earlier run may have left links there,
/// which the host must not follow.
enum CommandFiles {
    private static let script = """
        set -e
        while [ "$1" != -- ]; do
            mkdir -p "$(dirname "$HOME/$2")"
            rm -rf "$HOME/$2"
            if [ "$1" = link ]; then ln -s "$3" "$HOME/$2"; else printf %s "$3" > "$HOME/$2"; fi
            shift 3
        done
        shift
        exec "$@"
        """

    /// The command itself, or a shell that writes its files first and then becomes it.
    static func wrap(_ command: AgentCommand) -> [String] {
        guard !command.files.isEmpty else { return command.argv }
        let operands = command.files.flatMap { [$0.isLink ? "link" : "file", $0.path, $0.contents] }
        return ["/bin/sh", "-c", script, "codeforge"] + operands + ["--"] + command.argv
    }
}
