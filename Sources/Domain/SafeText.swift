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
