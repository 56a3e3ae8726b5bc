/// A text with fields that a run fills in: the part of Go's templates that workflows use.
///
/// Only a text that holds `{{` is one; any other stands for itself.
///
/// Source: pkg.go.dev/text/template, for actions, trimming, truth and the functions taken from it.
package struct Template: Sendable {
    /// Longest text, in bytes.
    package static let longest = 1 << 20

    private let nodes: [TemplateNode]
    let references: [TemplateParser.Reference]

    /// - Throws: What can't be read, or is not part of the dialect.
    package init(_ text: String) throws(TemplateError) {
        guard text.utf8.count <= Template.longest else {
            throw TemplatePosition().error("the template is longer than 1 MiB")
        }
        guard Template.isOne(text) else {
            nodes = text.isEmpty ? [] : [.text(text)]
            references = []
            return
        }
        var parser = TemplateParser(text)
        nodes = try parser.parse()
        references = parser.references
    }

    /// Whether the text is evaluated at all.
    package static func isOne(_ text: String) -> Bool {
        var last: UInt8 = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "{"), last == byte { return true }
            last = byte
        }
        return false
    }

    /// Outputs it reads, in order of appearance; one that is read again is there again.
    package var stepReferences: [(step: String, output: String)] {
        references.compactMap { reference in
            if case .output(let step, let name) = reference.field { return (step, name) }
            return nil
        }
    }

    /// Parameters it reads, likewise.
    package var parameterReferences: [String] {
        references.compactMap { reference in
            if case .parameter(let name) = reference.field { return name }
            return nil
        }
    }

    /// - Returns: At most 1 MiB.
    /// - Throws: A parameter, step or output that is not there, a value of the wrong kind, or a bound that was reached.
    package func render(_ context: TemplateContext) throws(TemplateError) -> String {
        try TemplateRenderer.render(nodes, context)
    }
}
