package import ControlSocket
package import Domain
import Sandboxing

/// What operators may do to the sandboxes of this run: there is one at a time.
package struct SupervisedSandboxes: SandboxOperations {
    private let spec: JobSpec
    private let control: RunControl
    private let audit: AuditLog
    private let events: any EventSink
    private let clock: any WallClock

    package init(spec: JobSpec, control: RunControl, audit: AuditLog, events: any EventSink, clock: any WallClock) {
        self.spec = spec
        self.control = control
        self.audit = audit
        self.events = events
        self.clock = clock
    }

    package func sandboxes() async throws(CodeForgeError) -> [SandboxStatus] {
        guard let live = control.live else { return [] }
        return [await live.status(of: spec)]
    }

    package func status(of id: String) async throws(CodeForgeError) -> SandboxStatus {
        await (try live(id)).status(of: spec)
    }

    package func processes(of id: String) async throws(CodeForgeError) -> [SandboxProcess] {
        await (try live(id)).sandbox.processes()
    }

    package func perform(_ action: SandboxAction, on id: String, by actor: String) async throws(CodeForgeError) {
        let live = try live(id)
        switch action {
        case .kill:
            audit.operated(action.rawValue, by: actor, sandbox: id)
            control.stop(.killed(by: actor))
            _ = await live.sandbox.wait()
        case .pause:
            try await live.sandbox.pause()
            audit.operated(action.rawValue, by: actor, sandbox: id)
            emit("sandbox_paused", id, actor)
        case .resume:
            try await live.sandbox.resume()
            audit.operated(action.rawValue, by: actor, sandbox: id)
            emit("sandbox_resumed", id, actor)
        }
    }

    package func execute(
        _ command: InsideCommand, in id: String, by actor: String, input: Int32, output: Int32, errors: Int32
    ) async throws(CodeForgeError) -> InsideCommand.End {
        let live = try live(id)
        let words: [JSONValue] = command.arguments.prefix(64).map {
            .string(SafeText.start(of: $0.utf8, limit: 512))
        }
        audit.operated("exec", by: actor, sandbox: id, ["arguments": .array(words)])
        let status = try await live.sandbox.execute(
            command.arguments, environment: live.request.environment.merging(command.environment) { $1 },
            workingDirectory: command.workingDirectory ?? live.request.workingDirectory, input: input, output: output,
            errors: errors)
        let end: InsideCommand.End =
            switch status {
            case .exited(let code): .exited(code: code)
            case .signalled(let signal): .signalled(signal)
            case .killed: .killed
            }
        audit.operated("exec_end", by: actor, sandbox: id, ["code": .int(Int64(end.shellCode))])
        return end
    }

    private func live(_ id: String) throws(CodeForgeError) -> LiveSandbox {
        guard let live = control.live, live.id == id else {
            throw CodeForgeError(.notFound, "no running sandbox \(SafeText.start(of: id.utf8, limit: 64))")
        }
        return live
    }

    private func emit(_ name: String, _ id: String, _ actor: String) {
        let event = TaskEvent(
            .system, name, data: ["sandbox": .string(id), "actor": .string(actor)], time: clock.now())
        events.append(.event(json: event.json))
    }
}
