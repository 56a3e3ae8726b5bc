/// Builds a template's tree. What is open is kept in a list, and expressions nest to a bounded depth: no text makes it
/// recurse deeply.
struct TemplateParser {
    /// Deepest nesting of conditionals, of parentheses, and of calls within calls.
    static let deepest = 32

    /// A field, where it stands.
    struct Reference: Sendable {
        var field: TemplateField
        var position: TemplatePosition
    }

    private(set) var references: [Reference] = []
    private var lexer: TemplateLexer
    /// The action being read, and its next token.
    private var action = TemplatePosition()
    private var token = TemplateLexer.Token.end
    private var position = TemplatePosition()
    /// The template itself, then the conditionals that are open.
    private var frames = [Frame(position: TemplatePosition())]

    private struct Frame {
        var position: TemplatePosition
        var branches: [TemplateBranch] = []
        var condition: TemplateExpression?
        var hasElse = false
        var body: [TemplateNode] = []

        mutating func closeBranch() {
            branches.append(TemplateBranch(condition: condition, body: body))
            (condition, body) = (nil, [])
        }
    }

    init(_ text: String) { lexer = TemplateLexer(text) }

    mutating func parse() throws(TemplateError) -> [TemplateNode] {
        while true {
            let (text, start) = try lexer.text()
            if !text.isEmpty { add(.text(text)) }
            guard let start else { break }
            action = start
            let isComment = try lexer.comment()
            try advance()
            if !isComment { try readAction() }
            guard token == .end else { throw position.error("\(shown()) is not expected here") }
        }
        if frames.count > 1 { throw top.position.error("'if' is never closed: '{{end}}' is missing") }
        return top.body
    }

    private var top: Frame {
        get { frames[frames.count - 1] }
        _modify { yield &frames[frames.count - 1] }
    }

    private mutating func add(_ node: TemplateNode) { top.body.append(node) }

    private mutating func advance() throws(TemplateError) { (token, position) = try lexer.token(of: action) }

    // MARK: Actions

    private mutating func readAction() throws(TemplateError) {
        guard case .word(let word) = token else {
            guard token != .end else { throw action.error("the action is empty") }
            return add(.output(try pipeline(depth: 0)))
        }
        let start = position
        switch word {
        case "if":
            try advance()
            guard frames.count <= TemplateParser.deepest else {
                throw start.error("conditionals are nested more than \(TemplateParser.deepest) deep")
            }
            frames.append(Frame(position: action, condition: try condition(after: start)))
        case "else":
            try advance()
            guard frames.count > 1 else { throw start.error("'else' without 'if'") }
            guard !top.hasElse else { throw start.error("'else' after the last 'else'") }
            top.closeBranch()
            if token == .word("if") {
                try advance()
                let condition = try condition(after: start)
                top.condition = condition
            } else {
                top.hasElse = true
            }
        case "end":
            try advance()
            guard frames.count > 1 else { throw start.error("'end' without 'if'") }
            top.closeBranch()
            if let frame = frames.popLast() { add(.branches(frame.branches)) }
        case "range", "with", "define", "block", "template", "break", "continue":
            throw start.error("'\(word)' is not supported")
        default: add(.output(try pipeline(depth: 0)))
        }
    }

    private mutating func condition(after start: TemplatePosition) throws(TemplateError) -> TemplateExpression {
        guard token != .end else { throw start.error("'if' needs a condition") }
        return try pipeline(depth: 0)
    }

    // MARK: Expressions

    /// One command, or several with `|` between them: each gets the one before it as its last argument.
    private mutating func pipeline(depth: Int) throws(TemplateError) -> TemplateExpression {
        guard depth <= TemplateParser.deepest else {
            throw position.error("parentheses are nested more than \(TemplateParser.deepest) deep")
        }
        var value = try command(piped: nil, depth: depth)
        while token == .pipe {
            try advance()
            value = try command(piped: value, depth: depth)
        }
        return value
    }

    private mutating func command(
        piped: TemplateExpression?, depth: Int
    ) throws(TemplateError) -> TemplateExpression {
        guard case .word(let name) = token, TemplateParser.constant(name) == nil else {
            if piped != nil { throw position.error("a function is missing after '|'") }
            let value = try operand(depth: depth)
            guard isAtEnd else {
                throw position.error("\(shown()) is not expected here: only functions take arguments")
            }
            return value
        }
        let start = position
        guard let function = TemplateFunction(rawValue: name) else {
            let known = TemplateFunction.allCases.map(\.rawValue).joined(separator: ", ")
            throw start.error("unknown function '\(name)'; there are \(known)")
        }
        try advance()
        var arguments: [TemplateExpression] = []
        while !isAtEnd { arguments.append(try operand(depth: depth)) }
        if let piped { arguments.append(piped) }
        guard function.arguments.contains(arguments.count) else {
            throw start.error("'\(name)' takes \(function.wanted), not \(arguments.count)")
        }
        let call = TemplateExpression(.call(function, arguments), at: start)
        guard call.depth <= TemplateParser.deepest else {
            throw start.error("calls are nested more than \(TemplateParser.deepest) deep")
        }
        return call
    }

    private var isAtEnd: Bool { token == .end || token == .pipe || token == .close }

    private mutating func operand(depth: Int) throws(TemplateError) -> TemplateExpression {
        let start = position
        switch token {
        case .field(let names):
            let field = try TemplateParser.field(names, at: start)
            references.append(Reference(field: field, position: start))
            try advance()
            return TemplateExpression(.field(field), at: start)
        case .text(let text):
            try advance()
            return TemplateExpression(.constant(.text(text)), at: start)
        case .word(let name):
            guard let value = TemplateParser.constant(name) else {
                throw start.error("'\(name)' is not expected here; put a call that is an argument in parentheses")
            }
            try advance()
            return TemplateExpression(.constant(.bool(value)), at: start)
        case .open:
            try advance()
            guard !isAtEnd else { throw position.error("the parentheses are empty") }
            let value = try pipeline(depth: depth + 1)
            guard token == .close else { throw start.error("'(' is never closed: ')' is missing") }
            try advance()
            return value
        case .close, .pipe, .end: throw start.error("\(shown()) is not expected here")
        }
    }

    private static func constant(_ word: String) -> Bool? { word == "true" ? true : word == "false" ? false : nil }

    private static func field(
        _ names: [String], at position: TemplatePosition
    ) throws(TemplateError) -> TemplateField {
        switch (names[0], names.count) {
        case ("RunID", 1): return .runID
        case ("Params", 2): return .parameter(names[1])
        case ("Steps", 3): return .output(step: names[1], name: names[2])
        case ("RunID", _): throw position.error(".RunID has no members")
        case ("Params", _): throw position.error("a parameter is .Params.NAME")
        case ("Steps", _): throw position.error("an output is .Steps.STEP.OUTPUT")
        default:
            throw position.error("unknown field '.\(names[0])'; there are .Params.NAME, .Steps.STEP.OUTPUT and .RunID")
        }
    }

    /// The token for a message.
    private func shown() -> String {
        switch token {
        case .field(let names): "'.\(names.joined(separator: "."))'"
        case .word(let word): "'\(word)'"
        case .text: "a text"
        case .open: "'('"
        case .close: "')'"
        case .pipe: "'|'"
        case .end: "the end of the action"
        }
    }
}
