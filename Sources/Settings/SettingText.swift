import FoundationEssentials

/// Turns text into values and back. The same words work in YAML, in the environment and as flags.
enum SettingText {
    /// A text that is not what its key allows.
    struct Refused: Error {
        /// What the value should have been, when more can be said than the key's general description.
        var allowed: String?
    }

    static func integer(_ text: String) throws(Refused) -> Int {
        guard let value = Int(text) else { throw Refused() }
        return value
    }

    static func bytes(_ text: String) throws(Refused) -> Int {
        let units = [("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824)]
        for (unit, factor) in units where text.hasSuffix(unit) {
            let digits = text.dropLast(unit.count).trimming { $0 == " " }
            let (value, overflow) = try integer(digits).multipliedReportingOverflow(by: factor)
            guard !overflow else { throw Refused() }
            return value
        }
        return try integer(text)
    }

    static func number(_ text: String) throws(Refused) -> Double {
        guard let value = Double(text), value.isFinite else { throw Refused() }
        return value
    }

    static func boolean(_ text: String) throws(Refused) -> Bool {
        switch text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw Refused()
        }
    }

    /// `1h30m`, `5s`, `250ms`; a bare `0` too.
    static func duration(_ text: String) throws(Refused) -> Duration {
        if text == "0" { return .zero }
        var rest = Substring(text)
        var milliseconds = 0.0
        guard !rest.isEmpty else { throw Refused() }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let amount = Double(digits) else { throw Refused() }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            switch unit {
            case "ms": milliseconds += amount
            case "s": milliseconds += amount * 1000
            case "m": milliseconds += amount * 60_000
            case "h": milliseconds += amount * 3_600_000
            default: throw Refused()
            }
        }
        guard milliseconds <= 1e12 else { throw Refused() }
        return .milliseconds(Int64(milliseconds.rounded()))
    }

    static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimming { $0 == " " } }.filter { !$0.isEmpty }
    }

    static func map(json text: String) throws(Refused) -> [String: String] {
        if text.isEmpty { return [:] }
        guard let value = try? JSONDecoder().decode([String: String].self, from: Data(text.utf8)) else {
            throw Refused(allowed: "a JSON object whose values are strings")
        }
        return value
    }

    /// Applies a rule to one text.
    ///
    /// - Parameter directory: Absolute; relative paths are taken from it.
    /// - Returns: The text to store.
    static func check(_ text: String, _ rule: SettingKey.Rule, directory: String) throws(Refused) -> String {
        let fits: Bool
        switch rule {
        case .any: fits = true
        case .filled: fits = !text.isEmpty
        case .oneOf(let words): fits = words.contains(text)
        case .httpURL: fits = isURL(text, schemes: ["http", "https"])
        case .redisURL: fits = isURL(text, schemes: ["redis"]) || text.hasPrefix("unix:///")
        case .key256:
            fits = Data(base64Encoded: text)?.count == 32
        case .token:
            fits =
                !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
                && text.first != " " && text.last != " "
        case .host:
            fits = !text.isEmpty && !text.contains("/") && !text.contains(where: \.isWhitespace)
        case .origin:
            fits =
                isURL(text, schemes: ["http", "https"]) && text == text.lowercased() && text.count { $0 == "/" } == 2
                && !text.contains { "?#@*".contains($0) }
        case .queueName:
            fits = !text.isEmpty && !["results", "live"].contains(text) && !text.hasPrefix("task:")
        case .path: return text.isEmpty ? "" : absolute(text, in: directory)
        case .program:
            guard !text.isEmpty else { throw Refused() }
            return text.contains("/") ? absolute(text, in: directory) : text
        }
        guard fits else { throw Refused() }
        return text
    }

    static func describe(_ rule: SettingKey.Rule) -> String {
        switch rule {
        case .any: "a text"
        case .filled: "a text that is not empty"
        case .oneOf(let words):
            words.count == 1 ? "`\(words[0])`" : "one of " + words.filter { !$0.isEmpty }.joined(separator: ", ")
        case .httpURL: "an http:// or https:// URL"
        case .redisURL: "redis://[:password@]host:port[/db] or unix:///path"
        case .key256: "standard base64 of exactly 32 bytes (openssl rand -base64 32)"
        case .token: "a text without control characters, line breaks or spaces at its ends"
        case .path: "a path"
        case .program: "a name, or a path with a /"
        case .host: "a host or host:port"
        case .origin: "an origin such as https://app.example.com, as browsers send it"
        case .queueName: "a text that is not empty; not results, live or task:…"
        }
    }

    static func describe(_ range: ClosedRange<Int>) -> String {
        " from \(range.lowerBound) to \(range.upperBound)"
    }

    /// The part before `@`, percent signs and all; `nil` when there is none.
    static func userInfo(ofURL url: String) -> String? {
        guard let start = url.firstRange(of: "://")?.upperBound else { return nil }
        let authority = url[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return nil }
        return String(authority[..<at])
    }

    static func absolute(_ path: String, in directory: String) -> String {
        if path.hasPrefix("/") { return path }
        var rest = Substring(path)
        while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
        return rest == "." || rest.isEmpty ? directory : (directory == "/" ? "/" : directory + "/") + rest
    }

    private static func isURL(_ text: String, schemes: [String]) -> Bool {
        guard !text.contains(where: \.isWhitespace), let url = URL(string: text), let scheme = url.scheme?.lowercased(),
            let host = url.host()
        else { return false }
        return schemes.contains(scheme) && !host.isEmpty
    }
}

