package import Domain

/// A request whose answer is JSON, and what later steps may use of it.
package struct FetchConfig: Sendable {
    /// Template.
    package var url: String
    /// Upper case; `GET` when the step says none.
    package var method: String
    /// Values are templates. In the order of their names.
    package var headers: [(name: String, value: String)]
    /// Template. Of the registered key; `nil`, or what is rendered empty: none.
    package var keyName: String?
    /// Paths are read by `JSONPath`. In the order of their names.
    package var outputs: [(name: String, path: String)]

    /// - Throws: `.invalidArgument`; `fields` has everything that is wrong.
    package init(_ step: WorkflowStep) throws(CodeForgeError) { self = try FetchConfig.read(step) }
}

extension FetchConfig: StepConfig {
    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

    init(reading reader: inout StepConfigReader) {
        url = reader.requiredText("url")
        if !url.isEmpty, !Template.isOne(url) {
            do throws(CodeForgeError) {
                _ = try HTTPURL(url)
            } catch {
                reader.refuse("url", "must be an http or https URL")
            }
        }
        method = reader.text("method")?.uppercased() ?? "GET"
        if !FetchConfig.methods.contains(method) {
            reader.refuse("method", "must be one of \(FetchConfig.methods.joined(separator: ", "))")
        }
        headers = reader.texts("headers")
        for (name, _) in headers where !FetchConfig.isFieldName(name) {
            reader.refuse("headers.\(name)", "is not the name of a header")
        }
        keyName = reader.text("key_name")
        outputs = reader.texts("outputs").map { ($0.name, $0.value) }
        for (name, path) in outputs {
            if !TemplateName.accepts(name) {
                reader.refuse("outputs.\(name)", "a template can't name it: use letters, digits, - and _")
            }
            do throws(CodeForgeError) {
                _ = try JSONPath(path)
            } catch {
                reader.refuse("outputs.\(name)", error.message)
            }
        }
    }

    var templates: [(member: String, text: String)] {
        [("url", url), ("key_name", keyName ?? "")] + headers.map { ("headers.\($0.name)", $0.value) }
    }

    var taskReferences: [(member: String, step: String)] { [] }

    /// Source: RFC 9110, section 5.6.2, token.
    private static func isFieldName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
