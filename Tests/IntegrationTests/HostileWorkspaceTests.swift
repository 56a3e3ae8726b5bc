import ServerKit
import Domain
import Foundation
import Testing

/// What a task leaves in its workspace must not mislead whoever looks at it afterwards.
@Suite(.serialized) struct HostileWorkspaceTests {
    /// A submodule's `.git` is the agent's own: a filter in it would run inside our `git status`, and could make up the
    /// numbers (here it ends git, where it cannot leave a mark). `ignore = none` in the work tree overrules `diff.ignoreSubmodules`.
    @Test func measuringChangesRunsNothingOfTheAgents() async throws {
        try await ServerFixture.with { server in
            let url = try server.makeRepository(["README.md": "hello\n"])
            try server.shell(
                """
                set -e; cd \(server.directory); git clone -q \(url) gitlink; cd gitlink
                git config -f .gitmodules submodule.sub.path sub; git config -f .gitmodules submodule.sub.url ./sub
                git config -f .gitmodules submodule.sub.ignore none
                git update-index --add --cacheinfo 160000,1111111111111111111111111111111111111111,sub
                git add .gitmodules; git -c user.name=t -c user.email=t@t commit -qm sub; git push -q
                """)
            let id = try await server.create(
                """
                set -e
                rm -rf sub; git init -q sub; cd sub
                echo '* filter=trap' > .gitattributes; echo one > f
                git add .; git -c user.name=t -c user.email=t@t commit -qm sub
                git config filter.trap.clean 'touch /workspace/ran || kill -9 -1'
                printf 'two\\n' > f; touch -d yesterday f
                cd ..; echo more >> README.md
                git status > /dev/null; ls
                """, repo: url)
            let task = try await server.finished(id)
            #expect(task["status"]?.stringValue == "completed", "\(task)")
            #expect(task["result"]?.stringValue?.contains("ran\n") == true, "the trap itself works: \(task)")
            #expect(task["changes_summary"]?["diff_stats"]?.stringValue == "+2 -1", "\(task)")
        }
    }

    @Test func whateverLiesAroundChangesAreCounted() async throws {
        try await ServerFixture.with { server in
            let url = try server.makeRepository(["README.md": "hello\n", "fifo": "x\n", "closed.txt": "x\n"])
            let id = try await server.create(
                """
                set -e
                echo more >> README.md
                rm fifo; mkfifo fifo other-fifo; ln -s /etc/shadow shadow; ln -s loop loop
                chmod 000 closed.txt; mkdir closed; touch closed/f; chmod 000 closed
                mkdir dev; touch dev/sda; truncate -s 2G huge; touch "$(printf 'a\\nb\\033[31m\\377')"
                mkdir many; cd many; seq 100000 | xargs touch; cd ..
                name=$(printf 'x%.0s' {1..200}); for i in {1..100}; do mkdir $name; cd $name; done; touch bottom
                echo done
                """, repo: url)
            let task = try await server.finished(id)
            #expect(task["status"]?.stringValue == "completed", "\(task)")
            let changes = task["changes_summary"]
            // dev, huge, many, shadow, loop, the strange name: what cannot be read or is no file is not told of.
            #expect(changes?["files_created"]?.intValue == 6, "\(task)")
            #expect((changes?["files_modified"]?.intValue ?? 0) >= 1, "\(task)")
        }
    }
}
