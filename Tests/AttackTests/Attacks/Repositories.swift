import Domain
import Foundation
import ServerKit
import Synchronization
import Testing

/// Repositories made for one purpose, on the host's disk.
enum Repositories {
    private static let cache = Mutex<[String: String]>([:])

    /// One harmless repository for everybody.
    static func plain(_ arena: Arena) throws -> String {
        if let known = cache.withLock({ $0[arena.directory] }) { return known }
        let made = try make(arena, "true")
        cache.withLock { $0[arena.directory] = made }
        return made
    }

    /// A bare repository of a work tree with a README, after `script` ran in it. `$BARE` is where it will be.
    static func make(_ arena: Arena, _ script: String, prefix: String = "") throws -> String {
        let name = prefix + UUID().uuidString.prefix(8)
        let work = arena.directory + "/work-\(name)"
        let bare = arena.server.directory + "/repos/\(name).git"
        try arena.server.shell(
            """
            set -e
            export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t BARE='\(bare)'
            mkdir -p '\(work)' '\(arena.server.directory)/repos'; cd '\(work)'
            git init -q -b main; echo hello >README.md; git add README.md; git commit -qm one
            \(script)
            git clone -q --bare . "$BARE" 2>/dev/null || true
            """)
        return "file://" + bare
    }

    /// Makes one tree by hand, which git itself would refuse to, and commits it as `main`. `entries` is Python.
    static func crafted(_ arena: Arena, _ entries: String) throws -> String {
        try make(
            arena,
            """
            cat >../craft.py <<'END'
            import subprocess
            def git(*words, text=b''):
                return subprocess.run(['git', *words], input=text, capture_output=True, check=True).stdout.strip()
            def blob(data): return bytes.fromhex(git('hash-object', '-w', '--stdin', text=data).decode())
            def tree(*entries):
                data = b''.join(mode + b' ' + name + b'\\0' + hash for mode, name, hash in entries)
                return bytes.fromhex(git('hash-object', '-t', 'tree', '-w', '--literally', '--stdin', text=data).decode())
            top = \(entries)
            commit = git('commit-tree', top.hex(), '-m', 'crafted').decode()
            git('update-ref', 'refs/heads/main', commit)
            END
            python3 ../craft.py
            git init -q --bare "$BARE"; git push -q "$BARE" main:main; git -C "$BARE" symbolic-ref HEAD refs/heads/main
            """)
    }
}

