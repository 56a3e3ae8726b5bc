package import Domain

extension GitScript {
    /// Commits the work tree on top of the host-owned directory's `HEAD` and pushes the commit as a new branch.
    ///
    /// Nothing that an agent could write decides what runs: `git add` would run `git status` in submodules, with their
    /// own configuration, so files are put into the index one by one by `update-index`, which does not. A repository
    /// inside the work tree, which git would record as a submodule without a source, is left out.
    ///
    /// Commit and index are kept in the host-owned directory before anything is pushed. A repeated attempt goes on with
    /// that commit, and a branch of the remote that is at it is the one an earlier attempt pushed. No branch is ever
    /// overwritten: the push demands that there is none of its name.
    package static func publish(_ publication: PublishSpec, to url: RepositoryURL, gateway: String) -> GitScript {
        let script = """
            set -e
            export GIT_DIR=/git GIT_WORK_TREE=/workspace GIT_INDEX_FILE=/tmp/index LC_ALL=C
            cd /workspace
            kept=/git/codeforge/$3
            git check-ref-format "refs/heads/$2" || { echo "$2 is no branch name (git.branch_prefix)" >&2; exit 1; }
            # Of an attempt that was killed: only one at a time has these files.
            rm -f /git/HEAD.lock /git/packed-refs.lock
            [ ! -d /git/refs ] || find /git/refs -name '*.lock' -type f -delete
            parent=$(git rev-parse -q --verify 'HEAD^{commit}') || parent=
            if [ ! -e "$kept/commit" ]; then
                [ ! -e /git/index ] || cp /git/index /tmp/index
                git diff-files -z --name-only --ignore-submodules=dirty > /tmp/changed
                git ls-files -z --others --exclude-standard > /tmp/others
                grep -zv '/$' < /tmp/others >> /tmp/changed || true
                git update-index -z --add --remove --replace --stdin < /tmp/changed
                tree=$(git write-tree)
                if [ -n "$parent" ] && [ "$tree" = "$(git rev-parse "$parent^{tree}")" ]; then
                    echo 'nothing to commit' >&2
                    exit 1
                fi
                commit=$(printf %s "$4" | git commit-tree ${parent:+-p "$parent"} "$tree")
                mkdir -p "$kept"
                cp /tmp/index "$kept/index"
                printf '%s\\n' "$commit" > "$kept/commit.new"
                sync "$kept/index" "$kept/commit.new"
                mv "$kept/commit.new" "$kept/commit"
            fi
            read -r commit < "$kept/commit"

            heads() { git ls-remote --heads -- "$1" "refs/heads/$2*" > /tmp/heads; }
            at() { while read -r id ref; do [ "$ref" != "refs/heads/$1" ] || echo "$id"; done < /tmp/heads; }
            ours() { while read -r id ref; do [ "$id" != "$commit" ] || echo "${ref#refs/heads/}"; done < /tmp/heads; }
            heads "$1" "$2"
            branch=$(ours | head -n 1)
            number=0
            tries=0
            while [ -z "$branch" ]; do
                name=$2
                [ "$number" = 0 ] || name=$2-$number
                known=$(git rev-parse -q --verify "refs/heads/$name^{commit}") || known=
                if [ -z "$(at "$name")" ] && { [ -z "$known" ] || [ "$known" = "$commit" ]; }; then
                    git update-ref "refs/heads/$name" "$commit"
                    if git push --quiet --no-verify --no-recurse-submodules --force-with-lease="refs/heads/$name:" \
                        -- "$1" "$commit:refs/heads/$name" 2> /tmp/refusal; then
                        branch=$name
                        break
                    fi
                    # Somebody else may have been faster, or the answer was lost on its way.
                    heads "$1" "$2"
                    branch=$(ours | head -n 1)
                    [ -z "$branch" ] || break
                    git update-ref -d "refs/heads/$name"
                    if [ -z "$(at "$name")" ]; then
                        # What was not refused may have been cut off on its way.
                        tries=$((tries + 1))
                        if grep -q rejected /tmp/refusal || [ "$tries" = 3 ]; then cat /tmp/refusal >&2; exit 1; fi
                        sleep "$tries"
                        continue
                    fi
                fi
                number=$((number + 1))
                [ "$number" -le 99 ] || { echo "no free branch name: $2 to $2-99 are taken" >&2; exit 1; }
            done
            git update-ref "refs/heads/$branch" "$commit"
            cp "$kept/index" /git/index.new
            mv /git/index.new /git/index
            git symbolic-ref HEAD "refs/heads/$branch"
            printf '%s\\n%s\\n' "$branch" "$commit"
            """
        var environment = environment(rewriting: url, gateway: gateway)
        for role in ["AUTHOR", "COMMITTER"] {
            environment["GIT_\(role)_NAME"] = publication.authorName
            environment["GIT_\(role)_EMAIL"] = publication.authorEmail
        }
        return GitScript(
            argv: [
                "/bin/sh", "-c", script, "git-publish", url.withoutCredentials, publication.branch,
                String(publication.number), publication.message,
            ], environment: environment)
    }
}

extension PushedBranch {
    /// - Parameter printed: By the script.
    /// - Throws: `.internal` when it is not of the script's form.
    package init(printed: [UInt8]) throws(CodeForgeError) {
        let lines = String(decoding: printed, as: UTF8.self).split(separator: "\n")
        guard lines.count == 2, lines[1].utf8.count >= 40, lines[1].allSatisfy(\.isHexDigit) else {
            throw CodeForgeError(.internal, "reading what was pushed: unexpected output of git")
        }
        self.init(name: String(lines[0]), commit: String(lines[1]))
    }
}
