/// Text of hostile origin made fit for an error message or a log line.
public enum SafeText {
    /// The last part of `bytes` as one printable line: invalid UTF-8 repaired, escape sequences and controls gone,
    /// line ends joined by `; `, secrets replaced by `***`.
    ///
    /// - Parameters:
    ///   - limit: Longest result in characters, ≥ 1; the end is kept, since that is where programs say what went wrong.
    ///   - secrets: Texts that must not appear; empty ones are ignored.
    public static func line(_ bytes: [UInt8], limit: Int, hiding secrets: [String?] = []) -> String {
        var text = String(decoding: bytes, as: UTF8.self)
        for case let secret? in secrets where !secret.isEmpty { text = text.replacing(secret, with: "***") }
        let lines = text.split(whereSeparator: \.isNewline).map { line in
            String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.properties.isPrintable }))
        }
        let joined = lines.map { $0.drop(while: \.isWhitespace) }.filter { !$0.isEmpty }.joined(separator: "; ")
        return joined.count > limit ? "…" + joined.suffix(limit - 1) : joined
    }

    /// The first part of `bytes` as one printable line: invalid UTF-8 repaired, everything unprintable replaced by `?`.
    ///
    /// - Parameter limit: Bytes looked at, ≥ 1; what is beyond becomes `…`.
    public static func start(of bytes: some Collection<UInt8>, limit: Int) -> String {
        var text = ""
        for scalar in String(decoding: bytes.prefix(limit), as: UTF8.self).unicodeScalars {
            text.unicodeScalars.append(scalar.properties.isPrintable ? scalar : "?")
        }
        return bytes.count > limit ? text + "…" : text
    }

    /// `bytes` as printable lines: invalid UTF-8 repaired, everything unprintable but tabs and line ends replaced by `?`.
    public static func lines(_ bytes: some Collection<UInt8>) -> String {
        var text = ""
        for scalar in String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n").unicodeScalars {
            let isShown = scalar == "\n" || scalar == "\t" || scalar.properties.isPrintable
            text.unicodeScalars.append(isShown ? scalar : "?")
        }
        return text
    }
}

extension Unicode.Scalar.Properties {
    /// Neither a control, a format character (bidirectional overrides among them), a surrogate nor unassigned.
    fileprivate var isPrintable: Bool {
        switch generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}

/// Makes what a foreign program writes fit for a terminal, however it was cut into pieces; see `SafeText.lines`.
public struct TerminalText: Sendable {
    /// What more may belong to: the beginning of a character, or a carriage return.
    private var rest: [UInt8] = []

    public init() {}

    public mutating func fit(_ bytes: some Collection<UInt8>) -> [UInt8] {
        rest += bytes
        let complete = rest.count - TerminalText.unfinished(rest)
        defer { rest.removeFirst(complete) }
        return Array(SafeText.lines(rest.prefix(complete)).utf8)
    }

    /// What is left at the end.
    public mutating func end() -> [UInt8] {
        defer { rest = [] }
        return Array(SafeText.lines(rest).utf8)
    }

    /// How many bytes at the end wait for more.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        if bytes.last == 0x0D { return 1 }
        for (index, byte) in bytes.suffix(3).reversed().enumerated() where byte & 0xC0 != 0x80 {
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > index + 1 ? index + 1 : 0
        }
        return 0
    }
}
