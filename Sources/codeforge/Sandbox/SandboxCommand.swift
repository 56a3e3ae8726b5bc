import ArgumentParser
import Client
import Domain

struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Look into running sandboxes, act on them, or use one by hand.",
        discussion: """
            A sandbox's id is TASK-ITERATION-ATTEMPT-PHASE; the beginning is enough where it fits one running sandbox.
            \(exitStatuses)

            Examples:
              codeforge sandbox ls
              codeforge sandbox top
              codeforge sandbox exec 77a2 -- ps aux
              codeforge sandbox audit --follow 77a2
            """,
        subcommands: [
            List.self, Inspect.self, Top.self, Processes.self, Audit.self, Execute.self, Kill.self, Pause.self,
            Resume.self, Run.self, Profiles.self,
        ])
}

extension Resource {
    /// The service knows also those that ended, by their whole id.
    static let sandboxes = Resource("sandboxes", at: "/api/v1/sandboxes", id: "id")
}

/// Prints a value as one line of JSON; on a terminal without what could steer it, which JSON need not escape.
func printJSON(_ value: JSONValue) {
    var writer = JSONWriter()
    writer.value(value)
    print(Terminal.isInteractive ? SafeText.lines(writer.bytes) : String(decoding: writer.bytes, as: UTF8.self))
}

extension JSONValue {
    /// A number, with or without a fraction.
    var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// Its text, or what it is as JSON.
    var plain: String {
        if let text = stringValue { return text }
        var writer = JSONWriter()
        writer.value(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The elements of a member.
    func list(_ name: String) -> [JSONValue] { self[name]?.arrayValue ?? [] }

    /// A text member, or `-`.
    func text(_ name: String) -> String { self[name].map(\.plain) ?? "-" }

    /// A member as a number of bytes for people, or `-`.
    func bytes(_ name: String) -> String { self[name]?.intValue.map(Units.bytes) ?? "-" }
}
