package import Domain

/// A value on a command line: `NAME=VALUE`, `NAME=@FILE` for what a file says, or `NAME=-` for standard input.
///
/// Long texts and secrets need not stand where others see them. `@@` begins a value that begins with `@`.
package struct ParameterText: Sendable, Equatable {
    package enum Source: Sendable, Equatable {
        case value(String)
        case file(String)
        case standardInput
    }

    package var name: String
    package var source: Source

    /// - Throws: `.invalidArgument` for one without a name or without `=`.
    package init(_ text: String) throws(CodeForgeError) {
        guard let mark = text.firstIndex(of: "="), mark > text.startIndex else {
            throw CodeForgeError(.invalidArgument, "'\(text)': a parameter is NAME=VALUE, NAME=@FILE or NAME=-")
        }
        name = String(text[..<mark])
        let rest = String(text[text.index(after: mark)...])
        if rest == "-" {
            source = .standardInput
        } else if rest.hasPrefix("@@") || !rest.hasPrefix("@") {
            source = .value(rest.hasPrefix("@") ? String(rest.dropFirst()) : rest)
        } else if rest.count > 1 {
            source = .file(String(rest.dropFirst()))
        } else {
            throw CodeForgeError(.invalidArgument, "'\(text)': the name of a file is missing after '@'")
        }
    }

    /// - Throws: `.invalidArgument` also for a name that is there twice, and when two are to read standard input.
    package static func all(_ texts: [String]) throws(CodeForgeError) -> [ParameterText] {
        var all: [ParameterText] = []
        for text in texts {
            let parameter = try ParameterText(text)
            guard !all.contains(where: { $0.name == parameter.name }) else {
                throw CodeForgeError(.invalidArgument, "parameter '\(parameter.name)' is given twice")
            }
            guard parameter.source != .standardInput || !all.contains(where: { $0.source == .standardInput }) else {
                throw CodeForgeError(.invalidArgument, "only one parameter can be read from standard input")
            }
            all.append(parameter)
        }
        return all
    }
}
