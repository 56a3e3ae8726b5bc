import Domain
import Foundation
import ServerKit
import Testing

/// Kill -9 of each process while a task runs: nothing is lost, nothing is stuck.
@Suite(.serialized) struct CrashTests {
    /// Prints `count` numbered lines slowly enough to be interrupted in the middle.
    private func counting(_ count: Int) -> String {
        "for i in $(seq 1 \(count)); do echo line $i; sleep 0.02; done"
    }

    private func lines(_ frames: [ServerFixture.Frame]) -> [String] {
        frames.filter { $0.name == "output" }.compactMap { $0.data["data"]?["content"]?.stringValue }
    }

    private func expected(_ count: Int) -> [String] { (1...count).map { "line \($0)" } }

    @Test(arguments: [SIGKILL, SIGTERM])
    func aRestartedServerPicksRunningTasksUp(_ signal: Int32) async throws {
        try await ServerFixture.with { server in
            let id = try await server.create(counting(150), repo: try server.makeRepository())
            try await server.wait(id, for: "running")
            let supervisor = try #require(server.supervisor(of: id))
            try await server.restart(signal: signal)
            #expect(server.supervisor(of: id) == supervisor, "the supervisor was left running")
            let frames = try await server.frames(id)
            #expect(lines(frames) == expected(150))
            #expect(frames.last?.data["status"] == "completed")
            #expect(frames.filter { $0.name == "task_completed" }.count == 1)
        }
    }

