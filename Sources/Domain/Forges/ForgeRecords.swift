/// Whose token it is.
package struct ForgeAccount: Sendable, Hashable {
    package var username: String
    package var email: String
    /// As the forge words them; empty when it does not tell.
    package var scopes: String

    package init(username: String, email: String = "", scopes: String = "") {
        self.username = username
        self.email = email
        self.scopes = scopes
    }
}

/// A repository a token can see.
package struct ForgeRepository: Sendable, Hashable {
    package var name: String
    package var fullName: String
    package var cloneURL: String
    package var defaultBranch: String
    package var isPrivate: Bool
    package var description: String
    /// As the forge words it; empty when it does not tell.
    package var updatedAt: String

    package init(
        name: String, fullName: String, cloneURL: String, defaultBranch: String, isPrivate: Bool, description: String,
        updatedAt: String
    ) {
        self.name = name
        self.fullName = fullName
        self.cloneURL = cloneURL
        self.defaultBranch = defaultBranch
        self.isPrivate = isPrivate
        self.description = description
        self.updatedAt = updatedAt
    }
}

/// A pull or merge request to be opened.
package struct PullRequestDraft: Sendable, Hashable {
    package var title: String
    package var body: String
    /// Branch with the changes, in the same repository.
    package var head: String
    package var base: String
    package var label: String

    package init(title: String, body: String, head: String, base: String, label: String = "codeforge") {
        self.title = title
        self.body = body
        self.head = head
        self.base = base
        self.label = label
    }
}

/// Where a pull or merge request is.
package struct PullRequestLink: Sendable, Hashable {
    package var number: Int
    /// For people.
    package var url: String

    package init(number: Int, url: String) {
        self.number = number
        self.url = url
    }
}

/// A pull or merge request as the forge has it now.
package struct PullRequest: Sendable, Hashable {
    package var link: PullRequestLink
    package var isOpen: Bool
    package var isDraft: Bool
    package var author: ForgeUser
    package var headBranch: String
    package var headSHA: String
    package var baseBranch: String
    /// Whether its head is in another repository, or in one that is gone.
    package var isFork: Bool

    package init(
        link: PullRequestLink, isOpen: Bool, isDraft: Bool, author: ForgeUser, headBranch: String, headSHA: String,
        baseBranch: String, isFork: Bool
    ) {
        self.link = link
        self.isOpen = isOpen
        self.isDraft = isDraft
        self.author = author
        self.headBranch = headBranch
        self.headSHA = headSHA
        self.baseBranch = baseBranch
        self.isFork = isFork
    }
}

/// Somebody on a forge.
package struct ForgeUser: Sendable, Hashable {
    package var name: String
    /// GitLab's own number, which it asks members by; 0 when not known.
    package var id: Int

    package init(name: String, id: Int = 0) {
        self.name = name
        self.id = id
    }
}

/// What somebody may do in a repository.
package enum ForgePermission: Int, Sendable, Comparable {
    case none, read, write, admin

    package static func < (a: ForgePermission, b: ForgePermission) -> Bool { a.rawValue < b.rawValue }
}

/// A file a pull request changes.
package struct ChangedFile: Sendable, Hashable {
    package var path: String
    /// Hunks of a unified diff without the file's header; `nil` for a binary or very large change.
    package var patch: String?

    package init(path: String, patch: String?) {
        self.path = path
        self.patch = patch
    }
}

/// Something said about a pull request.
package struct ForgeRemark: Sendable, Hashable {
    package var body: String
    /// For people; empty on GitLab.
    package var url: String

    package init(body: String, url: String) {
        self.body = body
        self.url = url
    }
}

/// A review of a GitHub pull request.
package struct ReviewDraft: Sendable, Hashable {
    package enum Event: String, Sendable {
        case approve = "APPROVE"
        case requestChanges = "REQUEST_CHANGES"
        case comment = "COMMENT"
    }

    package struct Comment: Sendable, Hashable {
        package var path: String
        /// Of the new side, 1-based.
        package var line: Int
        package var body: String

        package init(path: String, line: Int, body: String) {
            self.path = path
            self.line = line
            self.body = body
        }
    }

    package var body: String
    package var event: Event
    package var comments: [Comment]

    package init(body: String, event: Event, comments: [Comment]) {
        self.body = body
        self.event = event
        self.comments = comments
    }
}

/// The commits one version of a GitLab merge request compares.
package struct MergeRequestVersion: Sendable, Hashable {
    package var baseSHA: String
    package var startSHA: String
    package var headSHA: String

    package init(baseSHA: String, startSHA: String, headSHA: String) {
        self.baseSHA = baseSHA
        self.startSHA = startSHA
        self.headSHA = headSHA
    }
}

/// Where in a merge request's diff a discussion stands.
package struct DiscussionPosition: Sendable, Hashable {
    package var version: MergeRequestVersion
    package var path: String
    /// Of the new side, 1-based.
    package var line: Int

    package init(version: MergeRequestVersion, path: String, line: Int) {
        self.version = version
        self.path = path
        self.line = line
    }
}
