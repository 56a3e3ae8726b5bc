package import Domain
import FoundationEssentials
import Glibc
internal import Yams

/// What a user's client commands know of a service: the file `client.yaml`.
package struct ClientFile: Sendable, Equatable {
    /// Of the service.
    package var url: String?
    /// Goes to the service at `url` alone.
    package var token: String?
    /// File that holds the token instead.
    package var tokenFile: String?

    /// Longest file, in bytes.
    private static let longest = 65_536

    /// Where it is: `$XDG_CONFIG_HOME/codeforge/client.yaml`, else below `~/.config`; `nil` without a home.
    ///
    /// Source: XDG Base Directory Specification 0.8; a relative path counts as none.
    package static func path(in environment: [String: String]) -> String? {
        if let place = environment["XDG_CONFIG_HOME"], place.hasPrefix("/") { return place + "/codeforge/client.yaml" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home + "/.config/codeforge/client.yaml"
    }

    /// - Returns: `nil` when there is no such file.
    /// - Throws: `.invalidArgument` when it can't be read, says something unknown, belongs to somebody else, can be
    ///   changed by others, or has a token and can be read by others.
    package static func read(_ path: String) throws(CodeForgeError) -> ClientFile? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw CodeForgeError(.invalidArgument, "\(path): can't be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= longest else {
            throw CodeForgeError(.invalidArgument, "\(path): must be a file of at most 64 KiB")
        }
        // Whoever can change it chooses where a token goes.
        guard status.st_uid == geteuid() || status.st_uid == 0, status.st_mode & 0o022 == 0 else {
            throw CodeForgeError(.invalidArgument, "\(path): must be yours, and nobody else may write it: chmod 600")
        }
        var buffer = [UInt8](repeating: 0, count: longest)
        let count = Glibc.read(file, &buffer, buffer.count)
        guard count >= 0, let text = String(validating: buffer.prefix(count), as: UTF8.self) else {
            throw CodeForgeError(.invalidArgument, "\(path): must be UTF-8 text")
        }
        let found = try parse(text, shownAs: path)
        guard found.token == nil || status.st_mode & 0o077 == 0 else {
            throw CodeForgeError(
                .invalidArgument, "\(path): holds a token and others may read it; run: chmod 600 \(path)")
        }
        return found
    }

    private static func parse(_ text: String, shownAs path: String) throws(CodeForgeError) -> ClientFile {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            let problem = (error as? YamlError).map(YAMLSettings.describe) ?? "is not YAML"
            throw CodeForgeError(.invalidArgument, "\(path): \(problem)")
        }
        var found = ClientFile()
        guard let root else { return found }
        guard case .mapping(let mapping) = root else {
            throw CodeForgeError(.invalidArgument, "\(path): must be a mapping of url, token and token_file")
        }
        for (name, value) in mapping {
            guard case .scalar(let scalar) = value, !scalar.string.isEmpty else {
                throw CodeForgeError(.invalidArgument, "\(path):\(name.mark?.line ?? 1): must be a text")
            }
            switch name.string {
            case "url": found.url = scalar.string
            case "token": found.token = scalar.string
            case "token_file": found.tokenFile = scalar.string
            default:
                throw CodeForgeError(
                    .invalidArgument,
                    "\(path):\(name.mark?.line ?? 1): unknown key; there are url, token and token_file")
            }
        }
        guard found.token == nil || found.tokenFile == nil else {
            throw CodeForgeError(.invalidArgument, "\(path): has both token and token_file; keep one of them")
        }
        guard found.url != nil || (found.token == nil && found.tokenFile == nil) else {
            throw CodeForgeError(.invalidArgument, "\(path): has a token but no url it is for")
        }
        return found
    }
}
