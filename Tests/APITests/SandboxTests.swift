import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestKit
import Testing

@testable import API

@Suite struct SandboxTests {
    private static let id = "77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent"

    private func status(_ rig: APIRig, _ change: (inout SandboxStatus) -> Void = { _ in }) -> SandboxStatus {
        var usage = SandboxStatus.Usage()
        usage.cpuSeconds = 1.5
        usage.cpuLimit = 2
        usage.memory = .init(now: 10, peak: 20, limit: 30)
        usage.processes = .init(now: 0, limit: 256)
        usage.gatewayOut = .init(now: 7)
        usage.refusedCalls = 3
        var status = SandboxStatus(
            id: Self.id, taskID: "77a2ffbd-11b6-4654-9325-89306d55bc89", iteration: 1, phase: "agent", state: .running,
            profile: .untrusted, image: "base", layers: [.userNamespace, .seccomp],
            missing: [LayerStatus(layer: .landlock, isPresent: false, detail: "no Landlock", remedy: "newer kernel")],
            pid: 4242, startedAt: Timestamp(nanoseconds: rig.clock.now().nanoseconds - 5_000_000_000), usage: usage)
        change(&status)
        return status
    }

    private func put(_ rig: APIRig, _ records: AuditRecord...) async throws {
        let run = RunID(taskID: "t", iteration: 1, attempt: 1, purpose: .task)
        try await rig.trail.append([AuditBatch(run: run, records: records)])
    }

    private func record(
        _ number: Int, _ kind: AuditRecord.Kind = .syscall, _ name: String = "mount",
        _ verdict: AuditRecord.Verdict = .refused
    ) -> AuditRecord {
        AuditRecord(
            number: number, time: Timestamp(nanoseconds: Int64(number) * 1_000_000_000), sandbox: Self.id, kind: kind,
            name: name, verdict: verdict, detail: ["errno": 1])
    }

