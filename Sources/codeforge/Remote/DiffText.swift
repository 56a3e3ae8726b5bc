import Client
import Domain
import Glibc
import HostProcess

/// A diff, for people or for programs.
enum DiffText {
    /// Shows the diff of the member `text` means.
    static func show(
        _ text: String, of resource: Resource, query: String = "", _ options: ServiceOptions
    ) async throws {
        let api = try options.client()
        let (bytes, headers) = try await reporting {
            try await api.bytes(resource.path(try await resource.id(text, api), "/diff" + query))
        }
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
