/// A repository by its path on a forge: `owner/name`, and on GitLab also `group/subgroup/name`.
package struct ForgeProject: Sendable, Hashable, CustomStringConvertible {
    /// Decoded; at least two.
    package let segments: [String]

    /// - Parameter path: As in a URL, percent-encoded; slashes around it and one `.git` at its end do not count.
    /// - Returns: `nil` when owner and name can't be told.
    package init?(path: some StringProtocol, on provider: GitProvider) {
        var segments = path.split(separator: "/").map { PercentEncoding.decoded($0) ?? "" }
        if let last = segments.last, last.hasSuffix(".git") {
            segments[segments.count - 1] = String(last.dropLast(".git".count))
        }
        guard segments.count == 2 || (segments.count > 2 && provider == .gitlab),
            segments.allSatisfy(ForgeProject.isSegment)
        else { return nil }
        self.segments = segments
    }

    /// What stands for itself in a path: nothing that names another place when it is put together again.
    package static func isSegment(_ text: String?) -> Bool {
        guard let text, !text.isEmpty, text != ".", text != ".." else { return false }
        return text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "/" && $0 != "\\" }
    }

    package var owner: String { segments[0] }
    package var name: String { segments[segments.count - 1] }

    /// `owner/name`.
    package var description: String { segments.joined(separator: "/") }
}
