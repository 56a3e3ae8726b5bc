package import Domain

/// What every `TaskSecretStore` must do. The subject is an empty store.
package enum TaskSecretStoreContract {
    package typealias Case = ContractCase<any TaskSecretStore>

    package static let cases: [Case] = [
        Case("gives back what it got") { store in
            let both = TaskSecrets(accessToken: "ghp_ž", aiAPIKey: "sk")
            try await store.put(both, for: "a")
            try await store.put(TaskSecrets(aiAPIKey: ""), for: "b")
            try expectEqual(try await store.secrets(of: "a"), both, "both secrets")
            try expectEqual(try await store.secrets(of: "b"), TaskSecrets(aiAPIKey: ""), "one secret")
            try await store.put(TaskSecrets(), for: "a")
            try expect(try await store.secrets(of: "a").isEmpty, "replaced secrets")
        },
        Case("an unknown task has none") { store in
            try expect(try await store.secrets(of: "gone").isEmpty, "secrets of nobody")
        },
        Case("forgets when told") { store in
            try await store.put(TaskSecrets(accessToken: "x"), for: "a")
            try await store.expire("a", seconds: 100)
            try await store.expire("a", seconds: nil)
            try expect(try await !store.secrets(of: "a").isEmpty, "kept secrets")
            try await store.expire("a", seconds: 0)
            try expect(try await store.secrets(of: "a").isEmpty, "expired secrets")
            try await store.expire("gone", seconds: 1)
        },
    ]
}

/// What every `RateLimiter` must do. The subject makes an unused limiter of a given limit.
package enum RateLimiterContract {
    package typealias Subject = @Sendable (_ limit: Int) async throws -> any RateLimiter
    package typealias Case = ContractCase<Subject>

    package static let cases: [Case] = [
        Case("exactly the limit passes, for each token") { make in
            let limiter = try await make(10)
            for number in 0..<10 {
                let state = await limiter.hit("a")
                try expect(state?.passes == true, "request \(number)")
                try expectEqual(state?.remaining, 9 - number, "what is left after request \(number)")
                try expectEqual(state?.limit, 10, "the limit")
                try expect((59...60).contains(state?.resetSeconds ?? 0), "the window of request \(number)")
            }
            for _ in 0..<5 {
                let state = await limiter.hit("a")
                try expect(state?.passes == false, "a request too many")
                try expectEqual(state?.remaining, 0, "what is left")
                try expectEqual(state?.retryAfter, 6, "the wait")
            }
            try expect(await limiter.hit("b")?.passes == true, "another token")
        },
        Case("requests at the same moment count each") { make in
            let limiter = try await make(10)
            let passed = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<40 { group.addTask { await limiter.hit("a")?.passes == true } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try expectEqual(passed, 10, "passed requests")
        },
        Case("the wait is a second at least") { make in
            let limiter = try await make(100)
            for _ in 0..<100 { _ = await limiter.hit("a") }
            try expectEqual(await limiter.hit("a")?.retryAfter, 1, "the wait")
        },
        Case("no limit lets everything pass") { make in
            for limit in [0, -1] {
                let limiter = try await make(limit)
                for _ in 0..<50 { try expect(await limiter.hit("a") == nil, "a request without limit") }
            }
        },
    ]
}

/// What all `DeliveryMarks` must do. The subject is empty.
package enum DeliveryMarksContract {
    package typealias Case = ContractCase<any DeliveryMarks>

    private static func mark(_ url: String = "https://h/o/r", _ number: Int = 1, _ sha: String = "a") -> DeliveryMark {
        DeliveryMark(repositoryURL: url, number: number, sha: sha)
    }

    package static let cases: [Case] = [
        Case("a mark is new once") { marks in
            try expect(try await marks.add(mark(), seconds: 60), "the first")
            try expect(try await !marks.add(mark(), seconds: 60), "the second")
            for other in [mark("https://h/o/s"), mark("https://h/o/r", 2), mark("https://h/o/r", 1, "b")] {
                try expect(try await marks.add(other, seconds: 60), "another: \(other)")
            }
        },
        Case("a mark that is removed is new again") { marks in
            try expect(try await marks.add(mark(), seconds: 60), "the first")
            try await marks.remove(mark())
            try expect(try await marks.add(mark(), seconds: 60), "again")
        },
        Case("a mark that is kept stays") { marks in
            try expect(try await marks.add(mark(), seconds: 1), "the first")
            try await marks.keep(mark(), seconds: 3600)
            try expect(try await !marks.add(mark(), seconds: 1), "the second")
        },
        Case("of many at the same moment one is the first") { marks in
            let first = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<40 { group.addTask { try await marks.add(mark(), seconds: 60) } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try expectEqual(first, 1, "how many were new")
        },
    ]
}
