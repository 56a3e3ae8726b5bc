package import Domain
import FoundationEssentials
internal import Yams

/// A YAML or JSON text as a JSON value: what a person wrote in a file, for an API that takes JSON.
package enum YAMLDocument {
    /// Longest text, in bytes.
    package static let longest = 1 << 20

    private static let deepest = 64

    /// Plain scalars are what YAML 1.2's core schema makes of them; what is quoted or a block is a text, and so are
    /// words like `yes` and dates. Anchors and aliases are refused: a few lines of them can stand for gigabytes.
    ///
    /// - Throws: `.invalidArgument` naming the line; the message does not repeat the text, which may hold secrets.
    package static func json(_ text: String) throws(CodeForgeError) -> JSONValue {
        guard text.utf8.count <= longest else { throw refused("is longer than 1 MiB") }
        // JSON is YAML but for tabs between its tokens and a few escapes. What is wrong with it YAML's parser says.
        if text.first(where: { !$0.isWhitespace }) == "{",
            let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        {
            return value
        }
        do {
            let parser = try Parser(yaml: text)
            // The parser owns the anchors: without it nodes have none.
            return try withExtendedLifetime(parser) {
                guard let root = try parser.singleRoot() else { throw refused("is empty") }
                return try value(of: root, depth: 0)
            }
        } catch let error as CodeForgeError {
            throw error
        } catch {
            throw refused((error as? YamlError).map(YAMLSettings.describe) ?? "is not YAML")
        }
    }

    private static func value(of node: Node, depth: Int) throws(CodeForgeError) -> JSONValue {
        let line = node.mark?.line ?? 1
        guard depth <= deepest else { throw refused("line \(line): is nested more than \(deepest) deep") }
        let anchor: Anchor? =
            switch node {
            case .scalar(let scalar): scalar.anchor
            case .mapping(let mapping): mapping.anchor
            case .sequence(let sequence): sequence.anchor
            case .alias(let alias): alias.anchor
            }
        guard anchor == nil else { throw refused("line \(line): anchors and aliases are not supported") }
        switch node {
        case .scalar(let scalar): return value(of: scalar)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for element in sequence { elements.append(try value(of: element, depth: depth + 1)) }
            return .array(elements)
        case .mapping(let mapping):
            var members: [String: JSONValue] = [:]
            for (key, member) in mapping {
                guard case .scalar(let name) = key else {
                    throw refused("line \(key.mark?.line ?? line): a key must be a text")
                }
                members[name.string] = try value(of: member, depth: depth + 1)
            }
            return .object(members)
        case .alias: throw refused("line \(line): anchors and aliases are not supported")
        }
    }

    /// Source: YAML 1.2.2, section 10.3.2.
    private static func value(of scalar: Node.Scalar) -> JSONValue {
        let text = scalar.string
        guard scalar.style == .plain || scalar.style == .any else { return .string(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: break
        }
        // `Double` would take more: hexadecimal floats, `nan`, `inf`.
        guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let double = Double(text),
            double.isFinite
        else { return .string(text) }
        if let integer = Int64(text) { return .int(integer) }
        return text.utf8.allSatisfy { "0123456789+-".utf8.contains($0) } ? .string(text) : .double(double)
    }

    private static func refused(_ reason: String) -> CodeForgeError { CodeForgeError(.invalidArgument, reason) }
}
