import Foundation
import ServerKit
import Testing

extension Attack {
    /// Every task of the suite has a git token and the service has model keys; both are one text that none may find.
    static let secrets: [Attack] = [
        secret(
            "environment", "its own environment", [.environment], "environ(7)", "environ", "find(os.environ.values())",
            control: .outside(["env", "SECRET=" + Arena.secret])),
        secret(
            "environment-of-others", "the environment of every process", [.pidNamespace, .initProcess],
            "proc(5) environ", "",
            "find(read('/proc/%s/environ' % p) for p in os.listdir('/proc') if p.isdigit())"),
        secret(
            "arguments-of-others", "the arguments of every process", [.pidNamespace], "proc(5) cmdline", "",
            "find(read('/proc/%s/cmdline' % p) for p in os.listdir('/proc') if p.isdigit())"),
        secret(
            "git-configuration", "git's configuration", [.git], "git-config(1)", "",
            """
            find(map(read, ['.git/config', '/workspace/.git/config', '/git/config', '/git/FETCH_HEAD',
                '/workspace/.git/FETCH_HEAD', os.path.expanduser('~/.gitconfig'),
                os.path.expanduser('~/.git-credentials'), '/etc/gitconfig']))
            """,
            control: .outside([
                "sh", "-c", "git init -q . && git config remote.origin.url \"http://u:$0@h/\"; exec \"$@\"",
                Arena.secret,
            ])),
        secret(
            "git-credential-helper", "git's credentials", [.git], "gitcredentials(7)", "",
            """
            find([subprocess.run(['git', 'credential', 'fill'], input='protocol=http\\nhost=github.com\\n\\n', text=True,
                capture_output=True, env={**os.environ, 'GIT_TERMINAL_PROMPT': '0'}).stdout])
            """,
            control: .outside([
                "env", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=credential.helper",
                "GIT_CONFIG_VALUE_0=!echo username=u; echo password=\(Arena.secret); true",
            ])),
        secret(
            "files-everywhere", "every small file it can read", [.mounts], "find(1)", "",
            """
            def files():
                for top in ['/home', '/tmp', '/run', '/var/tmp', '/workspace', '/git', '/etc', '/root', '/dev/shm',
                    os.path.dirname(word('FILE'))]:
                    for folder, _, names in os.walk(top):
                        for name in names:
                            path = os.path.join(folder, name)
                            if os.path.isfile(path) and os.path.getsize(path) < 1 << 16: yield read(path)
            find(files())
            """),
        Attack(
            name: "secret-data-directory", category: .secret, tries: "lists the service's data directory",
            walls: [.mounts], reference: "path_resolution(7)",
            body: .probe("os.listdir(os.path.dirname(os.path.dirname(word('FILE'))) + '/data')"), refusal: ["ENOENT"],
            control: .outside([])),
        Attack(
            name: "secret-shim-options", category: .secret, tries: "looks for what the shim was told",
            walls: [.descriptors, .initProcess], reference: "memfd_create(2)",
            body: .probe(
                """
                if any('memfd' in l for l in links()): return 'found'
                raise Refused('no memory file')
                """), refusal: ["no memory file"],
            control: .outside([
                "python3", "-c", "import os,sys; fd=os.memfd_create('options',0); os.execvp(sys.argv[1],sys.argv[1:])",
            ])),
        Attack(
            name: "secret-echoed-by-upstream", category: .secret,
            tries: "has the upstream send back the key that the gateway added", walls: [.scrubber],
            reference: "CWE-201; sandbox-policy: response scrub",
            body: .scene { _, arena in
                let outcome = try await arena.launch(
                    Prelude.program(
                        """
                        answer = http('POST /anthropic/v1/messages HTTP/1.1\\nHost: g\\nConnection: close\\nContent-Length: 2\\n\\n{}')
                        if ('attack-' + 'secret-').encode() in answer: return answer
                        raise Refused(answer.decode())
                        """))
                #expect(outcome.verdict == .refused, "\(outcome)")
                // The upstream did send it back: the echo has the header, without its value.
                #expect(outcome.detail.lowercased().contains("x-api-key"), "\(outcome)")
                #expect(outcome.decisions.contains { $0.allowed })
            }, record: .told("the answer without the key"), control: .within("the header's name arrives"), isTask: false
        ),
    ]

    private static func secret(
        _ name: String, _ where_: String, _ walls: [Wall], _ reference: String, _: String, _ probe: String,
        control: Control = .outside([])
    ) -> Attack {
        Attack(
            name: "secret-in-" + name, category: .secret, tries: "searches \(where_) for keys and tokens", walls: walls,
            reference: reference,
            body: .probe(
                """
                mark = 'attack-' + 'secret-'
                def read(path):
                    try: return open(path, errors='replace').read()
                    except OSError: return ''
                def find(texts):
                    global found
                    found = any(mark in text for text in texts)
                \(probe)
                if not found: raise Refused('nothing')
                """), refusal: ["nothing"], control: control)
    }
}
