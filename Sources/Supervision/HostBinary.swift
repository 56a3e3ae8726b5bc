import Domain
import Glibc
import HostProcess
import Sandboxing

/// A CLI that is a file of the host, and how it is shown inside a sandbox.
///
/// Installers leave links: `/usr/local/bin/claude` may lead to `/usr/lib/node_modules/…/cli.js`. What it leads to on
/// the host is what is shown. A script of a package finds the package's other files beside it; any other file is shown
/// alone.
struct HostBinary: Equatable {
    /// What is bound, read-only: a file, or a package's directory. No component is a link.
    var source: String
    /// Where.
    var target: String
    /// The program inside. Keeps the ending of its real name: a script is started through `node` by it.
    var path: String

    private static let target = "/opt/codeforge/cli"
    private static let scriptEndings = [".js", ".mjs", ".cjs"]
    /// Directories above a script that may be its package's.
    private static let mostLevels = 4
    /// Files and directories of a package; with more, it is taken for something else.
    static let mostEntries = 10_000

    /// - Parameters:
    ///   - path: Absolute.
    ///   - hidden: Directories of ours: nothing that holds one of them is shown.
    /// - Throws: `.notFound` when nothing is there.
    init(at path: String, hiding hidden: [String]) throws(CodeForgeError) {
        guard let real = realpath(path, nil) else {
            throw CodeForgeError(.notFound, "\(path): \(String(cString: strerror(errno)))")
        }
        defer { free(real) }
        source = String(cString: real)
        let name = source.split(separator: "/").last ?? ""
        guard let ending = HostBinary.scriptEndings.first(where: { name.hasSuffix($0) }) else {
            (target, self.path) = (HostBinary.target, HostBinary.target)
            return
        }
        if let package = HostBinary.package(of: source, hiding: hidden) {
            target = HostBinary.target
            self.path = HostBinary.target + source.dropFirst(package.count)
            source = package
        } else {
            target = HostBinary.target + ending
            self.path = target
        }
    }

    var bind: SandboxRequest.Bind { SandboxRequest.Bind(source: source, target: target) }

    /// The nearest directory above with a `package.json`; `nil` without one, or when it may hold more than a package:
    /// what is shown is read by whatever runs inside.
    private static func package(of script: String, hiding hidden: [String]) -> String? {
        var parts = script.split(separator: "/").dropLast()
        for _ in 0..<mostLevels where parts.count >= 2 {
            let directory = "/" + parts.joined(separator: "/")
            if access(directory + "/package.json", F_OK) == 0 {
                let isHome = parts.count == 2 && parts.first == "home"
                let holdsOurs = hidden.contains { ($0 + "/").hasPrefix(directory + "/") }
                guard !isHome, !holdsOurs else { return nil }
                var left = mostEntries
                return isSmall(directory, &left) ? directory : nil
            }
            parts = parts.dropLast()
        }
        return nil
    }

    private static func isSmall(_ directory: String, _ left: inout Int) -> Bool {
        for name in HostDirectory.names(directory) ?? [] {
            left -= 1
            guard left >= 0 else { return false }
            let path = directory + "/" + name
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
            guard isSmall(path, &left) else { return false }
        }
        return true
    }
}