    @Test func aTaskThatEndsWhileTheServerIsDownIsRecorded() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create("echo here; sleep 2", repo: try server.makeRepository())
            try await server.wait(id, for: "running")
            server.process.signal(SIGKILL)
            try await server.process.wait()
            for _ in 0..<200 where server.supervisor(of: id) != nil { try await Task.sleep(for: .milliseconds(50)) }
            try await server.restart(signal: SIGKILL)
            let task = try await server.finished(id)
            #expect(task["status"] == "completed", "\(task)")
            #expect(try await server.frames(id).map(\.name).suffix(2) == ["task_completed", "done"])
        }
    }

    @Test func aKilledSupervisorIsReplacedOnce() async throws {
        try await ServerFixture.with { server in
            // The first attempt hangs; the marker in the repository of the service's storage tells them apart.
            let id = try await server.create("echo started; sleep 3; echo finished", repo: try server.makeRepository())
            try await server.wait(id, for: "running")
            let first = try #require(server.supervisor(of: id))
            kill(first, SIGKILL)
            let task = try await server.finished(id, seconds: 60)
            #expect(task["status"] == "completed", "\(task)")
            #expect(server.pids("codeforge-supervisor", id).isEmpty)
        }
    }

    @Test func aCancelWithoutASupervisorReachesTheNext() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create("echo started; sleep 600", repo: try server.makeRepository())
            try await server.wait(id, for: "running")
            kill(try #require(server.supervisor(of: id)), SIGKILL)
            #expect(try await server.request("POST", "/api/v1/tasks/\(id)/cancel").status == 200)
            #expect(try await server.finished(id)["error"] == "canceled by user")
            #expect(server.supervisor(of: id) == nil)
        }
    }

    @Test func aSupervisorKilledTwiceFailsTheTaskAndNothingSurvives() async throws {
        try await ServerFixture.with { server in
            let marker = "\(31_000 + Int.random(in: 0..<900))"
            let id = try await server.create("echo up; exec sleep \(marker)", repo: try server.makeRepository())
            for _ in 0..<2 {
                for _ in 0..<400 where server.pids("sleep", marker).isEmpty {
                    try await Task.sleep(for: .milliseconds(25))
                }
                let pid = try #require(server.supervisor(of: id))
                kill(pid, SIGKILL)
                for _ in 0..<200 where !server.pids("sleep", marker).isEmpty {
                    try await Task.sleep(for: .milliseconds(10))
                }
                #expect(server.pids("sleep", marker).isEmpty, "the sandbox died with its supervisor")
            }
            let task = try await server.finished(id)
            #expect(task["status"] == "failed")
            #expect(task["error"]?.stringValue?.contains("supervisor lost") == true, "\(task)")
            #expect(try await server.frames(id).map(\.name).suffix(2) == ["task_failed", "done"])
        }
    }

    /// Supervisor and server at once, the sandbox paused or not: the next start finds and ends what is left.
    @Test(arguments: [false, true])
    func nothingIsLeftAfterTheNextStart(paused: Bool) async throws {
        guard geteuid() == 0 || !paused else { return }  // an ordinary user has no freezer here
        try await ServerFixture.with { server in
            let marker = "\(32_000 + Int.random(in: 0..<900))"
            let id = try await server.create(
                "setsid sleep \(marker) & trap '' TERM; sleep \(marker)", repo: try server.makeRepository())
            for _ in 0..<400 where server.pids("sleep", marker).count < 2 {
                try await Task.sleep(for: .milliseconds(25))
            }
            let first = Set(server.pids("sleep", marker))
            if paused {
                let list = try await server.request("GET", "/api/v1/sandboxes")
                let sandbox = try #require(list.json["sandboxes"]?.arrayValue?.first?["id"]?.stringValue, "\(list)")
                let answer = try await server.request("POST", "/api/v1/sandboxes/\(sandbox)/pause")
                try #require((200..<300).contains(answer.status), "\(answer)")
            }
            let socket = server.directory + "/data/runs/\(id)/control.sock"
            #expect(access(socket, F_OK) == 0)
            kill(try #require(server.supervisor(of: id)), SIGKILL)
            try await server.restart(signal: SIGKILL)
            for _ in 0..<400 where !first.isDisjoint(with: server.pids("sleep", marker)) {
                try await Task.sleep(for: .milliseconds(25))
            }
            #expect(first.isDisjoint(with: server.pids("sleep", marker)), "what ran is dead")
            // The run is tried once more when its first supervisor's lease is over.
            for _ in 0..<800 where server.pids("sleep", marker).count < 2 {
                try await Task.sleep(for: .milliseconds(50))
            }
            _ = try await server.request("POST", "/api/v1/tasks/\(id)/cancel")
            #expect(try await server.finished(id)["error"] == "canceled by user")
            for _ in 0..<200 where server.supervisor(of: id) != nil { try await Task.sleep(for: .milliseconds(25)) }
            #expect(server.pids("sleep", marker).isEmpty)
            #expect(access(socket, F_OK) != 0)
            #expect(try server.shell("find /sys/fs/cgroup -type d -name '*\(id)*'").isEmpty)
            #expect(try server.shell("grep -c '\(server.directory)' /proc/self/mounts || true") == "0\n")
        }
    }

    @Test func noEventIsLostOrDoubledWhenRedisIsKilled() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create(counting(200), repo: try server.makeRepository())
            try await server.wait(id, for: "running")
            for _ in 0..<2 {
                let redis = try #require(server.redis)
                kill(redis, SIGKILL)
                for _ in 0..<400 where server.redis == nil || server.redis == redis {
                    try await Task.sleep(for: .milliseconds(25))
                }
                try await Task.sleep(for: .milliseconds(500))
            }
            let task = try await server.finished(id)
            #expect(task["status"] == "completed", "\(task)")
            #expect(lines(try await server.frames(id)) == expected(200))
        }
    }

    @Test func aCreatedTaskSurvivesTheServersDeath() async throws {
        try await ServerFixture.with(["CODEFORGE_WORKERS__CONCURRENCY": "1"]) { server in
            let repo = try server.makeRepository()
            let first = try await server.create("sleep 2", repo: repo)
            var waiting: [String] = []
            for number in 0..<5 { waiting.append(try await server.create("echo \(number)", repo: repo)) }
            try await server.wait(first, for: "running")
            try await server.restart(signal: SIGKILL)
            for id in [first] + waiting {
                #expect(try await server.finished(id)["status"] == "completed")
            }
        }
    }

    @Test func aStreamResumesAfterTheLastEventTheClientSaw() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create(counting(30), repo: try server.makeRepository())
            var seen: [ServerFixture.Frame] = []
            try await server.stream(id) { frame in
                seen.append(frame)
                return lines(seen).count < 10
            }
            let last = try #require(seen.last?.id)
            try await server.stream(id, lastEventID: last) { frame in
                seen.append(frame)
                return true
            }
            #expect(lines(seen) == expected(30))
        }
    }

    @Test func aGracefulStopEndsOpenStreamsAtOnce() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create("echo up; sleep 20", repo: try server.makeRepository())
            try await server.wait(id, for: "running")
            async let stream: Void? = try? server.stream(id)  // ends with the connection, cleanly or not
            try await Task.sleep(for: .milliseconds(300))
            server.process.signal(SIGTERM)
            #expect(try await server.process.wait(seconds: 10) == 0)
            _ = await stream
            #expect(server.supervisor(of: id) != nil && server.redis != nil, "they are left running")
        }
    }

    @Test func drainingWaitsForRunningTasks() async throws {
        try await ServerFixture.with(flags: ["--drain"]) { server in
            let id = try await server.create("echo up; sleep 3; echo over", repo: try server.makeRepository())
            try await server.wait(id, for: "running")
            server.process.signal(SIGTERM)
            #expect(try await server.process.wait(seconds: 20) == 0)
            #expect(server.supervisor(of: id) == nil && server.redis == nil, "nothing is left")
            try await server.restart(signal: SIGTERM)
            #expect(try await server.task(id)["status"] == "completed")
        }
    }
}