    @Test func runningSandboxesAreListedAndShown() async throws {
        let rig = APIRig()
        rig.control.add(status(rig))
        try await rig.application.test(.router) { client async throws in
            let list = try await client.ask(.get, "/api/v1/sandboxes")
            #expect(list.status == 200 && list.json["total"] as? Int == 1)
            let item = try #require((list.json["sandboxes"] as? [[String: Any]])?.first)
            #expect(item["id"] as? String == Self.id && item["profile"] as? String == "untrusted")
            #expect(item["effective_profile"] == nil)
            let one = try await client.ask(.get, "/api/v1/sandboxes/\(Self.id)")
            #expect(one.status == 200)
            #expect(
                one.json["uptime_seconds"] as? Int == 5
                    && one.json["layers"] as? [String] == ["user-namespace", "seccomp"])
            let usage = try #require(one.json["usage"] as? [String: Any])
            #expect(usage["memory"] as? [String: Int] == ["now_bytes": 10, "peak_bytes": 20, "limit_bytes": 30])
            // 0 is known, absent is not.
            #expect(usage["processes"] as? [String: Int] == ["now": 0, "limit": 256])
            #expect(usage["disk"] == nil && usage["read_bytes"] == nil)
            let profile = try #require(one.json["effective_profile"] as? [String: Any])
            #expect(profile["instructions"] as? String == "ignored")
            #expect((profile["limits"] as? [String: Any])?["disk_bytes"] as? Int == 2 << 30)
            let missing = try #require((one.json["missing_layers"] as? [[String: Any]])?.first)
            #expect(missing["layer"] as? String == "landlock" && missing["remedy"] as? String == "newer kernel")
        }
    }

    @Test func processesAreATree() async throws {
        let rig = APIRig()
        func process(_ pid: Int32, _ parent: Int32) -> SandboxProcess {
            SandboxProcess(
                pid: pid, parent: parent, innerPID: pid - 99, arguments: ["p\(pid)", "\u{1B}[2J"], state: "S",
                cpuSeconds: 0.5, residentBytes: 4096, threads: 1)
        }
        // 200 and 201 are each other's parents: hostile or torn readings must not hang the server.
        let all = [process(100, 1), process(101, 100), process(102, 101), process(200, 201), process(201, 200)]
        rig.control.add(status(rig), processes: all)
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.get, "/api/v1/sandboxes/\(Self.id)/processes")
            #expect(answer.status == 200)
            let roots = try #require(answer.json["processes"] as? [[String: Any]])
            #expect(roots.count == 1 && roots[0]["argv"] as? [String] == ["p100", "\u{1B}[2J"])
            #expect(!answer.body.utf8.contains(0x1B), "control characters are escaped")
            let children = try #require(roots[0]["children"] as? [[String: Any]])
            #expect((children[0]["children"] as? [[String: Any]])?.first?["pid"] as? Int == 102)
        }
    }

    @Test(arguments: [("kill", "killed"), ("pause", "paused"), ("resume", "running")])
    func operatorsAct(action: String, state: String) async throws {
        let rig = APIRig()
        rig.control.add(status(rig))
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.post, "/api/v1/sandboxes/\(Self.id)/\(action)")
            #expect(answer.status == 200 && answer.text("state") == state && answer.text("id") == Self.id)
        }
        let acts = rig.control.acts
        #expect(acts.map(\.action.rawValue) == [action] && acts.map(\.actor) == ["configured token"])
    }

    @Test func theAuditNamesTheToken() async throws {
        let rig = APIRig()
        rig.control.add(status(rig))
        let token = try await rig.token("ops", .admin)
        try await rig.application.test(.router) { client async throws in
            _ = try await client.ask(.post, "/api/v1/sandboxes/\(Self.id)/pause", token: token)
        }
        #expect(rig.control.acts.map(\.actor) == ["token ops"])
    }

    private static let routes: [(HTTPRequest.Method, String)] = [
        (.get, ""), (.get, "/processes"), (.get, "/audit"), (.post, "/kill"), (.post, "/pause"), (.post, "/resume"),
    ]

    @Test func strangersSeeNothing() async throws {
        let rig = APIRig()
        rig.control.add(status(rig))
        try await rig.application.test(.router) { client async throws in
            for (method, path) in Self.routes {
                #expect(try await client.ask(method, "/api/v1/sandboxes/\(Self.id)" + path, token: nil).status == 401)
            }
            #expect(try await client.ask(.get, "/api/v1/sandboxes", token: "wrong").status == 401)
        }
        #expect(rig.control.acts.isEmpty)
    }

    @Test(arguments: ["gone", "..%2f..%2fetc", "a%00b", "x y", String(repeating: "a", count: 65), "a.b"])
    func whatIsUnknownIsNotFound(id: String) async throws {
        try await APIRig().application.test(.router) { client async throws in
            for (method, path) in Self.routes {
                let uri = "/api/v1/sandboxes/" + id.replacing(" ", with: "%20") + path
                let answer = try await client.ask(method, uri)
                #expect(answer.status == 404 && answer.text("error") == "Not Found", "\(uri) \(answer.body)")
            }
        }
    }

    @Test func whatHasEndedIsAConflict() async throws {
        let rig = APIRig()
        try await put(rig, record(1))
        try await rig.application.test(.router) { client async throws in
            for path in ["kill", "pause", "resume"] {
                let answer = try await client.ask(.post, "/api/v1/sandboxes/\(Self.id)/\(path)")
                #expect(answer.status == 409 && answer.text("message") == "sandbox \(Self.id) is not running any more")
            }
            #expect(try await client.ask(.get, "/api/v1/sandboxes/\(Self.id)/processes").status == 409)
            #expect(try await client.ask(.get, "/api/v1/sandboxes/\(Self.id)").status == 404)
            #expect(try await client.ask(.get, "/api/v1/sandboxes/\(Self.id)/audit").status == 200)
        }
    }

    @Test func wrongMethodsAreToldTheRightOnes() async throws {
        try await APIRig().application.test(.router) { client async throws in
            for (method, path, allowed) in [
                (HTTPRequest.Method.get, "/x/kill", "OPTIONS, POST"), (.delete, "/x", "GET, HEAD, OPTIONS"),
                (.post, "", "GET, HEAD, OPTIONS"),
            ] {
                let answer = try await client.ask(method, "/api/v1/sandboxes" + path)
                #expect(answer.status == 405 && answer.headers[.allow] == allowed)
            }
        }
    }

    @Test func aSupervisorThatDoesNotAnswerIsUnavailable() async throws {
        let rig = APIRig()
        rig.control.fail(with: CodeForgeError(.unavailable, "the supervisor does not answer"))
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.post, "/api/v1/sandboxes/\(Self.id)/kill")
            #expect(answer.status == 503 && answer.text("message") == "the supervisor does not answer")
        }
    }

    @Test func theAuditIsPagedAndFiltered() async throws {
        let rig = APIRig()
        try await put(rig, record(1), record(2, .gateway, "git", .allowed), record(3), record(4, .gateway, "none"))
        try await rig.application.test(.router) { client async throws in
            func ask(_ query: String) async throws -> (numbers: [Int], next: String?) {
                let answer = try await client.ask(.get, "/api/v1/sandboxes/\(Self.id)/audit" + query)
                #expect(answer.status == 200)
                let records = answer.json["records"] as? [[String: Any]] ?? []
                return (records.compactMap { $0["number"] as? Int }, answer.text("next"))
            }
            #expect(try await ask("") == ([1, 2, 3, 4], nil))
            let page = try await ask("?limit=2")
            #expect(page.numbers == [1, 2])
            #expect(try await ask("?limit=2&after=\(page.next ?? "")") == ([3, 4], nil))
            #expect(try await ask("?kind=gateway").numbers == [2, 4])
            #expect(try await ask("?kind=gateway&verdict=refused").numbers == [4])
            #expect(try await ask("?limit=0&after=&kind=&verdict=").numbers == [1, 2, 3, 4])
            for (query, field) in [
                ("kind=nope", "kind"), ("verdict=1", "verdict"), ("after=x", "after"), ("after=-1", "after"),
            ] {
                let answer = try await client.ask(.get, "/api/v1/sandboxes/\(Self.id)/audit?\(query)")
                #expect(answer.status == 400 && (answer.json["fields"] as? [String: String])?[field] != nil)
            }
            let one = try await client.ask(.get, "/api/v1/sandboxes/\(Self.id)/audit?limit=1")
            let first = try #require((one.json["records"] as? [[String: Any]])?.first)
            #expect(first["sandbox"] as? String == Self.id && first["task_id"] as? String == "t")
            #expect(first["kind"] as? String == "syscall" && first["verdict"] as? String == "refused")
            #expect(
                first["detail"] as? [String: Int] == ["errno": 1] && first["time"] as? String == "1970-01-01T00:00:01Z")
        }
    }

    @Test func aTaskShowsItsAuditWhenAsked() async throws {
        let rig = APIRig()
        try await rig.insert("t", .completed)
        try await put(rig, record(1))
        _ = try await rig.store.update("t") { task throws(CodeForgeError) in
            var item = Iteration(number: 1, prompt: "p", status: .completed, startedAt: Timestamp(nanoseconds: 0))
            item.profile = "code"
            item.effectiveProfile = SandboxProfile.code.json
            item.missingLayers = [LayerStatus(layer: .landlock, isPresent: false, detail: "d")]
            item.limit = "memory"
            return item
        }
        try await rig.application.test(.router) { client async throws in
            for (query, iterations, audit) in [
                ("", false, false), ("?include=iterations", true, false), ("?include=audit", false, true),
                ("?include=iterations,audit", true, true), ("?include=audit&include=iterations", true, true),
                ("?include=nothing", false, false),
            ] {
                let answer = try await client.ask(.get, "/api/v1/tasks/t" + query)
                #expect(
                    (answer.json["iterations"] != nil) == iterations && (answer.json["audit"] != nil) == audit,
                    "\(query)")
            }
            let answer = try await client.ask(.get, "/api/v1/tasks/t?include=iterations")
            let item = try #require((answer.json["iterations"] as? [[String: Any]])?.first)
            #expect(item["profile"] as? String == "code" && item["limit"] as? String == "memory")
            #expect((item["effective_profile"] as? [String: Any])?["name"] as? String == "code")
            #expect((item["missing_layers"] as? [[String: Any]])?.count == 1)
        }
    }

    @Test func aTasksAuditSaysWhenThereIsMore() async throws {
        let rig = APIRig()
        try await rig.insert("t", .completed)
        let run = RunID(taskID: "t", iteration: 1, attempt: 1, purpose: .task)
        try await rig.trail.append([AuditBatch(run: run, records: (1...1000).map { record($0) })])
        try await rig.application.test(.router) { client async throws in
            let all = try await client.ask(.get, "/api/v1/tasks/t?include=audit")
            #expect((all.json["audit"] as? [Any])?.count == 1000 && all.json["audit_truncated"] == nil)
            try await put(rig, record(1001))
            let cut = try await client.ask(.get, "/api/v1/tasks/t?include=audit")
            #expect((cut.json["audit"] as? [Any])?.count == 1000 && cut.json["audit_truncated"] as? Bool == true)
            // What is missing is found where the description says.
            let page = try await client.ask(.get, "/api/v1/sandboxes/\(Self.id)/audit?limit=1000")
            let next = try #require(page.json["next"] as? String)
            let rest = try await client.ask(.get, "/api/v1/sandboxes/\(Self.id)/audit?limit=1000&after=\(next)")
            #expect((rest.json["records"] as? [[String: Any]])?.map { $0["number"] as? Int } == [1001])
        }
    }

    // MARK: Following

    @Test func followersGetHistoryThenWhatComesThenTheEnd() async throws {
        let rig = APIRig()
        rig.control.add(status(rig))
        try await put(rig, record(1, .sandbox, "start", .noted), record(2))
        try await rig.application.test(.live) { client async throws in
            let stream = try StreamClient(port: client.port)
            try await stream.open("/api/v1/sandboxes/\(Self.id)/audit?follow=true")
            let history = try await stream.read(until: "\"number\":2")
            #expect(history.contains("text/event-stream") && history.contains("retry: 2000\n\n"))
            #expect(history.contains("event: connected\ndata: {\"sandbox\":\"\(Self.id)\",\"state\":\"running\"}"))
            #expect(history.contains("id: 1\ndata: {\"id\":\"1\","))
            try await put(rig, record(3))
            _ = try await stream.read(until: "\"number\":3")
            try await put(rig, record(4, .sandbox, "end", .noted))
            _ = try await stream.read(until: "\"number\":4")
            // Why it ended is known a moment later.
            try await put(rig, record(5, .limit, "memory", .refused))
            let rest = try await stream.readToEnd()
            #expect(
                rest.contains("\"number\":5")
                    && rest.contains("event: done\ndata: {\"sandbox\":\"\(Self.id)\",\"state\":\"ended\"}"))
        }
    }

    @Test func aFollowerThatComesBackMissesNothingAndSeesNothingTwice() async throws {
        let rig = APIRig()
        try await put(rig, record(1), record(2), record(3, .sandbox, "end", .noted))
        try await rig.application.test(.live) { client async throws in
            let stream = try StreamClient(port: client.port)
            let all = try await stream.readAll(
                "/api/v1/sandboxes/\(Self.id)/audit", "Accept: text/event-stream\r\nLast-Event-ID: 1\r\n")
            #expect(!all.contains("\"number\":1") && all.contains("\"number\":2") && all.contains("\"number\":3"))
            #expect(all.contains("event: done"))
        }
    }

    @Test func aSandboxLostWithoutAWordEndsItsStreams() async throws {
        let rig = APIRig()
        rig.control.add(status(rig))
        try await put(rig, record(1))
        try await rig.application.test(.live) { client async throws in
            let stream = try StreamClient(port: client.port)
            try await stream.open("/api/v1/sandboxes/\(Self.id)/audit?follow=true")
            _ = try await stream.read(until: "\"number\":1")
            rig.control.remove(Self.id)
            // The clocks run ahead: keep-alive, then the wait for last records.
            let rest = try await rig.whileTicking(.seconds(16)) { try await stream.readToEnd() }
            #expect(rest.contains(": keepalive") && rest.contains("event: done"))
        }
    }
}
