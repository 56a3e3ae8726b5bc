package import Domain
import Glibc
import HostProcess

/// The files of tasks under the data directory and the workspace base.
///
/// What must go is renamed first, within its directory, to a name that nobody looks for: no run can find half of it, a
/// crash leaves nothing that is not found again, and no link is followed.
package struct TaskFiles: WorkspaceFiles {
    private let base: String
    private let git: String
    private let homes: String
    private let runs: String

    private static let mark = ".removed-"

    package init(dataDirectory: String, workspaceBase: String) {
        base = workspaceBase
        git = dataDirectory + "/git"
        homes = dataDirectory + "/homes"
        runs = dataDirectory + "/runs"
    }

    package func slugs() async throws(CodeForgeError) -> Set<String> {
        Set(
            try await names(in: base).map { name in
                let suffix = WorkspaceForm.volumeSuffix
                return name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
            })
    }

    package func taskIDs() async throws(CodeForgeError) -> Set<String> {
        Set(try await names(in: git)).union(try await names(in: homes))
    }

    package func runs(unchangedFor seconds: Int) async throws(CodeForgeError) -> [String] {
        let latest = time(nil) - seconds
        return try await names(in: runs).filter { name in
            var status = stat()
            return lstat("\(runs)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
                && status.st_mtim.tv_sec <= latest
        }
    }

    package func volumeBytes(of slug: String) -> Int? {
        var status = stat()
        guard TaskFiles.isName(slug), lstat("\(base)/\(slug)\(WorkspaceForm.volumeSuffix)", &status) == 0,
            status.st_mode & S_IFMT == S_IFREG
        else { return nil }
        return Int(status.st_blocks) * 512
    }

    package func discard(slug: String?, taskID: String) throws(CodeForgeError) {
        if let slug {
            try discard(slug + WorkspaceForm.volumeSuffix, in: base)
            try discard(slug, in: base)
        }
        for folder in [git, homes, runs] { try discard(taskID, in: folder) }
    }

    package func discardRun(of taskID: String) throws(CodeForgeError) { try discard(taskID, in: runs) }

    package func removeDiscarded() async throws(CodeForgeError) {
        for folder in [base, git, homes, runs] {
            for name in try await names(in: folder, hidden: true) {
                try await HostTree.remove("\(folder)/\(name)")
            }
        }
    }

    private func discard(_ name: String, in folder: String) throws(CodeForgeError) {
        guard TaskFiles.isName(name) else {
            throw CodeForgeError(
                .invalidArgument, "\(SafeText.start(of: name.utf8, limit: 100)) is no workspace's name")
        }
        let unique = String(UInt64.random(in: .min ... .max), radix: 36)
        guard rename("\(folder)/\(name)", "\(folder)/\(TaskFiles.mark)\(unique)") == 0 || errno == ENOENT else {
            throw CodeForgeError(
                .unavailable, "cannot remove \(folder)/\(name): \(String(cString: strerror(errno)))")
        }
    }

    /// One component of a path, and none of ours that begin with a dot.
    private static func isName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && !name.hasPrefix(".") && !name.utf8.contains { $0 == 0x2F || $0 == 0 }
    }

    /// Entries of a directory that may be ours; none when there is no directory yet.
    private func names(in folder: String, hidden: Bool = false) async throws(CodeForgeError) -> [String] {
        try await withoutBlocking { () throws(CodeForgeError) in
            guard let names = HostDirectory.names(folder) else {
                if errno == ENOENT { return [] }
                throw CodeForgeError(.unavailable, "cannot read \(folder): \(String(cString: strerror(errno)))")
            }
            return names.filter { hidden ? $0.hasPrefix(TaskFiles.mark) : TaskFiles.isName($0) }
        }
    }
}
