package import Domain

extension GitScript {
    /// Brings a branch that was pushed before up to what others pushed to it since, when that is safe: the work tree has
    /// no change at all of its own, and the remote's branch follows ours. Nothing is merged, and no file is overwritten,
    /// ignored ones included.
    ///
    /// By the host-owned directory, as ever: hooks, filters and drivers would have to be in its configuration, which no
    /// agent ever saw. The agent's own `.git` is left as it is.
    ///
    /// - Parameters:
    ///   - branch: What `HEAD` of the host-owned directory must be on.
    ///   - seconds: Longest time for the transfer.
    package static func pull(_ branch: String, from url: RepositoryURL, gateway: String, seconds: Int) -> GitScript {
        let script = """
            set -e
            export GIT_DIR=/git GIT_WORK_TREE=/workspace LC_ALL=C
            cd /workspace
            [ "$(git symbolic-ref -q HEAD)" = "refs/heads/$2" ] || { echo 'another branch is checked out' >&2; exit 1; }
            clean() { git status --porcelain -z --ignore-submodules=dirty > /tmp/status && [ ! -s /tmp/status ]; }
            clean || { echo 'the work tree has changes' >&2; exit 1; }
            # Of an attempt that was killed: only one at a time has these files.
            rm -f /git/index.lock /git/HEAD.lock
            timeout "$3" git fetch --quiet --no-tags --no-recurse-submodules -- "$1" "+refs/heads/$2:refs/codeforge/pulled"
            git merge --quiet --ff-only --no-overwrite-ignore refs/codeforge/pulled
            """
        return GitScript(
            argv: ["/bin/sh", "-c", script, "git-pull", url.withoutCredentials, branch, String(seconds)],
            environment: environment(rewriting: url, gateway: gateway))
    }
}