extension StringProtocol {
    package func trimming(_ drop: (Character) -> Bool) -> String {
        var rest = self[...]
        while let first = rest.first, drop(first) { rest = rest.dropFirst() }
        while let last = rest.last, drop(last) { rest = rest.dropLast() }
        return String(rest)
    }
}

extension SettingKey {
    /// Parses `texts` (one for all but lists) and stores the value.
    func store(_ raw: RawSetting, in settings: inout Settings, directory: String) throws(SettingText.Refused) {
        func single() throws(SettingText.Refused) -> String {
            guard case .text(let text) = raw else { throw SettingText.Refused() }
            return text
        }
        func inRange<T: Comparable>(_ value: T, _ range: ClosedRange<T>) throws(SettingText.Refused) -> T {
            guard range.contains(value) else { throw SettingText.Refused() }
            return value
        }
        func elements() throws(SettingText.Refused) -> [String] {
            var checked: [String] = []
            for element in try raw.elements() {
                checked.append(try SettingText.check(element, rule, directory: directory))
            }
            return checked
        }
        switch slot {
        case .text(let path):
            settings[keyPath: path] = try SettingText.check(single(), rule, directory: directory)
        case .optionalText(let path):
            let text = try single()
            settings[keyPath: path] = text.isEmpty ? nil : try SettingText.check(text, rule, directory: directory)
        case .integer(let path, let range):
            settings[keyPath: path] = try inRange(SettingText.integer(single()), range)
        case .bytes(let path, let range):
            settings[keyPath: path] = try inRange(SettingText.bytes(single()), range)
        case .number(let path, let range):
            settings[keyPath: path] = try inRange(SettingText.number(single()), range)
        case .boolean(let path): settings[keyPath: path] = try SettingText.boolean(single())
        case .duration(let path): settings[keyPath: path] = try SettingText.duration(single())
        case .list(let path): settings[keyPath: path] = try elements()
        case .optionalList(let path): settings[keyPath: path] = try elements()
        case .map(let path):
            let map = try raw.map()
            for value in map.values { _ = try SettingText.check(value, rule, directory: directory) }
            settings[keyPath: path] = map
        }
    }

    /// The value in force, as the text that would set it.
    package func text(in settings: Settings) -> String {
        switch slot {
        case .text(let path): settings[keyPath: path]
        case .optionalText(let path): settings[keyPath: path] ?? ""
        case .integer(let path, _), .bytes(let path, _): String(settings[keyPath: path])
        case .number(let path, _):
            settings[keyPath: path].rounded() == settings[keyPath: path]
                ? String(Int(settings[keyPath: path])) : String(settings[keyPath: path])
        case .boolean(let path): String(settings[keyPath: path])
        case .duration(let path): SettingKey.text(of: settings[keyPath: path])
        case .list(let path): settings[keyPath: path].joined(separator: ",")
        case .optionalList(let path): settings[keyPath: path]?.joined(separator: ",") ?? ""
        case .map(let path): settings[keyPath: path].isEmpty ? "{}" : RawSetting.json(of: settings[keyPath: path])
        }
    }

    private static func text(of duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}

/// A value as read, before its key's rules.
enum RawSetting: Sendable, Equatable {
    case text(String)
    case list([String])
    case map([String: String])

    func elements() throws(SettingText.Refused) -> [String] {
        switch self {
        case .text(let text): return SettingText.list(text)
        case .list(let list): return list
        case .map: throw SettingText.Refused()
        }
    }

    func map() throws(SettingText.Refused) -> [String: String] {
        switch self {
        case .text(let text): return try SettingText.map(json: text)
        case .list: throw SettingText.Refused()
        case .map(let map): return map
        }
    }

    /// For error lines.
    var shown: String {
        switch self {
        case .text(let text): text
        case .list(let list): "[" + list.joined(separator: ", ") + "]"
        case .map(let map): RawSetting.json(of: map)
        }
    }

    static func json(of map: [String: String]) -> String {
        let members = map.sorted { $0.key < $1.key }.map { quoted($0.key) + ": " + quoted($0.value) }
        return "{" + members.joined(separator: ", ") + "}"
    }

    /// A double-quoted form that JSON and YAML read alike.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            default:
                if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                    let hex = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}
