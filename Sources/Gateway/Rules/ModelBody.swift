import Domain

/// Looks through the body of a model request for what would have the provider act or fetch on its own: tools that run
/// on its side, servers it is to call, URLs it is to load. Through those, code without a network would reach any host.
///
/// One pass, nothing built: what it holds grows with the depth alone. What two JSON parsers could read differently is
/// refused: a key twice or in another case, an unfinished or second value, text that is no UTF-8, a key with a NUL. Keys
/// are compared without their escapes and without case, as the laxest of decoders would. So the bytes may go out as they
/// came.
///
/// Sources: Anthropic's Messages API and OpenAI's Responses and Chat Completions APIs, as of 2026.
struct ModelBody {
    enum API: Sendable, Equatable { case anthropic, openai }

    /// Levels of arrays and objects. Tools' schemas and arguments rarely have twenty.
    static let mostLevels = 128

    /// Where a value stands, and with it what is looked for in it.
    private enum Place: Equatable {
        case root, plain
        /// Arguments, schemas and the like, which nobody but the model reads.
        case opaque
        /// The list of tools, and one of them.
        case tools, tool
        /// The definition of a function; and a list of these, which OpenAI's older requests have.
        case function, functions
        /// Where a hosted shell would run.
        case environment
        /// What an image or a document comes from.
        case source
        /// An image or a file by its URL.
        case url
        /// What only the provider could act on; empty at most.
        case absent(String)
        /// A search model searches without being given a tool.
        case model
    }

    /// What is known of one object so far.
    private struct Facts {
        /// Names in `known` that were there.
        var seen: UInt32 = 0
        var type: String?
        var execution: String?
        var hasEnvironment = false
    }

    /// Keys with a meaning here, none of which may come twice: another reader might heed the other one.
    private static let known = [
        "action", "client_metadata", "container", "content", "environment", "execution", "function", "functions",
        "input", "input_examples", "input_schema", "mcp_servers", "messages", "metadata", "model", "output_schema",
        "parameters", "prompt", "schema", "source", "system", "tools", "type", "url", "web_search_options",
    ]
    private static let bits: [String: UInt32] = Dictionary(
        uniqueKeysWithValues: known.enumerated().map { ($1, 1 << UInt32($0)) })

    private static let digits: Set<Character> = Set("0123456789")
    /// Of the tools Anthropic defines, those that the client runs; a date follows.
    private static let anthropicClientTools = ["bash_", "computer_", "memory_", "text_editor_"]
    /// `shell` and `tool_search` are looked at closer: both exist on either side.
    private static let openaiClientTools: Set = [
        "apply_patch", "custom", "function", "local_shell", "namespace", "shell", "tool_search",
    ]
    /// What a source may be besides a URL: data in the request, or a file the account already has.
    private static let sources: Set = ["base64", "content", "file", "text"]

    private let bytes: [UInt8]
    private let api: API
    private var at = 0
    /// A key that matters was spelled so that only some readers would know it.
    private var hasOddCase = false

    private init(_ bytes: [UInt8], _ api: API) {
        self.bytes = bytes
        self.api = api
    }

    /// - Throws: `model_request_refused` for what the provider would act on, `model_request_malformed` for what has no
    ///   single reading or more than `mostLevels` levels.
    static func check(_ bytes: [UInt8], _ api: API) throws(Refusal) {
        do { _ = try UTF8Span(validating: bytes.span) } catch { throw malformed("it is not UTF-8") }
        var body = ModelBody(bytes, api)
        body.skipSpace()
        guard body.peek == UInt8(ascii: "{") else { throw malformed("it is no object") }
        try body.value(.root, level: 0)
        body.skipSpace()
        guard body.at == bytes.count else { throw malformed("something follows its value") }
        // Last, so that what it hides is named first.
        guard !body.hasOddCase else { throw malformed("a key is spelled in another case") }
    }

    private static func malformed(_ why: String) -> Refusal { .modelRequestMalformed(why) }

    // MARK: Values

    private mutating func value(_ place: Place, level: Int) throws(Refusal) {
        skipSpace()
        guard let byte = peek else { throw ModelBody.malformed("it ends in the middle") }
        switch byte {
        case UInt8(ascii: "{"):
            guard level < ModelBody.mostLevels else { throw ModelBody.malformed("it is too deep") }
            try object(place, level: level + 1)
        case UInt8(ascii: "["):
            guard level < ModelBody.mostLevels else { throw ModelBody.malformed("it is too deep") }
            try array(place, level: level + 1)
        case UInt8(ascii: "\""): try text(at: place)
        case UInt8(ascii: "n"):
            // Is as good as not there, wherever it stands.
            try literal("null")
            if place == .tool { throw ModelBody.malformed("a tool is no object") }
        default:
            if byte == UInt8(ascii: "t") {
                try literal("true")
            } else if byte == UInt8(ascii: "f") {
                try literal("false")
            } else {
                try number()
            }
            try refuse(simple: place)
        }
    }

