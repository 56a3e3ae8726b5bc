import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import TestKit
import Testing
import Workflows

@testable import API

@Suite struct WorkflowTests {
    private let path = "/api/v1/workflows"
    private let body = #"""
        {"name":"mine","description":"d","builtin":true,"unknown":1,
         "steps":[{"name":"get","type":"fetch","config":{"url":"https://h.example/{{.Params.id}}","outputs":{"t":"$.t"}}},
          {"name":"fix","type":"task","config":{"repo_url":"{{.Params.repo_url}}","prompt":"Fix {{.Steps.get.t}}"}}],
         "parameters":[{"name":"id","required":true},{"name":"repo_url","default":"https://h.example/r.git"}]}
        """#

    @Test func aWorkflowComesBackAsItWasCreated() async throws {
        try await APIRig().application.test(.router) { client async throws in
            #expect(try await client.ask(.get, path).body == #"{"workflows":[]}"# + "\n")
            let answer = try await client.ask(.post, path, body)
            #expect(answer.status == 201)
            #expect(answer.body == #"{"name":"mine","message":"workflow created"}"# + "\n")
            let one = try await client.ask(.get, path + "/mine").json
            #expect(
                Set(one.keys) == ["name", "description", "builtin", "steps", "parameters", "created_at"])
            #expect(one["builtin"] as? Bool == false && one["description"] as? String == "d")
            let steps = try #require(one["steps"] as? [[String: Any]])
            #expect(steps.map { $0["name"] as? String } == ["get", "fix"])
            #expect((steps[0]["config"] as? [String: Any])?["outputs"] as? [String: String] == ["t": "$.t"])
            let parameters = try #require(one["parameters"] as? [[String: Any]])
            #expect(parameters.map { Set($0.keys) } == [["name", "required"], ["name", "required", "default"]])
            let all = try #require(try await client.ask(.get, path).json["workflows"] as? [[String: Any]])
            #expect(all.count == 1 && all[0]["name"] as? String == "mine")
        }
    }

    @Test(arguments: [
        ("{}", "name is required"), (#"{"name":""}"#, "name is required"),
        (#"{"name":"a b"}"#, "name must contain only alphanumeric characters, hyphens, and underscores"),
        ("", "invalid JSON body"), (#"{"name":1}"#, "invalid JSON body"),
        (#"{"name":"a","steps":{}}"#, "invalid JSON body"),
        (#"{"name":"a","steps":[{"name":1}]}"#, "invalid JSON body"),
        (#"{"name":"a","parameters":[{"default":1}]}"#, "invalid JSON body"),
    ]) func aWrongWorkflowIsRefused(body: String, message: String) async throws {
        try await APIRig().application.test(.router) { client async throws in
            let answer = try await client.ask(.post, path, body)
            #expect(answer.status == 400)
            #expect(answer.text("message") == message)
            #expect(try await client.ask(.get, path).body == #"{"workflows":[]}"# + "\n")
        }
    }

    @Test func everyWrongMemberIsNamed() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let answer = try await client.ask(
                .post, path, #"{"name":"a","steps":[{"name":"s","type":"sleep"},{"name":"f","type":"fetch"}]}"#)
            #expect(answer.status == 400)
            let fields = answer.json["fields"] as? [String: String] ?? [:]
            #expect(Set(fields.keys) == ["steps[0].type", "steps[1].config.url"], "\(answer.body)")
        }
    }

    @Test func stepsAndParametersMayBeMissing() async throws {
        try await APIRig().application.test(.router) { client async throws in
            #expect(
                try await client.ask(.post, path, #"{"name":"a","steps":null,"parameters":[]}"#).status == 201)
        }
    }

    @Test func aNameIsTakenUntilItIsDeleted() async throws {
        try await APIRig().application.test(.router) { client async throws in
            #expect(try await client.ask(.post, path, body).status == 201)
            let second = try await client.ask(.post, path, body)
            #expect(second.status == 409 && second.text("message") == "workflow 'mine' already exists")
            let deleted = try await client.ask(.delete, path + "/mine")
            #expect(deleted.status == 200 && deleted.body == #"{"message":"workflow deleted"}"# + "\n")
            for method in [HTTPRequest.Method.get, .delete] {
                let gone = try await client.ask(method, path + "/mine")
                #expect(gone.status == 404 && gone.text("message") == "workflow 'mine' not found")
            }
        }
    }

    @Test func aBuiltInWorkflowStays() async throws {
        let rig = APIRig()
        try await rig.workflows.replaceBuiltIn([Workflow(name: "b", isBuiltIn: true, createdAt: rig.clock.now())])
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.delete, path + "/b")
            #expect(answer.status == 409 && answer.text("message") == "cannot delete built-in workflow 'b'")
            #expect(try await client.ask(.get, path + "/b").json["builtin"] as? Bool == true)
        }
    }

    @Test func onlyAdministratorsSeeWhatIsSecretInThem() async throws {
        let rig = APIRig()
        let reader = try await rig.token("reader", .read)
        try await rig.workflows.insert(
            Workflow(
                name: "w",
                steps: [
                    WorkflowStep(
                        name: "get", type: "fetch",
                        config: [
                            "url": "u", "headers": ["Authorization": "Bearer s1", "X-Api-Key": "s2", "Accept": "x"],
                        ]),
                    WorkflowStep(
                        name: "fix", type: "task",
                        config: [
                            "access_token": "{{.Params.t}}", "prompt": "p",
                            "tools": [["name": "n", "config": ["k": "s3"]]],
                            "mcp_servers": [["name": "m", "env": ["E": "s4"], "headers": ["H": "s5"]]],
                        ]),
                    WorkflowStep(name: "own", type: "task", config: ["access_token": "s6"]),
                ], parameters: [.init(name: "access_token", default: "s7")], createdAt: rig.clock.now()))
        try await rig.application.test(.router) { client async throws in
            let secrets = (1...7).map { "\"s\($0)\"" }
            for uri in [path, path + "/w"] {
                let shown = try await client.ask(.get, uri, token: reader).body
                #expect(!shown.contains("Bearer s1") && !secrets.contains { shown.contains($0) }, "\(shown)")
                #expect(shown.contains("{{.Params.t}}") && shown.contains("\"Accept\":\"x\""))
                let whole = try await client.ask(.get, uri).body
                #expect(whole.contains("Bearer s1") && secrets.dropFirst().allSatisfy { whole.contains($0) })
            }
        }
    }

    // MARK: Runs

    @Test func aRunIsStartedAndShown() async throws {
        let rig = APIRig()
        try await rig.application.test(.router) { client async throws in
            _ = try await client.ask(.post, path, body)
            let answer = try await client.ask(
                .post, path + "/mine/run", #"{"params":{"id":"9","access_token":"sesame","empty_token":""}}"#)
            #expect(answer.status == 201)
            #expect(Set(answer.json.keys) == ["run_id", "workflow_name", "status", "created_at"])
            #expect(answer.text("workflow_name") == "mine" && answer.text("status") == "pending")
            let id = try #require(answer.text("run_id"))
            var run = try await client.ask(.get, "/api/v1/workflow-runs/" + id).json
            #expect(Set(run.keys) == ["id", "workflow_name", "status", "params", "created_at"])
            #expect(
                run["params"] as? [String: String] == [
                    "id": "9", "access_token": "***", "empty_token": "", "repo_url": "https://h.example/r.git",
                ])
            try await rig.runs.update(id) { run throws(CodeForgeError) in
                run.status = .failed
                run.error = "e"
                (run.startedAt, run.finishedAt) = (run.createdAt, run.createdAt)
                var step = RunStep(runID: id, index: 0, name: "get", type: "fetch", startedAt: run.createdAt)
                step.result = ["t": "x"]
                return step
            }
            run = try await client.ask(.get, "/api/v1/workflow-runs/" + id).json
            #expect(run["error"] as? String == "e" && run["started_at"] != nil && run["finished_at"] != nil)
            let step = try #require((run["steps"] as? [[String: Any]])?.first)
            #expect(Set(step.keys) == ["run_id", "step_name", "step_type", "status", "result", "started_at"])
            let list = try #require(
                try await client.ask(.get, "/api/v1/workflow-runs").json["runs"] as? [[String: Any]])
            #expect(list.count == 1 && list[0]["steps"] == nil && list[0]["params"] != nil)
            #expect(
                try await client.ask(.get, "/api/v1/workflow-runs?workflow=none").body == #"{"runs":[]}"# + "\n")
        }
    }

    @Test(arguments: [
        ("none", "{}", 404, "workflow 'none' not found"), ("mine", "", 400, "missing required parameter: id"),
        ("mine", #"{"params":{}}"#, 400, "missing required parameter: id"),
        ("mine", #"{"params":{"id":1}}"#, 400, "invalid JSON body"), ("mine", "[]", 400, "invalid JSON body"),
    ])
    func aWrongRunIsRefused(name: String, json: String, status: Int, message: String) async throws {
        let rig = APIRig()
        try await rig.application.test(.router) { client async throws in
            _ = try await client.ask(.post, path, body)
            let answer = try await client.ask(.post, "\(path)/\(name)/run", json)
            #expect(answer.status == status && answer.text("message") == message, "\(answer.body)")
        }
        #expect(try await rig.runs.runs(of: nil, limit: 9).isEmpty)
    }

    @Test func aRunThatNamesItselfIsStartedOnce() async throws {
        let rig = APIRig()
        try await rig.application.test(.router) { client async throws in
            _ = try await client.ask(.post, path, #"{"name":"w"}"#)
            let first = try await client.ask(.post, path + "/w/run", "{}", headers: [.idempotencyKey: "k"])
            let again = try await client.ask(.post, path + "/w/run", "{}", headers: [.idempotencyKey: "k"])
            #expect(first.status == 201 && again.status == 201 && first.body == again.body)
        }
        #expect(try await rig.runs.runs(of: nil, limit: 9).count == 1)
    }

    @Test func runsAreCanceled() async throws {
        let rig = APIRig()
        let runs = "/api/v1/workflow-runs"
        try await rig.application.test(.router) { client async throws in
            _ = try await client.ask(.post, path, #"{"name":"w"}"#)
            func start() async throws -> String {
                try #require(try await client.ask(.post, path + "/w/run").text("run_id"))
            }
            let id = try await start()
            let answer = try await client.ask(.post, "\(runs)/\(id)/cancel")
            #expect(answer.status == 200)
            #expect(
                answer.body == #"{"id":"\#(id)","status":"canceling","message":"workflow run cancellation requested"}"#
                    + "\n")
            let again = try await client.ask(.post, "\(runs)/\(id)/cancel")
            #expect(again.status == 409 && again.text("message") == "run is not active (status: canceled)")
            for (method, uri) in [
                (HTTPRequest.Method.post, "\(runs)/x%20y/cancel"), (.get, "\(runs)/x%20y"),
                (.get, "\(runs)/x%20y/stream"),
            ] {
                let gone = try await client.ask(method, uri)
                #expect(gone.status == 404 && gone.text("message") == "workflow run 'x y' not found")
            }
            _ = try await start()
            _ = try await start()
            let all = try await client.ask(.post, runs + "/cancel-all?workflow=w")
            #expect(all.body == #"{"canceled":2,"message":"2 workflow runs canceled"}"# + "\n")
            let none = try await client.ask(.post, runs + "/cancel-all?workflow=unknown")
            #expect(none.status == 200 && none.json["canceled"] as? Int == 0)
            for uri in [runs + "/cancel-all", runs + "/cancel-all?workflow="] {
                #expect(try await client.ask(.post, uri).status == 400)
            }
        }
    }
}

/// Streams of runs over real sockets.
@Suite struct RunStreamTests {
    private static func event(_ name: String) -> LoggedEvent.Body {
        .event(json: TaskEvent(.system, name, time: Timestamp(nanoseconds: 0)).json)
    }

    private static let done = LoggedEvent.Body.done(json: Array(#"{"run_id":"r","status":"completed"}"#.utf8))

    private static func frame(_ id: Int, _ name: String) -> String {
        "id: \(id)-0\n"
            + #"data: {"type":"system","event":"\#(name)","data":null,"ts":"1970-01-01T00:00:00Z"}"# + "\n\n"
    }

    private func rig(_ status: WorkflowRun.Status) async throws -> APIRig {
        let rig = APIRig()
        var run = WorkflowRun(
            id: "r", workflow: Workflow(name: "w", createdAt: rig.clock.now()), params: [:], createdAt: rig.clock.now())
        run.status = status
        if status.isFinished { run.finishedAt = rig.clock.now().advanced(by: .seconds(-60)) }
        try await rig.runs.insert(run)
        return rig
    }

    private func finish(_ rig: APIRig) async throws {
        let now = rig.clock.now()
        try await rig.runs.update("r") { run throws(CodeForgeError) in
            run.status = .completed
            run.finishedAt = now
            return nil
        }
    }

    private let connected = "event: connected\ndata: {\"run_id\":\"r\",\"status\":\""
    private let end = "event: done\ndata: {\"run_id\":\"r\",\"status\":\"completed\"}\n\n"

    @Test func aFinishedRunIsReplayedAndClosed() async throws {
        let rig = try await rig(.completed)
        try await rig.events.append([Self.event("a"), Self.event("b"), Self.done], to: "r")
        try await rig.application.test(.live) { client async throws in
            let body = try StreamClient.split(
                try await StreamClient(port: client.port).readAll("/api/v1/workflow-runs/r/stream")
            ).body
            #expect(
                body == connected + "completed\"}\n\n" + Self.frame(1, "a") + Self.frame(2, "b") + "id: 3-0\n" + end)
            let resumed = try StreamClient.split(
                try await StreamClient(port: client.port).readAll(
                    "/api/v1/workflow-runs/r/stream", "Last-Event-ID: 1-0\r\n")
            ).body
            #expect(resumed == connected + "completed\"}\n\n" + Self.frame(2, "b") + "id: 3-0\n" + end)
        }
    }

    @Test func aFinishedRunWhoseEventsAreGoneIsClosed() async throws {
        try await rig(.completed).application.test(.live) { client async throws in
            let raw = try await StreamClient(port: client.port).readAll("/api/v1/workflow-runs/r/stream")
            #expect(try StreamClient.split(raw).body == connected + "completed\"}\n\n" + end)
        }
    }

    @Test func liveEventsArriveAndDoneEndsTheStream() async throws {
        let rig = try await rig(.running)
        try await rig.application.test(.live) { client async throws in
            let stream = try StreamClient(port: client.port)
            try await stream.open("/api/v1/workflow-runs/r/stream")
            _ = try await stream.read(until: "event: connected")
            try await rig.events.append([Self.event("new")], to: "r")
            #expect(try await stream.read(until: "\"new\"").contains("id: 1-0"))
            try await finish(rig)
            try await rig.events.append([Self.done], to: "r")
            #expect(StreamClient.unchunk(try await stream.readToEnd()).hasSuffix("id: 2-0\n" + end))
        }
    }

    @Test func anEndThatTheLogLostIsToldByTheRecord() async throws {
        let rig = try await rig(.running)
        try await rig.application.test(.live) { client async throws in
            let stream = try StreamClient(port: client.port)
            try await stream.open("/api/v1/workflow-runs/r/stream")
            _ = try await stream.read(until: "event: connected")
            try await finish(rig)
            // A quiet stream looks at the record, and waits a little for the log.
            try await eventually("the end") {
                rig.ticker.tick(.now + .seconds(20))
                return rig.ticker.count == 0 ? () : nil
            }
            #expect(StreamClient.unchunk(try await stream.readToEnd()).hasSuffix(end))
        }
    }

    @Test func aStreamEndsAfterHalfAnHour() async throws {
        let rig = try await rig(.running)
        try await rig.application.test(.live) { client async throws in
            let stream = try StreamClient(port: client.port)
            try await stream.open("/api/v1/workflow-runs/r/stream")
            _ = try await stream.read(until: "event: connected")
            try await Task.sleep(for: .milliseconds(200))  // as `whileTicking` says
            rig.ticker.tick(.now + .seconds(1801))
            #expect(
                StreamClient.unchunk(try await stream.readToEnd()).hasSuffix(
                    "event: timeout\ndata: {\"message\":\"stream closed after 30 minutes\"}\n\n"))
        }
    }
}
