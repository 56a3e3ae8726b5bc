import ArgumentParser
import Client
import Domain

/// A collection of the service's API: where it is, and how a command line says which of its members is meant.
struct Resource: Sendable {
    /// As a listing has it, and messages: `tasks`.
    let name: String
    /// From `/api/v1` on.
    let path: String
    private let id: String?
    private let query: String
    private let missing: String?

    /// - Parameters:
    ///   - id: Member that holds the id, of which a beginning is enough; `nil` where members have names.
    ///   - query: Of the listing that is looked through for a beginning.
    ///   - missing: Whose beginning was not found: `no workspace`. Without it the service is asked for the text as it is.
    init(_ name: String, at path: String, id: String? = nil, query: String = "", missing: String? = nil) {
        (self.name, self.path, self.id, self.query, self.missing) = (name, path, id, query, missing)
    }

    func path(_ id: String, _ rest: String = "") -> String { path + "/" + PercentEncoding.encoded(id) + rest }

    /// The id of the one member that begins with `text`; a whole id and a name are taken as they are.
    ///
    /// - Throws: `.conflict` when there are several, `.notFound` when there is none.
    func id(_ text: String, _ api: APIClient) async throws(CodeForgeError) -> String {
        guard let id, missing == nil || text.utf8.count != 36 else { return text }
        let ids = try await api.get(path + query).list(name).compactMap { $0[id]?.stringValue }
        if let found = try Resource.pick(text, among: ids, of: name) { return found }
        guard let missing else { return text }
        throw CodeForgeError(.notFound, "\(missing) begins with '\(text)'")
    }

    /// - Throws: `.conflict` when `text` is the beginning of several.
    static func pick(_ text: String, among ids: [String], of kind: String) throws(CodeForgeError) -> String? {
        if ids.contains(text) { return text }
        let matches = text.isEmpty ? [] : ids.filter { $0.hasPrefix(text) }
        guard matches.count > 1 else { return matches.first }
        throw CodeForgeError(.conflict, "'\(text)' fits several \(kind): \(matches.joined(separator: ", "))")
    }
}

/// For a command that asks the service one thing and prints what it answers.
struct AnswerOptions: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false
    @OptionGroup var service: ServiceOptions

    /// Shows an answer: as JSON where that is wanted, else as `text` does.
    func show(
        _ ask: (APIClient) async throws(CodeForgeError) -> JSONValue, as text: (JSONValue) -> Void
    ) async throws {
        let api = try service.client()
        try await reporting {
            let answer = try await ask(api)
            if json { printJSON(answer) } else { text(answer) }
        }
    }

    /// Shows the member `text` means, or what is below it.
    func show(
        _ text: String, of resource: Resource, _ rest: String = "", as sheet: (JSONValue) -> Void
    ) async throws {
        try await show(
            { api throws(CodeForgeError) in try await api.get(resource.path(try await resource.id(text, api), rest)) },
            as: sheet)
    }

    /// Lists members in a table.
    func list(_ resource: Resource, query: String = "", _ columns: [RecordColumn]) async throws {
        try await list(resource, query: query) { TextTable.show($0.list(resource.name), columns) }
    }

    func list(_ resource: Resource, query: String = "", as table: (JSONValue) -> Void) async throws {
        try await show({ api throws(CodeForgeError) in try await api.get(resource.path + query) }, as: table)
    }

    /// Acts on the member `text` means.
    ///
    /// - Parameter patience: Longest time for it.
    func post(
        _ action: String, to text: String, of resource: Resource, _ body: JSONValue? = nil,
        patience: Duration = .seconds(65), as shown: (JSONValue) -> Void
    ) async throws {
        try await show(
            { api throws(CodeForgeError) in
                let id = try await resource.id(text, api)
                return try await api.send("POST", resource.path(id, "/" + action), body, patience: patience)
            }, as: shown)
    }

    /// Adds a member under a name.
    func register(
        _ name: String, in resource: Resource, _ body: () throws(CodeForgeError) -> JSONValue
    ) async throws {
        try await show({ api throws(CodeForgeError) in try await api.send("POST", resource.path, try body()) }) { _ in
            say("\(name) registered")
        }
    }
}

/// For a command that acts on each of several members.
struct EachOptions: ParsableArguments {
    @Flag(help: "Print JSON, one line for each.")
    var json = false
    @OptionGroup var service: ServiceOptions

    /// - Parameter shown: Member of the answer that tells what became of it.
    func post(
        _ action: String, to texts: [String], of resource: Resource, showing shown: String = "status"
    ) async throws {
        let api = try service.client()
        try await forEach(texts) { text throws(CodeForgeError) in
            let id = try await resource.id(text, api)
            let answer = try await api.send("POST", resource.path(id, "/" + action))
            if json { printJSON(answer) } else { say("\(id) \(answer.text(shown))") }
        }
    }
}

/// Deletes members.
func remove(_ texts: [String], from resource: Resource, _ options: ServiceOptions) async throws {
    let api = try options.client()
    try await forEach(texts) { text throws(CodeForgeError) in
        let id = try await resource.id(text, api)
        _ = try await api.send("DELETE", resource.path(id))
        say("\(id) removed")
    }
}

/// Acts on each, whatever becomes of the others.
///
/// - Throws: The exit status of the last failure.
private func forEach(_ names: [String], _ act: (String) async throws(CodeForgeError) -> Void) async throws {
    var failure: ExitCode?
    for name in names {
        do throws(CodeForgeError) {
            try await act(name)
        } catch {
            failure = error.reported
        }
    }
    if let failure { throw failure }
}

/// What a table shows of each record.
struct RecordColumn {
    fileprivate let title: TextTable.Column
    fileprivate let cell: (JSONValue) -> String

    static func text(_ title: String, _ cell: @escaping (JSONValue) -> String) -> RecordColumn {
        RecordColumn(title: .text(title), cell: cell)
    }

    static func text(_ title: String, _ member: String) -> RecordColumn { .text(title) { $0.text(member) } }

    static func moment(_ title: String, _ member: String) -> RecordColumn { .text(title) { $0.moment(member) } }

    /// Aligned to the right.
    static func number(_ title: String, _ cell: @escaping (JSONValue) -> String) -> RecordColumn {
        RecordColumn(title: .number(title), cell: cell)
    }
}

extension TextTable {
    /// Prints it, cut to the terminal.
    func show() { Terminal.show(lines(width: Terminal.size?.width)) }

    static func show(_ records: [JSONValue], _ columns: [RecordColumn]) {
        var table = TextTable(columns.map(\.title))
        for record in records { table.add(columns.map { $0.cell(record) }) }
        table.show()
    }
}