extension Attack {
    static let repositories: [Attack] =
        configuration + crafted + [
            Attack(
                name: "git-alternates", category: .repository,
                tries: "has its objects looked up in another repository of the host", walls: [.mounts],
                reference: "gitrepository-layout(5); CVE-2022-39253",
                body: .scene { _, arena in
                    let url = try Repositories.make(arena, "git clone -q --bare . '\(arena.directory)/private-$$.git'")
                    let bare = url.dropFirst("file://".count)
                    let secret = arena.directory + "/private-objects"
                    try arena.server.shell(
                        "mv '\(bare)/objects' '\(secret)'; mkdir -p '\(bare)'/objects/info '\(bare)'/objects/pack; "
                            + "echo '\(secret)' >'\(bare)/objects/info/alternates'")
                    // The host's own git follows it.
                    try arena.server.shell(
                        "git clone -q '\(url)' '\(arena.directory)/followed'; cat '\(arena.directory)/followed/README.md'"
                    )
                    try await expectFailure(arena, url, "clone failed")
                }, record: .told("the task's error"), control: .within("a clone by the host"), isTask: false),
            Attack(
                name: "git-link-out-of-roots", category: .repository,
                tries: "is a link below the allowed roots to a repository elsewhere", walls: [.validation, .mounts],
                reference: "symlink(7); CWE-59",
                body: .scene { _, arena in
                    let url = try Repositories.make(arena, "true")
                    let elsewhere = arena.directory + "/elsewhere.git"
                    try arena.server.shell(
                        "mv '\(url.dropFirst(7))' '\(elsewhere)'; ln -s '\(elsewhere)' '\(url.dropFirst(7))'; "
                            + "git clone -q '\(url)' '\(arena.directory)/through-link'")
                    try await expectFailure(arena, url, "")
                }, record: .told("the task's error"), control: .within("a clone by the host"), isTask: false),
            Attack(
                name: "git-lfs-pointer", category: .repository,
                tries: "has large files fetched from a server of its choice", walls: [.git, .networkNamespace],
                reference: "git-lfs; CVE-2020-27955",
                body: .scene { _, arena in
                    let url = try Repositories.make(
                        arena,
                        """
                        printf '* filter=lfs diff=lfs merge=lfs -text\\n' >.gitattributes
                        printf '[lfs]\\n\\turl = http://127.0.0.1:\(arena.host.port)/lfs\\n' >.lfsconfig
                        printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%064d\\nsize 5\\n' 0 >large.bin
                        git add -A; git commit -qm lfs
                        """)
                    let mark = arena.directory + "/smudged"
                    try arena.server.shell(
                        "git -c filter.lfs.smudge='touch \(mark); cat' clone -q '\(url)' '\(arena.directory)/lfs' && test -e \(mark)"
                    )
                    let before = arena.host.accepted
                    let task = try await run(arena, url, "cat /workspace/large.bin")
                    #expect(task["result"]?.stringValue?.contains("git-lfs.github.com/spec") == true, "\(task)")
                    #expect(arena.host.accepted == before)
                }, record: .told("the pointer as it was"), control: .within("a smudge filter on the host"),
                isTask: false),
            Attack(
                name: "git-submodule-ext", category: .repository,
                tries: "names a program as the URL of a submodule", walls: [.git],
                reference: "git-remote-ext(1); CVE-2017-1000117",
                body: .scene { _, arena in
                    let mark = arena.directory + "/ext-ran"
                    let url = try Repositories.make(
                        arena,
                        """
                        git config -f .gitmodules submodule.x.path sub
                        git config -f .gitmodules submodule.x.url 'ext::sh -c touch% \(mark)'
                        git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),sub
                        git add .gitmodules; git commit -qm sub
                        """)
                    try arena.server.shell(
                        "git -c protocol.ext.allow=always clone -q --recurse-submodules '\(url)' '\(arena.directory)/ext' 2>/dev/null || true; "
                            + "test -e '\(mark)'; rm '\(mark)'")
                    let task = try await run(arena, url, "ls -A /workspace/sub | wc -l")
                    #expect(task["result"]?.stringValue?.contains("0") == true, "\(task)")
                    #expect(!FileManager.default.fileExists(atPath: mark))
                }, record: .told("an empty submodule"), control: .within("a recursive clone by the host"), isTask: false
            ),
            Attack(
                name: "git-strange-names", category: .repository,
                tries: "has file names with line ends, escapes, quotes and no text at all", walls: [.hostGit, .relay],
                reference: "git-status(1) -z; CWE-116",
                body: .scene { _, arena in
                    let task = try await run(
                        arena, try Repositories.plain(arena),
                        #"cd /workspace; touch $'a\nb' $'\033[31mred' $'q"uote' $'\xff\xfe' '-rf' ' ' $'\u202egpj.exe' '$(touch x)'; ls -A | wc -l"#
                    )
                    #expect(task["status"] == "completed", "\(task)")
                    #expect(task["changes_summary"] != .null, "\(task)")
                    #expect(!"\(task)".unicodeScalars.contains { $0.value == 0x1B })
                }, record: .told("the change summary"), control: .within("the names are there"), isTask: false),
            tree(
                "deep-tree", "makes a tree deeper than any path can say", "path_resolution(7) PATH_MAX",
                "cd /workspace; python3 -c \"\nimport os\nfor _ in range(3000):\n    os.mkdir('d'*20); os.chdir('d'*20)\""
            ),
            tree(
                "many-files", "makes twenty thousand files", "CWE-400",
                "cd /workspace; mkdir many; python3 -c \"\nfor i in range(20000): open('many/%d' % i, 'w')\""),
            tree(
                "special-files", "leaves pipes and sockets where files are read", "fifo(7)",
                "cd /workspace; rm README.md; mkfifo README.md CLAUDE.md .mcp.json; python3 -c \"import socket; socket.socket(1).bind('s')\""
            ),
            tree(
                "links-to-host", "leaves links to files of the host", "symlink(7); CWE-59",
                "cd /workspace; rm README.md; ln -s /etc/passwd README.md; ln -s / root; ln -s /proc/self/environ .mcp.json; ln -s loop loop"
            ),
            tree(
                "sparse-file", "pretends to hold a terabyte", "truncate(2)",
                "cd /workspace; for i in 1 2 3; do truncate -s 9G huge$i; done"),
            tree(
                "unreadable-tree", "takes away its own right to look", "chmod(2)",
                "cd /workspace; mkdir -p a/b; echo x >a/b/c; chmod 000 a/b a; chmod 000 README.md"),
        ]
        + [
            url("transport-ext", "ext::sh -c touch% /tmp/attack-ext", "git-remote-ext(1)"),
            url("option-as-url", "--upload-pack=touch /tmp/attack-option", "CVE-2017-1000117; git-clone(1)"),
            url("ssh-option", "ssh://-oProxyCommand=touch%20x/y", "CVE-2017-1000117"),
            url("host-directory", "file:///etc", "git-clone(1)"),
            url("climbing-path", "file:///tmp/../etc/.git", "CWE-22"),
            url("metadata", "http://169.254.169.254/latest.git", "RFC 3927; CWE-918"),
            url("private", "http://10.0.0.1/owner/repo.git", "RFC 1918; CWE-918"),
            url("mapped", "http://[::ffff:127.0.0.1]:PORT/owner/repo.git", "RFC 4291 2.5.5.2; CWE-918"),
            url("loopback-name", "http://localhost:PORT/owner/repo.git", "RFC 6761; DNS rebinding, CWE-350"),
            url("loopback-ipv6", "http://[::1]:PORT/owner/repo.git", "RFC 4291 2.5.3; CWE-918"),
            url("address-as-number", "http://2130706433:PORT/owner/repo.git", "inet_aton(3); CWE-918"),
            url("address-in-octal", "http://0177.0.0.1:PORT/owner/repo.git", "inet_aton(3); CVE-2021-29923"),
            Attack(
                name: "branch-is-option", category: .repository, tries: "names an option as the branch",
                walls: [.validation, .git], reference: "git-clone(1) --upload-pack; CVE-2017-1000117",
                body: .scene { _, arena in
                    let mark = arena.directory + "/uploaded"
                    let repository = try Repositories.plain(arena)
                    try arena.server.shell(
                        "git clone -q \"--upload-pack=touch \(mark); git-upload-pack\" '\(repository)' '\(arena.directory)/up' && rm \(mark)"
                    )
                    for branch in ["--upload-pack=touch \(mark)", "-x", "a..b", "x\ny"] {
                        let answer = try await arena.server.request(
                            "POST", "/api/v1/tasks",
                            [
                                "repo_url": .string(repository), "prompt": "true",
                                "config": ["source_branch": .string(branch), "target_branch": .string(branch)],
                            ])
                        if answer.status == 201, let id = answer.json["id"]?.stringValue {
                            let task = try await arena.server.finished(id)
                            #expect(task["status"] == "failed", "\(branch): \(task)")
                        } else {
                            #expect(answer.status == 400, "\(answer)")
                        }
                    }
                    #expect(!FileManager.default.fileExists(atPath: mark))
                }, record: .told("400, or the task's error"), control: .within("git clone on the host"), isTask: false),
        ]

