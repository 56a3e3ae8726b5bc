import Client
import Domain
import Glibc
import HostProcess

/// A diff, for people or for programs.
enum DiffText {
    static func show(_ api: APIClient, _ path: String) async throws(CodeForgeError) {
        let (bytes, headers) = try await api.bytes(path)
        if Terminal.isInteractive {
            var rest = SafeText.lines(bytes).split(separator: "\n", omittingEmptySubsequences: false)
            if rest.last == "" { rest.removeLast() }
            for line in rest { print(styled(String(line))) }
        } else {
            flushOutput()
            _ = HostDescriptor.writeAll(bytes[...], to: 1)
        }
        if headers["x-diff-truncated"] != nil {
            flushOutput()
            complain(
                "codeforge: something is missing in this diff: it was too long, or a file too large or not readable")
        }
    }

    private static func styled(_ line: String) -> String {
        for (start, style) in starts where line.hasPrefix(start) { return Terminal.styled(line, style) }
        return line
    }

    /// As git colours them; the first that fits counts.
    private static let starts: [(String, Terminal.Style)] = [
        ("+++ ", .bold), ("--- ", .bold), ("diff --git ", .bold), ("index ", .bold), ("@@", .cyan), ("+", .green),
        ("-", .red),
    ]
}
