import ArgumentParser
import Domain
import FoundationEssentials
import Glibc
import HostProcess
import Settings

/// Secrets a user hands to a command: never on the command line, which others can see.
enum SecretText {
    /// Longest, in bytes.
    private static let longest = 65_536

    /// The value of the variable, else what the file says that `<name>_FILE` names; `nil` without either.
    ///
    /// - Throws: `.invalidArgument` when the file can't be read or is empty.
    static func environment(_ name: String) throws(CodeForgeError) -> String? {
        let environment = ProcessInfo.processInfo.environment
        if let value = environment[name], !value.isEmpty { return value }
        guard let path = environment[name + "_FILE"], !path.isEmpty else { return nil }
        return try file(path, for: name + "_FILE")
    }

    /// What a file says, without line ends around it.
    static func file(_ path: String, for what: String) throws(CodeForgeError) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw CodeForgeError(
                .invalidArgument, "\(what): '\(path)' can't be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        return try read(file, for: what)
    }

    private static func read(_ file: Int32, for what: String) throws(CodeForgeError) -> String {
        let bytes = try Input.all(of: file, upTo: longest, for: what)
        guard let text = String(validating: bytes, as: UTF8.self)?.trimming(\.isNewline), !text.isEmpty else {
            throw CodeForgeError(.invalidArgument, "\(what): is empty, or no UTF-8 text")
        }
        return text
    }

    /// From standard input; a person at a terminal is asked, and does not see it.
    static func standardInput(asking question: String) throws(CodeForgeError) -> String {
        guard isatty(0) == 1 else { return try read(0, for: "standard input") }
        var before = termios()
        guard tcgetattr(0, &before) == 0 else {
            throw CodeForgeError(.invalidArgument, "the terminal can't hide what is typed: give a file instead")
        }
        var hidden = before
        hidden.c_lflag &= ~tcflag_t(ECHO)
        let prompt = Array(question.utf8)
        _ = write(2, prompt, prompt.count)
        // Ctrl-C leaves the terminal as it was: signals wait until the line is read, and Ctrl-C is one no more.
        hidden.c_lflag &= ~tcflag_t(ISIG)
        tcsetattr(0, TCSAFLUSH, &hidden)
        let line = readLine(strippingNewline: true)
        tcsetattr(0, TCSAFLUSH, &before)
        complain("")
        guard let line, !line.isEmpty, !line.utf8.contains(3) else {
            throw CodeForgeError(.invalidArgument, "nothing was typed")
        }
        return line
    }
}

/// What a command reads.
enum Input {
    /// - Throws: `.invalidArgument` when it can't be read, or is longer than `limit` bytes.
    static func all(of file: Int32, upTo limit: Int, for what: String) throws(CodeForgeError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw CodeForgeError(.invalidArgument, "\(what): can't be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= limit else {
                throw CodeForgeError(.invalidArgument, "\(what): is longer than \(limit) bytes")
            }
        }
    }

    /// A file's text; `-` is standard input.
    static func text(_ path: String, upTo limit: Int = 2 << 20) throws(CodeForgeError) -> String {
        let file = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw CodeForgeError(.invalidArgument, "'\(path)' can't be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        let shown = path == "-" ? "standard input" : "'\(path)'"
        guard let text = String(validating: try all(of: file, upTo: limit, for: shown), as: UTF8.self) else {
            throw CodeForgeError(.invalidArgument, "\(shown): is no UTF-8 text")
        }
        return text
    }

    /// A file's JSON; `-` is standard input.
    static func json(_ path: String) throws(CodeForgeError) -> JSONValue {
        let text = try text(path)
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        } catch {
            throw CodeForgeError(.invalidArgument, "'\(path)' is not JSON")
        }
    }
}

extension ClientFile {
    /// The token it holds or names.
    var secret: String? {
        get throws(CodeForgeError) {
            if let token { return token }
            return try tokenFile.map { path throws(CodeForgeError) in try SecretText.file(path, for: "token_file") }
        }
    }
}

/// A name in the registries of the service.
///
/// - Throws: `ValidationError` for what can't be one: it would be another path.
func checkName(_ name: String) throws {
    guard NameRule.accepts(name) else { throw ValidationError("a name is letters, digits, - and _") }
}