    // MARK: What an agent does to its own .git

    /// A program that kills everything in its sandbox, unless it is where the agent itself may write.
    private static let trap = """
        cd /workspace
        printf '#!/bin/sh\\ntouch /workspace/.sprung 2>/dev/null || kill -9 -1\\ncat 2>/dev/null\\n' >/workspace/.trap
        chmod +x /workspace/.trap; T=/workspace/.trap
        """

    private static let configuration: [Attack] = [
        planted(
            "fsmonitor", "core.fsmonitor", "CVE-2022-24765; git-config(1)", "git config core.fsmonitor $T", "git status"
        ),
        planted(
            "filter", "a clean filter", "gitattributes(5)",
            "git config filter.x.clean $T; echo '* filter=x' >.gitattributes; echo more >>README.md",
            "git status; git diff"),
        planted(
            "filter-process", "a filter process", "gitattributes(5)",
            "git config filter.x.process $T; echo '* filter=x' >.gitattributes; echo more >>README.md",
            "git status; git diff"),
        planted(
            "textconv", "a text conversion", "gitattributes(5)",
            "git config diff.x.textconv $T; echo '* diff=x' >.gitattributes; echo more >>README.md", "git diff"),
        planted(
            "external-diff", "an external diff", "git-config(1) diff.external",
            "git config diff.external $T; echo more >>README.md", "git diff"),
        planted(
            "diff-driver", "a diff driver's command", "gitattributes(5)",
            "git config diff.x.command $T; echo '* diff=x' >.gitattributes; echo more >>README.md", "git diff"),
        planted(
            "hook", "a hook", "githooks(5)",
            "mkdir -p .git/hooks; cp $T .git/hooks/post-index-change; touch -d yesterday README.md",
            "git status; git update-index --refresh"),
        planted(
            "hooks-path", "a directory of hooks in the work tree", "git-config(1) core.hooksPath; CVE-2024-32002",
            "mkdir hooks; cp $T hooks/post-index-change; git config core.hooksPath /workspace/hooks; touch -d yesterday README.md",
            "git status; git update-index --refresh"),
        planted(
            "include", "an included file", "git-config(1) includes",
            "printf '[core]\\nfsmonitor = /workspace/.trap\\n' >.evil; git config include.path /workspace/.evil",
            "git status"),
        planted(
            "conditional-include", "a conditionally included file", "git-config(1) includeIf",
            "printf '[core]\\nfsmonitor = /workspace/.trap\\n' >.evil; git config 'includeIf.gitdir:/workspace/.path' /workspace/.evil; git config includeIf.onbranch:**.path /workspace/.evil",
            "git status"),
        planted(
            "worktree-config", "a configuration of the work tree", "git-worktree(1)",
            "git config extensions.worktreeConfig true; printf '[core]\\nfsmonitor = /workspace/.trap\\n' >.git/config.worktree",
            "git status"),
        planted(
            "user-config", "the user's configuration", "git-config(1)", "git config --global core.fsmonitor $T",
            "git status"),
        planted(
            "git-file", "a .git file that points elsewhere", "gitrepository-layout(5); CVE-2022-24765",
            "cp -a .git evil; git --git-dir=evil config core.fsmonitor $T; rm -rf .git; echo 'gitdir: /workspace/evil' >.git",
            "git status"),
        planted(
            "work-tree-elsewhere", "core.worktree", "git-config(1) core.worktree",
            "git config core.worktree /etc",
            "test \"$(git rev-parse --show-toplevel)\" = /etc && touch /workspace/.sprung"),
        planted(
            "ssh-command", "core.sshCommand", "git-config(1)", "git config core.sshCommand $T",
            "timeout 2 git ls-remote ssh://h/x"),
        planted(
            "credential-helper", "a credential helper", "gitcredentials(7)", "git config credential.helper $T",
            "echo url=http://h/ | timeout 2 git credential fill"),
        planted(
            "submodule-filter", "a filter in a submodule of its own making", "gitsubmodules(7); CVE-2018-11235",
            """
            git init -q sub; cd sub; echo a >f; echo '* filter=x' >.gitattributes; git add -A
            git -c user.name=t -c user.email=t@t commit -qm s; git config filter.x.clean $T; echo bb >f; cd ..
            """, "git status; git diff", submodule: true),
        planted(
            "submodule-fsmonitor", "core.fsmonitor of a submodule", "gitsubmodules(7)",
            """
            git init -q sub; cd sub; echo a >f; git add -A
            git -c user.name=t -c user.email=t@t commit -qm s; git config core.fsmonitor $T; echo bb >f; cd ..
            """, "git status; git diff", submodule: true),
        planted(
            "broken-index", "an index that is none", "gitformat-index(5)",
            "head -c 5000 /dev/urandom >.git/index; echo ref: /etc/passwd >.git/HEAD",
            "git status || touch /workspace/.sprung"),
        planted(
            "replaced-objects", "a replacement for its first commit", "git-replace(1)",
            "echo evil >README.md; git add -A; git -c user.name=t -c user.email=t@t commit -qm evil; git replace -f $(git rev-list --max-parents=0 HEAD | tail -n 1) HEAD 2>/dev/null; echo more >>README.md",
            "git status; touch /workspace/.sprung"),
    ]

