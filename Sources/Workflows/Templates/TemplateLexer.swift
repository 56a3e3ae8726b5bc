/// Cuts a template into texts and the tokens of its actions. Each byte is looked at a bounded number of times.
struct TemplateLexer {
    enum Token: Equatable {
        /// `.Params.x`: the names.
        case field([String])
        case word(String)
        case text(String)
        case open, close, pipe
        /// `}}`
        case end
    }

    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var place = TemplatePosition()
    /// `-}}` ended the last action.
    private var trimsNext = false

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    // MARK: Text

    /// The text up to the next action or the end.
    ///
    /// - Returns: With the position of the action after it; then what follows is its first token.
    mutating func text() throws(TemplateError) -> (text: String, action: TemplatePosition?) {
        if trimsNext { skipBlanks() }
        trimsNext = false
        let start = index
        while index < scalars.count, !sees("{{") { step() }
        var end = index
        let action = index < scalars.count ? place : nil
        if action != nil {
            skip(2)
            if sees("-") {
                guard index + 1 < scalars.count, TemplateLexer.isBlank(scalars[index + 1]) else {
                    throw place.error("write a blank after '{{-'")
                }
                skip(1)
                while end > start, TemplateLexer.isBlank(scalars[end - 1]) { end -= 1 }
            }
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[start..<end])
        return (String(view), action)
    }

    // MARK: Actions

    /// Skips `/* … */` when the action is a comment, and says whether it is.
    mutating func comment() throws(TemplateError) -> Bool {
        skipBlanks()
        guard sees("/*") else { return false }
        let start = place
        skip(2)
        while !sees("*/") {
            guard index < scalars.count else { throw start.error("the comment is never closed: '*/' is missing") }
            step()
        }
        skip(2)
        return true
    }

    /// The next token of the action that began at `start`, and where it is.
    mutating func token(of start: TemplatePosition) throws(TemplateError) -> (Token, TemplatePosition) {
        let blanksFrom = index
        skipBlanks()
        let position = place
        guard index < scalars.count else { throw start.error("'{{' is never closed: '}}' is missing") }
        if sees("}}") {
            skip(2)
            return (.end, position)
        }
        if sees("-}}") {
            guard index > blanksFrom else { throw position.error("write a blank before '-}}'") }
            skip(3)
            trimsNext = true
            return (.end, position)
        }
        let scalar = scalars[index]
        switch scalar {
        case "(", ")", "|":
            skip(1)
            return (scalar == "(" ? .open : scalar == ")" ? .close : .pipe, position)
        case ".": return (.field(try field()), position)
        case "\"": return (.text(try quoted()), position)
        case "`": return (.text(try raw()), position)
        case "'": throw position.error("a text stands in double quotes or backquotes")
        case "$": throw position.error("variables are not supported")
        case "0"..."9", "-": throw position.error("numbers are not supported; a text stands in double quotes")
        case _ where TemplateName.accepts(scalar): return (.word(name()), position)
        default: throw position.error("'\(TemplateLexer.shown(scalar))' is not expected here")
        }
    }

    private mutating func field() throws(TemplateError) -> [String] {
        let start = place
        var names: [String] = []
        while sees(".") {
            skip(1)
            let part = name()
            guard !part.isEmpty else {
                throw place.error("a name is missing after '.'; there are .Params.NAME, .Steps.STEP.OUTPUT and .RunID")
            }
            names.append(part)
            guard names.count <= 3 else { throw start.error("a field has at most three names") }
        }
        return names
    }

    private mutating func name() -> String {
        var view = String.UnicodeScalarView()
        while index < scalars.count, TemplateName.accepts(scalars[index]), !sees("-}}") {
            view.append(scalars[index])
            step()
        }
        return String(view)
    }

    private mutating func quoted() throws(TemplateError) -> String {
        let start = place
        skip(1)
        var view = String.UnicodeScalarView()
        while index < scalars.count, scalars[index] != "\n" {
            let scalar = scalars[index]
            if scalar == "\"" {
                skip(1)
                return String(view)
            }
            if scalar == "\\" {
                view.append(try escape())
            } else {
                view.append(scalar)
                step()
            }
        }
        throw start.error("the text is never closed: '\"' is missing on its line")
    }

    private mutating func escape() throws(TemplateError) -> Unicode.Scalar {
        let start = place
        skip(1)
        let letter = index < scalars.count ? scalars[index] : " "
        skip(1)
        switch letter {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "\"", "\\": return letter
        case "u":
            var value: UInt32 = 0
            for _ in 0..<4 {
                guard index < scalars.count, scalars[index].isASCII,
                    let digit = Character(scalars[index]).hexDigitValue
                else { throw start.error("'\\u' needs four hexadecimal digits") }
                value = value << 4 | UInt32(digit)
                skip(1)
            }
            guard let scalar = Unicode.Scalar(value) else { throw start.error("the escape names no character") }
            return scalar
        default: throw start.error("unknown escape; there are \\n, \\t, \\r, \\\", \\\\ and \\uXXXX")
        }
    }

    private mutating func raw() throws(TemplateError) -> String {
        let start = place
        skip(1)
        let begin = index
        while index < scalars.count {
            if scalars[index] == "`" {
                var view = String.UnicodeScalarView()
                view.append(contentsOf: scalars[begin..<index])
                skip(1)
                return String(view)
            }
            step()
        }
        throw start.error("the text is never closed: '`' is missing")
    }

    // MARK: Reading

    /// Go's set.
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", "\t", "\r", "\n": true
        default: false
        }
    }

    /// For messages: what can't be seen is named by its number.
    private static func shown(_ scalar: Unicode.Scalar) -> String {
        scalar.value > 0x20 && scalar.value < 0x7F ? String(scalar) : "U+" + String(scalar.value, radix: 16)
    }

    private func sees(_ text: String) -> Bool {
        var at = index
        for scalar in text.unicodeScalars {
            guard at < scalars.count, scalars[at] == scalar else { return false }
            at += 1
        }
        return true
    }

    private mutating func skipBlanks() {
        while index < scalars.count, TemplateLexer.isBlank(scalars[index]) { step() }
    }

    private mutating func skip(_ count: Int) { for _ in 0..<count { step() } }

    private mutating func step() {
        guard index < scalars.count else { return }
        if scalars[index] == "\n" {
            place = TemplatePosition(line: place.line + 1, column: 1)
        } else {
            place.column += 1
        }
        index += 1
    }
}
