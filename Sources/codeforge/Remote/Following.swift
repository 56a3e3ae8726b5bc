import ArgumentParser
import Client
import Dispatch
import Domain
import FoundationEssentials
import Glibc
import Synchronization

/// Shows the events of something until it ends: of a task, or of a workflow's run.
///
/// Everything in them may be hostile: to people it is shown without what could steer a terminal.
protocol EventFollower {
    static var resource: Resource { get }
    /// What is followed, and the command that does: `run` and `workflow`.
    static var names: (thing: String, command: String) { get }

    /// Shows an event to people.
    func show(_ event: JSONValue)
    /// What a record of the end says and no event told.
    func untold(_ record: JSONValue) -> String?
    /// The last lines to people.
    func outcome(_ record: JSONValue) -> [String]
    func end(_ record: JSONValue) -> TaskEnd
}

extension EventFollower {
    /// - Throws: `ExitCode` as it ended; nothing when it completed.
    func follow(_ id: String, _ api: APIClient, after: String? = nil, json: Bool) async throws {
        let interrupts = Interrupts(Self.names.thing, command: "codeforge " + Self.names.command, id: id)
        defer { interrupts.stop() }
        try await api.follow(Self.resource.path(id, "/stream"), after: after) { event in
            interrupts.saw(event.id)
            if let data = event.json {
                if json { printJSON(event.line(data)) } else if event.name == nil { show(data) }
            }
            flushOutput()
            return true
        }
        let record = try await api.get(Self.resource.path(id))
        let end = end(record)
        if !json {
            if let text = untold(record) { say(text) }
            print("")
            let (mark, style) = end == .completed ? ("✓", Terminal.Style.green) : ("✗", .red)
            print(Terminal.styled("\(mark) \(record.text("status"))", style))
            let lines = outcome(record)
            if !lines.isEmpty { say(lines.joined(separator: "\n")) }
            complain("\(Self.names.thing) \(id)")
        }
        flushOutput()
        if end != .completed { throw ExitCode(end.rawValue) }
    }
}

/// How a task or a workflow's run ended, as a shell sees it.
enum TaskEnd: Int32 {
    case completed = 0
    case failed = 1
    case timedOut = 124
    case cancelled = 130
}

/// For a command that follows something from the first event on.
struct StreamOptions: ParsableArguments {
    @Option(help: "Id of an event, as --json shows them: only those after it.")
    var after: String?
    @Flag(help: "Print each event as a line of JSON.")
    var json = false
    @OptionGroup var service: ServiceOptions

    func follow<Follower: EventFollower>(_ text: String, _ follower: Follower) async throws {
        let api = try service.client()
        try await reporting {
            try await follower.follow(try await Follower.resource.id(text, api), api, after: after, json: json)
        }
    }
}

/// Ctrl-C while something of the service is followed: the first says how to cancel it, the second ends the command alone.
private struct Interrupts {
    private final class State: Sendable {
        let count = Mutex(0)
        let last = Mutex<String?>(nil)
    }
    private let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    private let state = State()

    init(_ thing: String, command: String, id: String) {
        signal(SIGINT, SIG_IGN)
        source.setEventHandler { [state] in
            let times = state.count.withLock { count in
                count += 1
                return count
            }
            guard times == 1 else { _exit(130) }
            let place = state.last.withLock { $0 }.map { " --after \($0)" } ?? ""
            complain(
                """

                codeforge: the \(thing) goes on, also after another Ctrl-C, which ends this command
                  cancel it:       \(command) cancel \(id)
                  follow it later: \(command) stream\(place) \(id)
                """)
        }
        source.resume()
    }

    func saw(_ event: String?) { if let event { state.last.withLock { $0 = event } } }

    func stop() {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}

extension ServerEvent {
    /// What it says; the service's events are JSON.
    var json: JSONValue? { try? JSONDecoder().decode(JSONValue.self, from: Data(data.utf8)) }  // else it is not ours

    /// As a line of JSON has it: what the event says, with its id; what the stream itself says (`connected`, `timeout`,
    /// `done`) in the same form.
    fileprivate func line(_ data: JSONValue) -> JSONValue {
        var members: [String: JSONValue] = [:]
        if case .object(let own) = data, name == nil {
            members = own
        } else {
            members = ["type": "connection", "event": .string(name ?? ""), "data": data]
        }
        if let id { members["id"] = .string(id) }
        return .object(members)
    }
}
