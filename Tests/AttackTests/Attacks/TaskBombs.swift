import Domain
import ServerKit
import TestKit
import Testing

extension Attack {
    /// Bombs as real tasks: under an operator's profile `tiny` the task ends, and its error and the audit name the limit.
    static let taskBombs: [Attack] = [
        bomb(
            "memory", .memory, "takes memory without end", [.cgroup], "cgroups(7) memory",
            "python3 -c \"x = b'x' * (200 << 20)\"", root: true),
        bomb(
            "tmpfs", .memory, "hides memory in files of /tmp", [.cgroup], "tmpfs(5); cgroups(7) memory",
            "head -c 200M /dev/zero >/tmp/bomb", root: true),
        bomb(
            "forks", .processes, "forks without end", [.cgroup], "fork(2); cgroups(7) pids",
            "python3 -c \"\nimport os, time\nfor _ in range(80):\n    if os.fork() == 0: time.sleep(9)\"", root: true),
        bomb(
            "disk", .disk, "fills the workspace", [.disk], "ext4(5)",
            "head -c 200M /dev/zero >/workspace/bomb && exit 0; exit 3", root: true),
        bomb(
            "disk-in-home", .disk, "fills its home", [.disk], "ext4(5)",
            "head -c 200M /dev/zero >/home/agent/bomb && exit 0; exit 3", root: true),
        bomb(
            "inodes", .disk, "makes files without end", [.disk], "ext4(5)",
            "mkdir many; python3 -c \"\nfor i in range(6000): open('many/%d' % i, 'w')\" && exit 0; exit 3", root: true),
        bomb("output", .output, "prints without end", [.relay], "sandbox.output_bytes", "cat /dev/zero", root: false),
        bomb(
            "time", .wallClock, "never ends", [.pidNamespace], "tasks.default_timeout",
            "trap '' TERM INT; while :; do sleep 1; done", root: false, config: ["timeout_seconds": 2]),
    ]

    private static func bomb(
        _ name: String, _ limit: SandboxLimit, _ tries: String, _ walls: [Wall], _ reference: String, _ script: String,
        root: Bool, config: [String: JSONValue] = [:]
    ) -> Attack {
        Attack(
            name: "task-bomb-" + name, category: .bomb, tries: tries + ", as a task", walls: walls,
            reference: reference,
            body: .scene { _, arena in
                let server = arena.server
                let id = try await server.create(
                    script, repo: try Repositories.make(arena, "true", prefix: "tiny-"), config: config)
                let task = try await server.finished(id)
                #expect(task["status"] == "failed", "\(task)")
                #expect(task["error"]?.stringValue?.contains("limit") == true || limit == .wallClock, "\(task)")
                let record = try await eventually("the audit of \(name)") {
                    try await arena.audit(id).first { $0["name"]?.stringValue == limit.rawValue }
                }
                #expect(["limit", "watchdog"].contains(record["kind"]?.stringValue ?? ""), "\(record)")
                // Under the profile `code` the same goes through, where that is no harm.
                guard root else { return }
                let free = try await server.create(script, repo: Repositories.plain(arena))
                #expect(try await server.finished(free)["error"]?.stringValue?.contains("limit") != true)
            }, record: .limit(limit), control: root ? .within("the profile `code`") : .unsafe("would not end"),
            rootOnly: root, isTask: false)
    }
}
