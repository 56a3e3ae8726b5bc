import ArgumentParser
import Client
import Domain

extension SandboxCommand {
    struct Audit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a sandbox did, tried and had done to it; also after its end.",
            discussion: """
                ID may also be a task's: then the records of all its sandboxes are shown. With --json each record is one \
                line of JSON.

                Examples:
                  codeforge sandbox audit 77a2
                  codeforge sandbox audit --follow --kind gateway 77a2
                  codeforge sandbox audit --json --verdict refused 77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent
                """)

        @Argument(help: "Id of a sandbox or task, or the beginning of a running sandbox's.")
        var id: String
        @Flag(name: .shortAndLong, help: "Show new records as they come, until the sandbox ends.")
        var follow = false
        @Option(help: "Only this kind: \(AuditRecord.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        var kind: String?
        @Option(help: "Only this verdict: \(AuditRecord.Verdict.allCases.map(\.rawValue).joined(separator: ", ")).")
        var verdict: String?
        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func validate() throws {
            if let kind, AuditRecord.Kind(rawValue: kind) == nil { throw ValidationError("unknown kind '\(kind)'") }
            if let verdict, AuditRecord.Verdict(rawValue: verdict) == nil {
                throw ValidationError("unknown verdict '\(verdict)'")
            }
        }

        func run() async throws {
            try await reporting {
                let api = try options.client()
                let id = try await Resource.sandboxes.id(id, api)
                if follow {
                    return try await api.follow(page(of: id, after: nil) + "&follow=true", show)
                }
                do throws(CodeForgeError) {
                    try await showAll(of: id, api)
                } catch {
                    guard error.code == .notFound, try await showTask(id, api) else { throw error }
                }
            }
        }

        private func showAll(of id: String, _ api: APIClient) async throws(CodeForgeError) {
            var after: String?
            repeat {
                let answer = try await api.get(page(of: id, after: after))
                for record in answer.list("records") { show(record) }
                after = answer["next"]?.stringValue
            } while after != nil
        }

        /// - Returns: Whether there is such a task.
        private func showTask(_ id: String, _ api: APIClient) async throws(CodeForgeError) -> Bool {
            let task: JSONValue
            do throws(CodeForgeError) {
                task = try await api.get(Resource.tasks.path(id, "?include=audit"))
            } catch {
                if error.code == .notFound { return false }
                throw error
            }
            for record in task.list("audit") {
                if let kind, record["kind"]?.stringValue != kind { continue }
                if let verdict, record["verdict"]?.stringValue != verdict { continue }
                show(record)
            }
            if task["audit_truncated"] != nil { complain("there are more records: ask for one of its sandboxes") }
            return true
        }

        private func page(of id: String, after: String?) -> String {
            var query = "/audit?limit=1000"
            if let kind { query += "&kind=\(kind)" }
            if let verdict { query += "&verdict=\(verdict)" }
            if let after { query += "&after=\(after)" }
            return Resource.sandboxes.path(id, query)
        }

        private func show(_ event: ServerEvent) -> Bool {
            guard event.name == nil else { return true }
            if let record = event.json {
                show(record)
                flushOutput()
            }
            return true
        }

        private func show(_ record: JSONValue) {
            if json { return printJSON(record) }
            var detail: [String] = []
            if case .object(let members) = record["detail"] {
                detail = members.sorted { $0.key < $1.key }.compactMap { name, value in
                    guard case .array(let elements) = value else { return "\(name)=\(value.plain)" }
                    return elements.isEmpty ? nil : "\(name)=" + elements.map(\.plain).joined(separator: ",")
                }
            }
            if let more = record["suppressed"]?.intValue { detail.append("(and \(more) like it before)") }
            let line = [
                String(record.text("time").prefix(19)) + "Z", padded(record.text("kind"), 8),
                padded(record.text("verdict"), 7), padded(record.text("name"), 12), detail.joined(separator: " "),
            ].joined(separator: "  ")
            print(SafeText.start(of: line.utf8, limit: 4096))
        }

        private func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
    }
}
