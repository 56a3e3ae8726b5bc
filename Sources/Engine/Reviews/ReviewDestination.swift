package import Domain

/// Where a review goes.
package struct ReviewDestination: Sendable, Hashable {
    package var access: ForgeAccess
    package var project: ForgeProject

    package init(access: ForgeAccess, project: ForgeProject) {
        self.access = access
        self.project = project
    }
}

extension CredentialResolver {
    /// For a review that is posted after its run: with the credential of the task's repository.
    ///
    /// - Throws: `.invalidArgument` or `.upstream` with what to tell.
    package func destination(of task: CodeTask) async throws(CodeForgeError) -> ReviewDestination {
        let place = try await reviewPlace(of: task)
        guard let access = try await access(for: task, at: place) else {
            throw CodeForgeError(.invalidArgument, "no access token available for \(place.host)")
        }
        return ReviewDestination(access: access, project: place.project)
    }

    /// For a review that a client wants posted: with what the task itself brought.
    ///
    /// - Throws: As `destination(of:)`.
    package func ownDestination(of task: CodeTask) async throws(CodeForgeError) -> ReviewDestination {
        try await checkOwnCredential(of: task)
        let place = try await reviewPlace(of: task)
        return ReviewDestination(access: try await ownAccess(for: task, at: place), project: place.project)
    }

    private func reviewPlace(of task: CodeTask) async throws(CodeForgeError) -> ForgePlace {
        func failure(_ why: String) -> CodeForgeError {
            CodeForgeError(.invalidArgument, "failed to parse repo URL: \(why)")
        }
        guard let url = RepositoryURL(task.repoURL) else { throw failure("it is none") }
        let place: ForgePlace?
        do throws(CodeForgeError) {
            place = try await self.place(of: task)
        } catch {
            throw error.code == .invalidArgument ? failure(error.message) : error
        }
        guard let place else {
            let host = url.host.isEmpty ? "a local repository" : url.host
            throw CodeForgeError(.upstream, "failed to post review comments: no known forge: \(host)")
        }
        return place
    }
}
