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

/// Sandboxes as the service tells of them.
struct SandboxClient {
    let api: APIClient

    init(_ options: ServiceOptions) throws { api = try options.client() }

    func running() async throws(CodeForgeError) -> JSONValue { try await api.get("/api/v1/sandboxes") }

    /// The id of the one running sandbox that begins with `text`.
    ///
    /// - Returns: `text` itself when none does: the service knows also those that ended, by their whole id.
    /// - Throws: `.conflict` when there are several.
    func id(_ text: String) async throws(CodeForgeError) -> String {
        let ids = try await running()["sandboxes"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
        return try SandboxClient.pick(text, among: ids) ?? text
    }

    static func pick(_ text: String, among ids: [String], of kind: String = "sandboxes") throws(CodeForgeError)
        -> String?
    {
        if ids.contains(text) { return text }
        let matches = text.isEmpty ? [] : ids.filter { $0.hasPrefix(text) }
        guard matches.count > 1 else { return matches.first }
        throw CodeForgeError(.conflict, "'\(text)' fits several \(kind): \(matches.joined(separator: ", "))")
    }

    /// The path of a sandbox in the API.
    static func path(_ id: String, _ rest: String = "") -> String {
        var escaped = ""
        for byte in id.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.properties.isAlphabetic && scalar.isASCII || ("0"..."9").contains(scalar) || scalar == "-" {
                escaped.unicodeScalars.append(scalar)
            } else {
                escaped += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return "/api/v1/sandboxes/" + escaped + rest
    }
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

    /// A text member, or `-`.
    func text(_ name: String) -> String { self[name].map(\.plain) ?? "-" }

    /// A member as a number of bytes for people, or `-`.
    func bytes(_ name: String) -> String { self[name]?.intValue.map(Units.bytes) ?? "-" }
}
