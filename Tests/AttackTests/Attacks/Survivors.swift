import Foundation
import ServerKit
import TestKit
import Testing

extension Attack {
    /// Processes that mean to outlive their task. `$M` is what they call themselves.
    static let survivors: [Attack] = [
        survivor(
            "daemon", "starts a session of its own", "daemon(7)",
            "setsid bash -c \"exec -a $M sleep 100\" </dev/null >/dev/null 2>&1 & sleep 0.2"),
        survivor(
            "double-fork", "forks twice and is adopted", "daemon(7)",
            "( ( exec -a $M sleep 100 ) >/dev/null 2>&1 & ); sleep 0.2"),
        survivor(
            "held-pipe", "keeps the output open", "pipe(7); golang/go#23019", "( exec -a $M sleep 100 ) & sleep 0.2"),
        survivor(
            "stopped", "stops itself, so that it takes no signal", "signal(7)",
            "( exec -a $M sleep 100 ) & kill -STOP $!; sleep 0.2"),
        survivor(
            "deaf", "ignores every signal it can", "signal(7)",
            "(trap '' TERM HUP INT QUIT PIPE USR1; exec -a $M sleep 100) & sleep 0.2"),
        survivor(
            "respawner", "starts anew whatever dies", "signal(7)",
            "setsid bash -c \"for i in {1..2000}; do (exec -a $M sleep 0.05); done\" >/dev/null 2>&1 & sleep 0.2"),
        survivor(
            "crowd", "is too many to be killed one by one", "cgroups(7) cgroup.kill",
            "for i in {1..150}; do (trap '' TERM; exec -a $M sleep 100) & done; sleep 0.3"),
        survivor(
            "orphan-of-the-killed", "kills its parents and goes on", "pid_namespaces(7)",
            "setsid bash -c \"exec -a $M sleep 100\" & sleep 0.2; kill -9 $$", status: "failed"),
    ]

    private static func survivor(
        _ name: String, _ tries: String, _ reference: String, _ script: String, status: String = "completed"
    ) -> Attack {
        Attack(
            name: "survivor-" + name, category: .survivor, tries: tries, walls: [.pidNamespace, .cgroup],
            reference: reference,
            body: .scene { _, arena in
                let mark = "survivor-\(UUID().uuidString.prefix(13))"
                let text = "M=\(mark)\n" + script
                // Outside it does survive.
                let shell = try ChildProcess("/bin/bash", ["-c", text], environment: [:])
                _ = try await shell.wait(seconds: 10)
                let left = try await eventually("\(mark) outside") {
                    let found = Arena.processes(mark)
                    return found.isEmpty ? nil : found
                }
                #expect(!left.isEmpty)
                for _ in 0..<50 where !Arena.processes(mark).isEmpty {
                    for pid in Arena.processes(mark) { kill(pid, SIGKILL) }
                    try await Task.sleep(for: .milliseconds(20))
                }
                // In a sandbox of its own, and as a task.
                let clock = ContinuousClock()
                let start = clock.now
                let outcome = try await arena.launch("") { $0.arguments = ["/bin/bash", "-c", text] }
                #expect(clock.now - start < .seconds(3), "the end came late")
                #expect(outcome.exit != nil && Arena.processes(mark).isEmpty)
                let id = try await arena.server.create(text, repo: Repositories.plain(arena))
                let task = try await arena.server.finished(id)
                #expect(task["status"]?.stringValue == status, "\(task)")
                #expect(Arena.processes(mark).isEmpty, "alive after the end of its task")
            }, record: .told("the task's end"), control: .within("the same script outside"), isTask: false)
    }
}
