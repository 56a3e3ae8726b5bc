/// A parsed template. Nesting is bounded by the parser, so that walking it by recursion is safe.
indirect enum TemplateNode: Sendable {
    case text(String)
    case output(TemplateExpression)
    /// The first branch that holds; one without a condition always does.
    case branches([TemplateBranch])
}

struct TemplateBranch: Sendable {
    /// `nil`: `else`.
    var condition: TemplateExpression?
    var body: [TemplateNode]
}

struct TemplateExpression: Sendable {
    indirect enum Kind: Sendable {
        case constant(TemplateValue)
        case field(TemplateField)
        case call(TemplateFunction, [TemplateExpression])
    }

    var kind: Kind
    var position: TemplatePosition
    /// Of calls within calls; 0 without any.
    var depth: Int

    init(_ kind: Kind, at position: TemplatePosition) {
        self.kind = kind
        self.position = position
        if case .call(_, let arguments) = kind {
            depth = 1 + (arguments.map(\.depth).max() ?? 0)
        } else {
            depth = 0
        }
    }
}

enum TemplateField: Sendable {
    case runID
    case parameter(String)
    case output(step: String, name: String)
}

enum TemplateValue: Sendable {
    case text(String)
    case bool(Bool)

    var text: String {
        switch self {
        case .text(let text): text
        case .bool(let bool): bool ? "true" : "false"
        }
    }

    var isTrue: Bool {
        switch self {
        case .text(let text): !text.isEmpty
        case .bool(let bool): bool
        }
    }
}

struct TemplatePosition: Sendable, Equatable {
    var line = 1
    var column = 1

    func error(_ message: String) -> TemplateError { TemplateError(message: message, line: line, column: column) }
}

/// What can stand after a dot: letters of any script, digits, `_` and, unlike in Go, `-`.
package enum TemplateName {
    package static func accepts(_ name: String) -> Bool { !name.isEmpty && name.unicodeScalars.allSatisfy(accepts) }

    static func accepts(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: !scalar.isASCII && scalar.properties.isAlphabetic
        }
    }
}
