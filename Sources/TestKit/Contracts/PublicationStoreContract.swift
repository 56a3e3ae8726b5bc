package import Domain

/// What every `PublicationStore` must do. The subject is an empty store.
package enum PublicationStoreContract {
    package typealias Case = ContractCase<any PublicationStore>

    package static let cases: [Case] = [
        Case("numbers the publications of each task, and never repeats an attempt") { store in
            let first = try await store.insert(publication("a"))
            try expectEqual([first.number, first.attempt], [1, 1], "the first")
            let again = try await store.retry(first)
            try expectEqual([again.number, again.attempt], [1, 2], "the first, again")
            let second = try await store.insert(publication("a"))
            try expectEqual([second.number, second.attempt], [2, 3], "the second")
            let other = try await store.insert(publication("b"))
            try expectEqual([other.number, other.attempt], [1, 1], "another task's")
            try expectEqual(try await store.latest(of: "a"), second, "the latest")
            try expect(try await store.latest(of: "c") == nil, "one of nobody's")
        },
        Case("keeps every member, and changes branch and state") { store in
            var publication = try await store.insert(publication("a"))
            try expectEqual(try await store.latest(of: "a"), publication, "as it was")
            publication.branch = "other-1"
            publication.state = .pushed
            try await store.update(publication)
            try expectEqual(try await store.latest(of: "a"), publication, "as it is")
        },
        Case("finds those that are not over") { store in
            for (id, state) in [
                ("a", Publication.State.pushing), ("b", .created), ("c", .pushed), ("d", .failed),
            ] {
                var publication = try await store.insert(publication(id))
                publication.state = state
                try await store.update(publication)
            }
            try expectEqual(try await store.open().map(\.taskID), ["a", "c"], "the open ones")
        },
    ]

    package static func publication(_ id: String) -> Publication {
        Publication(
            taskID: id, iteration: 2, title: "Title Ž\u{0}", description: "", base: "main", branch: "codeforge/x",
            createdAt: Timestamp(nanoseconds: 7))
    }
}