    private static func planted(
        _ name: String, _ what: String, _ reference: String, _ plant: String, _ fire: String, submodule: Bool = false
    ) -> Attack {
        Attack(
            name: "git-" + name, category: .repository, tries: "has the service's git run a program by \(what)",
            walls: [.hostGit], reference: reference,
            body: .scene { _, arena in
                let url =
                    submodule
                    ? try Repositories.make(
                        arena, "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),sub; git commit -qm sub"
                    )
                    : try Repositories.plain(arena)
                let task = try await run(
                    arena, url,
                    """
                    \(trap)
                    \(plant)
                    cd /workspace
                    (\(fire)) >/dev/null 2>&1 </dev/null
                    test -e /workspace/.sprung && echo SPRUNG
                    rm -f /workspace/.sprung
                    true
                    """)
                #expect(task["result"]?.stringValue?.contains("SPRUNG") == true, "it proves nothing: \(task)")
                // Had it been sprung where the service measures, everything there would be dead.
                #expect(task["status"] == "completed", "the trap was sprung: \(task)")
            }, record: .told("the change summary"), control: .within("the agent's own git runs it"), isTask: false)
    }

    // MARK: Trees that git itself would not write

    private static let crafted: [Attack] = [
        tree(
            "dot-git-upper", "a folder .GIT", "CVE-2014-9390", "hasDotgit",
            "tree((b'40000', b'.GIT', tree((b'100644', b'config', blob(b'x')))))"),
        tree(
            "dot-git-short", "a folder GIT~1", "CVE-2019-1352, CVE-2014-9390", "hasDotgit",
            "tree((b'40000', b'GIT~1', tree((b'100644', b'config', blob(b'x')))))"),
        tree(
            "dot-git-ignorable", "a folder .git with a character that is ignored", "CVE-2014-9390", "hasDotgit",
            "tree((b'40000', b'.g\\xe2\\x80\\x8cit', tree((b'100644', b'config', blob(b'x')))))"),
        tree(
            "dot-dot", "an entry ..", "CVE-2014-9390; git-fsck(1)", "hasDotdot",
            "tree((b'40000', b'..', tree((b'100644', b'x', blob(b'x')))))"),
        tree(
            "slash-in-name", "a name with a slash", "git-fsck(1) fullPathname", "fullPathname",
            "tree((b'100644', b'a/b', blob(b'x')))"),
        tree(
            "duplicate-entries", "one name as link and as folder", "CVE-2021-21300; git-fsck(1)", "duplicateEntries",
            "tree((b'120000', b'x', blob(b'/etc')), (b'40000', b'x', tree((b'100644', b'passwd', blob(b'x')))))"),
        tree(
            "gitmodules-climbing", "a submodule's name that climbs", "CVE-2018-11235", "gitmodulesName",
            "tree((b'100644', b'.gitmodules', blob(b'[submodule \"../../x\"]\\npath = x\\nurl = u\\n')))"),
        tree(
            "gitmodules-option", "a submodule's URL that is an option", "CVE-2018-17456", "gitmodulesUrl",
            "tree((b'100644', b'.gitmodules', blob(b'[submodule \"x\"]\\npath = x\\nurl = -u./payload\\n')))"),
        tree(
            "gitmodules-path-option", "a submodule's path that is an option", "CVE-2018-17456", "gitmodulesPath",
            "tree((b'100644', b'.gitmodules', blob(b'[submodule \"x\"]\\npath = -x\\nurl = u\\n')))"),
        tree(
            "gitmodules-update", "a command as a submodule's update", "CVE-2019-19604", "gitmodulesUpdate",
            "tree((b'100644', b'.gitmodules', blob(b'[submodule \"x\"]\\npath = x\\nurl = u\\nupdate = !touch y\\n')))"),
        tree(
            "gitmodules-link", ".gitmodules as a link", "CVE-2018-11235; git-fsck(1)", "gitmodulesSymlink",
            "tree((b'120000', b'.gitmodules', blob(b'/etc/passwd')))"),
    ]

