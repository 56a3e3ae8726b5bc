import Domain

/// Fills a template in, with bounds on what it may cost whatever it says.
struct TemplateRenderer {
    /// Longest output, and longest value of a call, in bytes.
    static let longest = 1 << 20
    /// Bytes all calls of one rendering may take in.
    private static let mostWork = 4 << 20

    private let context: TemplateContext
    private var output = ""
    private var work = 0

    init(_ context: TemplateContext) { self.context = context }

    static func render(
        _ nodes: [TemplateNode], _ context: TemplateContext
    ) throws(TemplateError) -> String {
        var renderer = TemplateRenderer(context)
        try renderer.add(nodes)
        return renderer.output
    }

    private mutating func add(_ nodes: [TemplateNode]) throws(TemplateError) {
        for node in nodes {
            switch node {
            case .text(let text): try append(text, at: TemplatePosition())
            case .output(let expression): try append(try value(of: expression).text, at: expression.position)
            case .branches(let branches):
                for branch in branches {
                    if let condition = branch.condition, !(try value(of: condition).isTrue) { continue }
                    try add(branch.body)
                    break
                }
            }
        }
    }

    private mutating func append(_ text: String, at position: TemplatePosition) throws(TemplateError) {
        guard output.utf8.count + text.utf8.count <= TemplateRenderer.longest else {
            throw position.error("the output is longer than 1 MiB")
        }
        output += text
    }

    // MARK: Values

    private mutating func value(of expression: TemplateExpression) throws(TemplateError) -> TemplateValue {
        let position = expression.position
        switch expression.kind {
        case .constant(let value): return value
        case .field(.runID): return .text(context.runID)
        case .field(.parameter(let name)):
            guard let value = context.params[name] else { throw position.error("there is no parameter '\(name)'") }
            return .text(value)
        case .field(.output(let step, let name)):
            guard let outputs = context.steps[step] else {
                throw position.error("there is no step '\(step)' that completed")
            }
            guard let value = outputs[name] else { throw position.error("step '\(step)' has no output '\(name)'") }
            return .text(value)
        case .call(.and, let arguments): return try chosen(arguments, where: { !$0.isTrue })
        case .call(.or, let arguments): return try chosen(arguments, where: \.isTrue)
        case .call(let function, let arguments):
            var values: [TemplateValue] = []
            for argument in arguments {
                let value = try value(of: argument)
                work += value.text.utf8.count + 1
                guard work <= TemplateRenderer.mostWork else { throw position.error("the template does too much") }
                values.append(value)
            }
            return try call(function, values, at: position)
        }
    }

    /// The first value that meets `condition`, else the last; those after it are not worked out.
    private mutating func chosen(
        _ arguments: [TemplateExpression], where condition: (TemplateValue) -> Bool
    ) throws(TemplateError) -> TemplateValue {
        var last = TemplateValue.bool(false)
        for argument in arguments {
            last = try value(of: argument)
            if condition(last) { break }
        }
        return last
    }

    private func call(
        _ function: TemplateFunction, _ values: [TemplateValue], at position: TemplatePosition
    ) throws(TemplateError) -> TemplateValue {
        func text(_ make: (String) -> String) throws(TemplateError) -> TemplateValue {
            guard case .text(let text) = values[0] else { throw position.error("'\(function)' takes a text") }
            let result = make(text)
            guard result.utf8.count <= TemplateRenderer.longest else {
                throw position.error("the value is longer than 1 MiB")
            }
            return .text(result)
        }
        func equals(_ value: TemplateValue) throws(TemplateError) -> Bool {
            switch (values[0], value) {
            // Bytes, as in Go: the standard library's `==` takes different spellings of a letter as one.
            case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8)
            case (.bool(let a), .bool(let b)): a == b
            default: throw position.error("'\(function)' compares two texts, or two conditions")
            }
        }
        switch function {
        case .repoPath: return try text { RepositoryParts($0).lastTwo }
        case .repoHost: return try text { RepositoryParts($0).host }
        case .projectPath: return try text { RepositoryParts($0).path }
        case .urlEncode: return try text { PercentEncoding.encoded($0) }
        case .eq:
            for value in values.dropFirst() where try equals(value) { return .bool(true) }
            return .bool(false)
        case .ne: return .bool(!(try equals(values[1])))
        case .not: return .bool(!values[0].isTrue)
        case .and, .or: return values[0]  // worked out by `chosen`
        }
    }
}