    private func refuse(simple place: Place) throws(Refusal) {
        switch place {
        case .tools, .tool, .environment, .source, .model: throw ModelBody.malformed("a value has the wrong type")
        case .absent(let name): throw .modelRequest(name)
        case .root, .plain, .opaque, .function, .functions, .url: break
        }
    }

    private mutating func text(at place: Place) throws(Refusal) {
        switch place {
        case .url:
            let url = try string(keeping: 5)
            guard url.text == "data:" else { throw .modelRequest("a URL to load") }
        case .model:
            let model = try string(keeping: 256)
            guard model.isWhole else { throw ModelBody.malformed("the model's name is too long") }
            // gpt-…-search-preview, gpt-…-search-api, …-deep-research
            guard !model.text.lowercased().contains("search") else { throw .modelRequest("model \(model.text)") }
        case .tools, .tool, .environment: throw ModelBody.malformed("a value has the wrong type")
        case .absent(let name): throw .modelRequest(name)
        // A source that is text is where a search result says it is from; nobody loads it.
        case .root, .plain, .opaque, .function, .functions, .source: _ = try string(keeping: 0)
        }
    }

    private mutating func array(_ place: Place, level: Int) throws(Refusal) {
        let inner: Place
        switch place {
        case .tools: inner = .tool
        case .functions: inner = .function
        case .opaque, .url, .source, .absent: inner = place
        case .root, .plain, .function: inner = .plain
        case .tool, .environment, .model: throw ModelBody.malformed("a value has the wrong type")
        }
        at += 1
        skipSpace()
        if take(UInt8(ascii: "]")) { return }
        // An empty list is as good as none; this one is not empty.
        if case .absent(let name) = place { throw .modelRequest(name) }
        while true {
            try value(inner, level: level)
            skipSpace()
            if take(UInt8(ascii: "]")) { return }
            guard take(UInt8(ascii: ",")) else { throw ModelBody.malformed("a list has no comma") }
        }
    }

    private mutating func object(_ place: Place, level: Int) throws(Refusal) {
        switch place {
        case .tools, .functions, .model: throw ModelBody.malformed("a value has the wrong type")
        case .absent(let name): throw .modelRequest(name)
        default: break
        }
        at += 1
        var facts = Facts()
        skipSpace()
        if !take(UInt8(ascii: "}")) {
            while true {
                skipSpace()
                guard peek == UInt8(ascii: "\"") else { throw ModelBody.malformed("a key is missing") }
                if place == .opaque {
                    _ = try string(keeping: 0)
                    try colon()
                    try value(.opaque, level: level)
                } else {
                    try member(of: place, &facts, level: level)
                }
                skipSpace()
                if take(UInt8(ascii: "}")) { break }
                guard take(UInt8(ascii: ",")) else { throw ModelBody.malformed("an object has no comma") }
            }
        }
        switch place {
        case .tool: try check(tool: facts)
        case .environment: guard facts.type == "local" else { throw .modelRequest("a hosted shell") }
        case .source:
            guard facts.type.map(ModelBody.sources.contains) ?? true else { throw .modelRequest("a URL to load") }
        default: break
        }
    }

    private mutating func member(of place: Place, _ facts: inout Facts, level: Int) throws(Refusal) {
        let (key, isExact) = try self.key()
        try colon()
        if let bit = ModelBody.bits[key] {
            if !isExact { hasOddCase = true }
            guard facts.seen & bit == 0 else { throw ModelBody.malformed("a key is there twice") }
            facts.seen |= bit
        }
        switch (place, key) {
        case (.tool, "type"), (.environment, "type"), (.source, "type"): facts.type = try word()
        case (.tool, "execution"): facts.execution = try word()
        default:
            if place == .tool, key == "environment" {
                skipSpace()
                facts.hasEnvironment = peek == UInt8(ascii: "{")
            }
            try value(self.place(of: key, in: place), level: level)
        }
    }

    /// What is looked for in the value of a key.
    private func place(of key: String, in place: Place) -> Place {
        switch (place, key) {
        case (_, "tools"): return .tools
        case (_, "functions"): return .functions
        case (_, "source"): return .source
        case (_, "mcp_servers"), (_, "container"), (_, "web_search_options"): return .absent(key)
        // A prompt kept in the account brings its own tools.
        case (.root, "prompt"): return api == .openai ? .absent("a stored prompt") : .plain
        case (.root, "model"): return api == .openai ? .model : .plain
        case (.root, "metadata"), (.root, "client_metadata"): return .opaque
        case (.source, "url"): return .absent("a URL to load")
        case (.url, "url"): return .url
        case (.tool, "environment"): return .environment
        case (.tool, "function"): return .function
        case (.tool, "input_schema"), (.tool, "input_examples"), (.tool, "parameters"), (.tool, "output_schema"),
            (.function, "parameters"):
            return .opaque
        case (.plain, "schema"): return .opaque
        // What a tool was called with. At the root of OpenAI's it is the conversation.
        case (.plain, "input"): return api == .anthropic ? .opaque : .plain
        // A local shell's, with its environment; or what a search once did.
        case (.plain, "action"): return api == .openai ? .opaque : .plain
        default: return key.hasSuffix("_url") ? .url : .plain
        }
    }

