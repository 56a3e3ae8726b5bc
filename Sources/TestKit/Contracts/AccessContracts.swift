package import Domain

/// What every `TokenStore` must do. The subject is an empty store.
package enum TokenStoreContract {
    package typealias Case = ContractCase<any TokenStore>

    private static let time = Timestamp(nanoseconds: 1_772_131_090_277_000_000)

    package static let cases: [Case] = [
        Case("finds a token by its digest alone") { store in
            try await store.insert(name: "b", role: .submit, digest: [1, 2], at: time)
            try await store.insert(name: "a", role: .read, digest: [3, 4], at: time)
            let found = try await store.token(digest: [1, 2])
            try expectEqual(found?.name, "b", "the name")
            try expectEqual(found?.role, .submit, "the role")
            try expectEqual(found?.createdAt, time, "the time")
            for digest: [UInt8] in [[], [1], [1, 2, 0], [2, 1]] {
                try expect(try await store.token(digest: digest) == nil, "a token of nobody: \(digest)")
            }
            try expectEqual(try await store.tokens().map(\.name), ["a", "b"], "the names")
        },
        Case("has each name once") { store in
            try await store.insert(name: "a", role: .read, digest: [1], at: time)
            try await expectCode(.conflict) { () async throws(CodeForgeError) in
                try await store.insert(name: "a", role: .admin, digest: [2], at: time)
            }
            try expect(try await store.token(digest: [2]) == nil, "the refused token")
        },
        Case("a removed token is good for nothing, and its id is not used again") { store in
            try await store.insert(name: "a", role: .read, digest: [1], at: time)
            let first = try await store.token(digest: [1])?.id
            try await store.remove(name: "a")
            try expect(try await store.token(digest: [1]) == nil, "the removed token")
            try await expectCode(.notFound) { () async throws(CodeForgeError) in try await store.remove(name: "a") }
            try await store.insert(name: "a", role: .read, digest: [2], at: time)
            try expect(try await store.token(digest: [2])?.id != first, "an id used twice")
        },
    ]
}

/// What every `ReceiptStore` must do. The subject is an empty store.
package enum ReceiptStoreContract {
    package typealias Case = ContractCase<any ReceiptStore>

    package static func receipt(_ scope: String, _ key: String, at second: Int64 = 0, body: String = "{}") -> Receipt {
        Receipt(
            claim: ReceiptClaim(scope: scope, key: key, fingerprint: [1, 0, 255]), status: 201, body: Array(body.utf8),
            createdAt: time(second), expiresAt: time(second + 100))
    }

    package static func time(_ second: Int64) -> Timestamp { Timestamp(nanoseconds: second * 1_000_000_000) }

    package static let cases: [Case] = [
        Case("gives back what it got, to its own scope") { store in
            try await store.insert(receipt("a", "k"))
            try await store.insert(receipt("b", "k", body: "[]"))
            try expectEqual(
                try await store.receipt(scope: "a", key: "k", now: time(99)), receipt("a", "k"), "the receipt")
            try expectEqual(
                try await store.receipt(scope: "b", key: "k", now: time(0))?.body, Array("[]".utf8), "another scope's")
            try expect(try await store.receipt(scope: "c", key: "k", now: time(0)) == nil, "a third scope's")
            try expect(try await store.receipt(scope: "a", key: "K", now: time(0)) == nil, "another key's")
        },
        Case("keeps the first until it expires") { store in
            try await store.insert(receipt("a", "k"))
            try await expectCode(.conflict) { () async throws(CodeForgeError) in
                try await store.insert(receipt("a", "k", at: 99, body: "later"))
            }
            try expect(try await store.receipt(scope: "a", key: "k", now: time(100)) == nil, "an expired receipt")
            try await store.insert(receipt("a", "k", at: 100, body: "later"))
            try expectEqual(
                try await store.receipt(scope: "a", key: "k", now: time(150))?.body, Array("later".utf8), "the next")
        },
        Case("removes what has expired") { store in
            for number in 0..<5 { try await store.insert(receipt("a", "\(number)", at: Int64(number))) }
            try expectEqual(try await store.removeExpired(now: time(102)), 3, "the number removed")
            try expect(try await store.receipt(scope: "a", key: "3", now: time(102)) != nil, "one that is still good")
        },
    ]
}