    private static func tree(
        _ name: String, _ what: String, _ reference: String, _ message: String, _ entries: String
    ) -> Attack {
        Attack(
            name: "git-" + name, category: .repository, tries: "is cloned with \(what)", walls: [.fsck],
            reference: reference,
            body: .scene { _, arena in
                let url = try Repositories.crafted(arena, entries)
                // Without the check the objects do arrive.
                try arena.server.shell(
                    "git -c transfer.fsckObjects=false clone -q --no-checkout '\(url)' '\(arena.directory)/took-\(name)'"
                )
                try await expectFailure(arena, url, message)
            }, record: .told("the task's error names the flaw"), control: .within("a clone without the check"),
            isTask: false)
    }

    /// Trees made by the agent, which are measured afterwards and removed in the end.
    private static func tree(_ name: String, _ tries: String, _ reference: String, _ script: String) -> Attack {
        Attack(
            name: "tree-" + name, category: .repository, tries: tries, walls: [.hostGit, .mounts], reference: reference,
            body: .scene { _, arena in
                let task = try await run(arena, try Repositories.plain(arena), script + "\necho PLANTED")
                // Where git cannot look, the task says so.
                let error = task["error"]?.stringValue ?? ""
                #expect(
                    task["result"]?.stringValue?.contains("PLANTED") == true
                        || error.hasPrefix("measuring changes failed: "), "\(task)")
                #expect(!"\(task)".contains("root:x:0:0"), "a link was followed")
            }, record: .told("the change summary"), control: .within("it was made"), isTask: false)
    }

    private static func url(_ name: String, _ url: String, _ reference: String) -> Attack {
        Attack(
            name: "clone-from-" + name, category: .repository, tries: "is cloned from \(url)",
            walls: url.hasPrefix("http") ? [.addresses] : [.validation], reference: reference,
            body: .scene { _, arena in
                // The same place by the one name that the operator allowed is reached.
                let port = "\(arena.host.port)"
                if url.contains("PORT") {
                    let before = arena.host.accepted
                    try await expectFailure(arena, "http://127.0.0.1:\(port)/owner/repo.git", "clone failed")
                    #expect(arena.host.accepted > before, "it proves nothing")
                }
                let before = arena.host.accepted
                try await expectFailure(arena, url.replacing("PORT", with: port), "")
                #expect(arena.host.accepted == before)
            }, record: .told("400, or the task's error and the gateway's refusal"),
            control: url.contains("PORT")
                ? .within("the allowed name of the same address")
                : .unsafe("would leave the machine or run a program of the host"),
            isTask: false)
    }

    // MARK: Small things

    private static func run(_ arena: Arena, _ url: String, _ script: String) async throws -> JSONValue {
        let id = try await arena.server.create(script, repo: url)
        return try await arena.server.finished(id)
    }

    /// The request is refused, or the task fails with `text` in its error.
    private static func expectFailure(_ arena: Arena, _ url: String, _ text: String) async throws {
        let answer = try await arena.server.request(
            "POST", "/api/v1/tasks", ["repo_url": .string(url), "prompt": "echo REACHED"])
        guard answer.status == 201, let id = answer.json["id"]?.stringValue else {
            #expect(answer.status == 400, "\(answer)")
            return
        }
        let task = try await arena.server.finished(id)
        let error = task["error"]?.stringValue ?? ""
        #expect(task["status"] == "failed" && (text.isEmpty || error.contains(text)), "\(task)")
    }
}
