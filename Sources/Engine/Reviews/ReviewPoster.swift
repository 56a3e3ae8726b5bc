package import Domain

/// A review that was posted.
package struct PostedReview: Sendable, Hashable {
    /// For people; empty on GitLab.
    package var url: String
    /// Comments at lines.
    package var comments: Int
}

/// Posts reviews as comments of pull and merge requests.
package struct ReviewPoster: Sendable {
    /// Comments at lines of one review.
    static let mostComments = 20

    private let forge: any Forge
    private let untrustedVerdicts: Bool

    /// - Parameter untrustedVerdicts: Whether a review of code nobody vouched for may approve or request changes.
    package init(forge: any Forge, untrustedVerdicts: Bool) {
        self.forge = forge
        self.untrustedVerdicts = untrustedVerdicts
    }

    /// - Parameters:
    ///   - marker: Random; of this posting alone.
    ///   - isRepeated: Some of it may be there already, from a time that was cut short.
    package func post(
        _ review: ReviewResult, on number: Int, at destination: ReviewDestination, marker: String,
        isRepeated: Bool = false
    ) async throws(ForgeError) -> PostedReview {
        var there: [ForgeRemark] = []
        if isRepeated {
            there = try await forge.remarks(on: number, in: destination.project, destination.access)
                .filter { $0.body.contains("codeforge:\(marker):") }
        }
        switch destination.access.provider {
        case .github: return try await postToGitHub(review, number, destination, marker, there.first)
        case .gitlab: return try await postToGitLab(review, number, destination, marker, there.map(\.body))
        }
    }

    // MARK: GitHub

    private func postToGitHub(
        _ review: ReviewResult, _ number: Int, _ place: ReviewDestination, _ marker: String, _ there: ForgeRemark?
    ) async throws(ForgeError) -> PostedReview {
        if let there { return PostedReview(url: there.url, comments: ReviewPoster.count(in: there.body, marker)) }
        let lines = try await linesOfDiff(number, place)
        var (inline, general): ([ReviewIssue], [ReviewIssue]) = ([], [])
        for issue in review.issues {
            let isInDiff = issue.isLocated && lines?[issue.file]?.contains(issue.line) ?? (lines == nil)
            if isInDiff, inline.count < ReviewPoster.mostComments {
                inline.append(issue)
            } else {
                general.append(issue)
            }
        }
        let event = event(of: review)
        do throws(ForgeError) {
            return try await submit(review, event, inline, general, number, place, marker)
        } catch {
            guard error.status == 422, !inline.isEmpty || event != .comment else { throw error }
        }
        // A line GitHub sees otherwise; or a verdict on what is one's own, which it never takes.
        if !inline.isEmpty {
            do throws(ForgeError) {
                return try await submit(review, event, [], review.issues, number, place, marker)
            } catch {
                guard error.status == 422, event != .comment else { throw error }
            }
        }
        return try await submit(review, .comment, [], review.issues, number, place, marker)
    }

    /// `nil` when they can't be had: then every place is tried.
    private func linesOfDiff(
        _ number: Int, _ place: ReviewDestination
    ) async throws(ForgeError) -> [String: Set<Int>]? {
        do throws(ForgeError) {
            return DiffLines.of(try await forge.changedFiles(of: number, in: place.project, place.access))
        } catch {
            if error.reason == .cancelled { throw error }
            return nil
        }
    }

    private func submit(
        _ review: ReviewResult, _ event: ReviewDraft.Event, _ inline: [ReviewIssue], _ general: [ReviewIssue],
        _ number: Int,
        _ place: ReviewDestination, _ marker: String
    ) async throws(ForgeError) -> PostedReview {
        let draft = ReviewDraft(
            body: ReviewText.summary(review, general: general, marker: ReviewText.marker(marker, "\(inline.count)")),
            event: event,
            comments: inline.map { issue in
                ReviewDraft.Comment(
                    path: issue.file, line: issue.line,
                    body: ReviewText.line(issue, marker: ReviewText.marker(marker, "line")))
            })
        let url = try await forge.submitReview(draft, of: number, in: place.project, place.access)
        return PostedReview(url: url, comments: inline.count)
    }

    /// Who wrote the code may have steered the verdict: it counts only for code somebody vouched for.
    private func event(of review: ReviewResult) -> ReviewDraft.Event {
        guard review.isUntrusted == false || untrustedVerdicts else { return .comment }
        switch review.verdict {
        case "approve": return .approve
        case "request_changes": return .requestChanges
        default: return .comment
        }
    }

    private static func count(in body: String, _ marker: String) -> Int {
        (0...mostComments).first { body.contains(ReviewText.marker(marker, "\($0)")) } ?? 0
    }

    // MARK: GitLab

    private func postToGitLab(
        _ review: ReviewResult, _ number: Int, _ place: ReviewDestination, _ marker: String, _ there: [String]
    ) async throws(ForgeError) -> PostedReview {
        func isThere(_ part: String) -> Bool { there.contains { $0.contains(ReviewText.marker(marker, part)) } }
        var general: [ReviewIssue] = []
        var posted = 0
        let version = try await latestVersion(number, place)
        for (index, issue) in review.issues.enumerated() {
            guard let version, issue.isLocated, posted < ReviewPoster.mostComments else {
                general.append(issue)
                continue
            }
            let part = "line-\(index)"
            if isThere(part) {
                posted += 1
                continue
            }
            do throws(ForgeError) {
                try await forge.startDiscussion(
                    ReviewText.line(issue, marker: ReviewText.marker(marker, part)),
                    at: DiscussionPosition(version: version, path: issue.file, line: issue.line), of: number,
                    in: place.project, place.access)
                posted += 1
            } catch {
                if error.reason == .cancelled { throw error }
                general.append(issue)
            }
        }
        if !isThere("summary") {
            let marker = ReviewText.marker(marker, "summary")
            try await forge.startDiscussion(
                ReviewText.summary(review, general: general, marker: marker), at: nil, of: number, in: place.project,
                place.access)
        }
        return PostedReview(url: "", comments: posted)
    }

    private func latestVersion(
        _ number: Int, _ place: ReviewDestination
    ) async throws(ForgeError) -> MergeRequestVersion? {
        do throws(ForgeError) {
            return try await forge.versions(of: number, in: place.project, place.access).first
        } catch {
            if error.reason == .cancelled { throw error }
            return nil
        }
    }
}

extension ReviewIssue {
    fileprivate var isLocated: Bool { !file.isEmpty && line > 0 }
}
