package import Domain

/// A `git` job to run inside a sandbox: a fixed shell script, and its operands as separate arguments.
///
/// Nothing from a client or a repository is ever part of the script's text.
package struct GitScript: Sendable, Equatable {
    package var argv: [String]
    package var environment: [String: String]

    /// Where the host-owned git directory is mounted.
    package static let gitDirectory = "/git"
    /// Where the work tree is mounted.
    package static let workTree = "/workspace"

    /// Clones into the empty work tree and copies the fresh `.git`, before anything else could touch it, to the
    /// host-owned directory. A copy, not links: the agent may write to its own. No template: it is a dozen sample hooks.
    /// There no file's own attributes decide whether a diff shows it.
    ///
    /// - Parameters:
    ///   - url: Without credentials.
    ///   - gateway: Base URL of the gateway inside the sandbox; `nil` for a local repository.
    package static func clone(url: RepositoryURL, spec: JobSpec.CloneSpec, gateway: String?) -> GitScript {
        let script = """
            set -e
            printf '[safe]\\n\\tdirectory = *\\n' > "$HOME/.gitconfig"
            clone() { git clone --quiet --template= "$@" /workspace; }
            if [ -n "$3" ]; then
                if [ -n "$2" ]; then clone --branch "$2" -- "$1"; else clone -- "$1"; fi
                cd /workspace
                git fetch --quiet origin "$4:pr-$3"
                git checkout --quiet "pr-$3"
                if [ -n "$5" ] && [ "$(git rev-parse HEAD)" != "$5" ]; then
                    echo "the pull request is not at commit $5 any more, but at $(git rev-parse HEAD)" >&2
                    exit 1
                fi
            elif [ -n "$2" ]; then clone --depth 1 --branch "$2" -- "$1"
            else clone --depth 1 -- "$1"; fi
            cp -a /workspace/.git/. /git/
            mkdir -p /git/info
            printf '* !diff\\n' > /git/info/attributes
            mkdir -p /workspace/.git/info /workspace/.git/hooks
            """
        let number = spec.pullRequest.map(String.init) ?? ""
        let operands = [
            url.withoutCredentials, spec.branch ?? "", number, spec.pullRequestRef ?? "", spec.expectedHead ?? "",
        ]
        return GitScript(
            argv: ["/bin/sh", "-c", script, "git-clone"] + operands,
            environment: environment(rewriting: url, gateway: gateway))
    }

    /// Compares the work tree with the clone, by the host-owned directory: what the agent did to its own `.git`,
    /// commits included, changes nothing here. Measures the work tree, too.
    ///
    /// No submodule is looked into: its `.git` is the agent's, and `git status` would run filters that it names. Said by
    /// a flag, because the work tree's `.gitmodules` overrules configuration. What is unreadable only goes uncounted.
    ///
    /// The diff is of the work tree with an index of its own, where every new file is known by name: none is stored, or
    /// even read before its turn comes. Large ones are left out, or a few of them would take minutes.
    ///
    /// - Parameter diffBytes: Longest diff that is kept, ≥ 0; one byte more is printed, so that a cut shows.
    package static func changes(diffBytes: Int) -> GitScript {
        let script = """
            set -e
            export GIT_DIR=/git GIT_WORK_TREE=/workspace
            cd /workspace
            git diff --shortstat --ignore-submodules=dirty || true
            printf '\\0'
            du -sxB1 /workspace || true
            printf '\\0'
            git status --porcelain -z --ignore-submodules=dirty > /tmp/status
            cat /tmp/status
            printf '\\0'
            [ -s /tmp/status ] || { printf '\\0'; exit 0; }
            set +e
            export GIT_INDEX_FILE=/tmp/index LC_ALL=C
            partial() { echo yes > /tmp/partial; }
            [ ! -e /git/index ] || cp /git/index /tmp/index || partial
            tree=$(git rev-parse -q --verify 'HEAD^{tree}') || tree=$(git hash-object -t tree /dev/null)
            find . -xdev -path ./.git -prune -o -type f -size +"$2"c -printf '%P\\0' | sort -z > /tmp/large
            git ls-files -z --others --exclude-standard | grep -zv '/$' | sort -z > /tmp/new
            git diff-index -z --name-only --ignore-submodules=dirty "$tree" | sort -z > /tmp/changed
            sort -z /tmp/new /tmp/changed | comm -z -12 - /tmp/large > /tmp/omitted
            [ ! -s /tmp/omitted ] || partial
            comm -z -12 /tmp/changed /tmp/large | git update-index -z --assume-unchanged --stdin || partial
            comm -z -23 /tmp/new /tmp/large | sed -z "s/^/100644 $(git hash-object /dev/null) 0\\t/" |
                git update-index -z --index-info || partial
            { timeout 20 git diff --no-ext-diff --no-textconv --no-renames --no-color --ignore-submodules=dirty \
                --src-prefix=a/ --dst-prefix=b/ "$tree" || partial; } | head -c "$1"
            printf '\\0'
            [ ! -e /tmp/partial ] || printf partial
            """
        return GitScript(
            argv: ["/bin/sh", "-c", script, "git-changes", String(diffBytes + 1), String(largestShownFile)],
            environment: environment(rewriting: nil, gateway: nil))
    }

    /// Bytes of a file beyond which a diff leaves it out.
    private static let largestShownFile = 16 << 20

    /// Fixed environment of every git: no prompts, no system or user configuration, no hooks, no surprising transports.
    static func environment(rewriting url: RepositoryURL?, gateway: String?) -> [String: String] {
        var configuration = [
            ("core.hooksPath", "/dev/null"), ("core.fsmonitor", "false"), ("gc.auto", "0"),
            ("maintenance.auto", "false"), ("protocol.allow", "never"), ("advice.detachedHead", "false"),
            ("submodule.recurse", "false"), ("transfer.fsckObjects", "true"), ("core.symlinks", "true"),
        ]
        // Flaws of old, honest histories that hold no attack; git-fsck(1) lists them.
        for flaw in [
            "zeroPaddedFilemode", "missingSpaceBeforeDate", "missingEmail", "badTimezone", "missingTaggerEntry",
        ] {
            configuration.append(("fetch.fsck.\(flaw)", "ignore"))
        }
        if let url {
            let transport = url.scheme == .file ? "file" : "http"
            configuration.append(("protocol.\(transport).allow", "always"))
            if let gateway {
                configuration.append(("url.\(gateway)/git/.insteadOf", "\(url.scheme.rawValue)://"))
            }
        }
        var environment = [
            "HOME": "/home/agent", "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8",
            "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0",
            "GIT_LFS_SKIP_SMUDGE": "1", "GIT_CONFIG_COUNT": String(configuration.count),
        ]
        for (index, (key, value)) in configuration.enumerated() {
            environment["GIT_CONFIG_KEY_\(index)"] = key
            environment["GIT_CONFIG_VALUE_\(index)"] = value
        }
        return environment
    }
}