    private func check(tool: Facts) throws(Refusal) {
        let isClient: Bool
        switch (api, tool.type) {
        case (.anthropic, nil), (.anthropic, "custom"): isClient = true
        case (.anthropic, let type?):
            isClient = ModelBody.anthropicClientTools.contains {
                type.hasPrefix($0) && type.dropFirst($0.count).count == 8
                    && type.dropFirst($0.count).allSatisfy(ModelBody.digits.contains)
            }
        case (.openai, nil): isClient = false
        case (.openai, "shell"): isClient = tool.hasEnvironment
        case (.openai, "tool_search"): isClient = tool.execution == "client"
        case (.openai, let type?): isClient = ModelBody.openaiClientTools.contains(type)
        }
        guard isClient else { throw .modelRequest("tool \(tool.type ?? "without a type")") }
    }

    // MARK: Text

    private struct Text {
        /// Without escapes, as far as it was kept.
        var text: String
        /// Whether that is all of it.
        var isWhole: Bool
    }

    /// A short string, or null.
    private mutating func word() throws(Refusal) -> String? {
        skipSpace()
        if peek == UInt8(ascii: "n") {
            try literal("null")
            return nil
        }
        guard peek == UInt8(ascii: "\"") else { throw ModelBody.malformed("a value has the wrong type") }
        let word = try string(keeping: 64)
        guard word.isWhole else { throw ModelBody.malformed("a type's name is too long") }
        return word.text
    }

    /// A key as the laxest reader compares it, and whether the strictest would do the same. One too long for any that
    /// matters is empty.
    private mutating func key() throws(Refusal) -> (name: String, isExact: Bool) {
        let key = try string(keeping: 64)
        // A reader in C would take what is in front of a NUL for the whole.
        guard key.text.utf8.allSatisfy({ $0 >= 0x20 }) else {
            throw ModelBody.malformed("a key has a control character")
        }
        if !key.isWhole { return ("", true) }
        var name = key.text.lowercased()
        if name.utf8.contains(where: { $0 >= 0x80 }) {
            // The two letters beyond ASCII that equal one within it where case does not count (Go's encoding/json).
            name = String(name.map { $0 == "\u{17F}" ? "s" : $0 == "\u{212A}" ? "k" : $0 })
        }
        return (name, name.utf8.elementsEqual(key.text.utf8))
    }

    /// Reads a string and keeps the first bytes of it.
    private mutating func string(keeping limit: Int) throws(Refusal) -> Text {
        at += 1
        var kept: [UInt8] = []
        var length = 0
        func keep(_ byte: UInt8) {
            if length < limit { kept.append(byte) }
            length += 1
        }
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return Text(text: String(decoding: kept, as: UTF8.self), isWhole: length <= limit)
            case UInt8(ascii: "\\"): for byte in try escape() { keep(byte) }
            case ..<0x20: throw ModelBody.malformed("a string has a control character")
            default: keep(byte)
            }
        }
        throw ModelBody.malformed("it ends in the middle")
    }

    /// What an escape stands for; its backslash is taken. Half a surrogate pair stands for U+FFFD.
    private mutating func escape() throws(Refusal) -> [UInt8] {
        guard let byte = peek else { throw ModelBody.malformed("it ends in the middle") }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var unit = try hexadecimal()
            if 0xD800..<0xDC00 ~= unit, bytes[at...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
                let start = at
                at += 2
                let low = try hexadecimal()
                if 0xDC00..<0xE000 ~= low {
                    unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    at = start
                }
            }
            return Array(String(Character(Unicode.Scalar(unit) ?? "\u{FFFD}")).utf8)
        default: throw ModelBody.malformed("a string has an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(Refusal) -> UInt32 {
        guard bytes.count - at >= 4 else { throw ModelBody.malformed("it ends in the middle") }
        var unit: UInt32 = 0
        for byte in bytes[at..<(at + 4)] {
            switch byte {
            case 0x30...0x39: unit = unit << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: unit = unit << 4 | UInt32(byte - 0x41 + 10)
            case 0x61...0x66: unit = unit << 4 | UInt32(byte - 0x61 + 10)
            default: throw ModelBody.malformed("a string has an unknown escape")
            }
        }
        at += 4
        return unit
    }

    // MARK: The rest of the grammar (RFC 8259)

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        at += 1
        return true
    }

    private mutating func colon() throws(Refusal) {
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw ModelBody.malformed("a key has no value") }
    }

    private mutating func literal(_ word: StaticString) throws(Refusal) {
        let matches = word.withUTF8Buffer { bytes[at...].starts(with: $0) }
        guard matches else { throw ModelBody.malformed("it is not JSON") }
        at += word.utf8CodeUnitCount
    }

    private mutating func number() throws(Refusal) {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try someDigits() }
        if take(UInt8(ascii: ".")) { try someDigits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try someDigits()
        }
    }

    private mutating func someDigits() throws(Refusal) {
        let start = at
        while let byte = peek, 0x30...0x39 ~= byte { at += 1 }
        guard at > start else { throw ModelBody.malformed("it is not JSON") }
    }
}
