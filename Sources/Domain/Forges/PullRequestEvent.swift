/// What a forge's webhook says about a pull or merge request. Signed by the forge, yet its texts are anybody's.
package struct PullRequestEvent: Sendable, Hashable {
    package var provider: GitProvider
    /// As the forge words it; at most 64 printable characters.
    package var action: String
    package var isDraft: Bool
    /// 0 when it is missing.
    package var number: Int
    package var title: String
    package var repositoryURL: String
    package var headBranch: String
    package var baseBranch: String
    /// 40 or 64 lower-case hexadecimal digits; empty when the forge did not say.
    package var headSHA: String
    /// Whether the head is in another repository, or in one that is gone.
    package var isFork: Bool

    package init(
        provider: GitProvider, action: String, isDraft: Bool = false, number: Int = 0, title: String = "",
        repositoryURL: String = "", headBranch: String = "", baseBranch: String = "", headSHA: String = "",
        isFork: Bool = true
    ) {
        self.provider = provider
        self.action = action
        self.isDraft = isDraft
        self.number = number
        self.title = title
        self.repositoryURL = repositoryURL
        self.headBranch = headBranch
        self.baseBranch = baseBranch
        self.headSHA = headSHA
        self.isFork = isFork
    }

    /// Whether the action may have brought code to review.
    package var isHandled: Bool {
        switch provider {
        case .github: ["opened", "synchronize", "reopened"].contains(action)
        case .gitlab: ["open", "update", "reopen"].contains(action)
        }
    }

    /// Whether a review can be made of it: every member is of the form a forge gives it, and the repository is one that
    /// is read over HTTP, named without a password.
    package var isComplete: Bool {
        guard number > 0, repositoryURL.utf8.count <= 2048, let url = try? HTTPURL(repositoryURL), url.query == nil,
            RepositoryURL(repositoryURL) != nil
        else { return false }
        return (headSHA.isEmpty || CommitID.isValid(headSHA)) && (headBranch.isEmpty || BranchName.isValid(headBranch))
            && (baseBranch.isEmpty || BranchName.isValid(baseBranch))
    }
}

/// The name of a git object.
package enum CommitID {
    /// SHA-1 or SHA-256, all of it, in lower case.
    package static func isValid(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// The name of a git branch.
package enum BranchName {
    /// What git takes for one, and does not take for an option; at most 255 bytes.
    ///
    /// Source: git-check-ref-format(1).
    package static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...255).contains(bytes.count), bytes[0] != UInt8(ascii: "-"), bytes.last != UInt8(ascii: "."),
            text != "@", bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F && !Array("~^:?*[\\".utf8).contains($0) })
        else { return false }
        for (a, b) in zip(bytes, bytes.dropFirst()) {
            if a == UInt8(ascii: "."), b == UInt8(ascii: ".") { return false }
            if a == UInt8(ascii: "@"), b == UInt8(ascii: "{") { return false }
        }
        return text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".lock")
        }
    }
}
