import Client
import Dispatch
import Domain
import Glibc
import Synchronization

/// Ctrl-C while something of the service is followed: the first says how to cancel it, the second ends the command alone.
struct Interrupts {
    private final class State: Sendable {
        let count = Mutex(0)
        let last = Mutex<String?>(nil)
    }
    private let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    private let state = State()

    /// - Parameters:
    ///   - what: Is followed: `task`.
    ///   - cancel: Command that cancels it.
    ///   - follow: Command that follows it again, without the id.
    init(_ what: String, cancel: String, follow: String, id: String) {
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

                codeforge: the \(what) goes on, also after another Ctrl-C, which ends this command
                  cancel it:       \(cancel)
                  follow it later: \(follow)\(place) \(id)
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
    /// As a line of JSON has it: what the event says, with its id; what the stream itself says (`connected`, `timeout`,
    /// `done`) in the same form.
    func line(_ data: JSONValue) -> JSONValue {
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
