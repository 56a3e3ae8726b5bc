package import Domain

/// What every `KeyStore` must do. The subject is an empty store.
package enum KeyStoreContract {
    package typealias Case = ContractCase<any KeyStore>

    package static let cases: [Case] = [
        Case("keeps every member of a key") { store in
            let base = try ForgeBase("https://git.example.com:8443/gitlab", provider: .gitlab)
            let full = RegisteredKey(
                name: "corp", provider: .gitlab, scope: "Ž\u{0}'", base: base,
                createdAt: Timestamp(nanoseconds: 1_700_000_000_123_456_789))
            try expect(try await store.insert(full, sealedToken: "s1"), "a first key is new")
            try expectEqual(try await store.keys(), [full], "the keys")
            try expectEqual(full.createdAt.nanoseconds, 1_700_000_000_123_000_000, "its time")
            let found = try await store.keys(named: "corp")
            try expectEqual(found.map(\.key), [full], "by name")
            try expectEqual(found.map(\.sealedToken), ["s1"], "its token")
        },
        Case("one name may stand under each provider once") { store in
            for provider in KeyProvider.allCases {
                try expect(try await store.insert(key("k", provider), sealedToken: provider.rawValue), "\(provider)")
            }
            try expect(try await !store.insert(key("k", .gitlab), sealedToken: "other"), "a second gitlab key")
            try expectEqual(
                try await store.keys(named: "k").map(\.sealedToken), ["github", "gitlab", "sentry"], "the tokens")
        },
        Case("lists in the order of creation, whatever the times say") { store in
            for (name, second) in [("c", 3), ("a", 1), ("b", 2)] {
                _ = try await store.insert(key(name, second: second), sealedToken: name)
            }
            try expectEqual(try await store.keys().map(\.name), ["c", "a", "b"], "the order")
        },
        Case("removes every key of a name") { store in
            for provider in KeyProvider.allCases { _ = try await store.insert(key("k", provider), sealedToken: "s") }
            _ = try await store.insert(key("other"), sealedToken: "s")
            for name in ["", "K", "k' OR 1=1 --", "%"] {
                try expectEqual(try await store.remove(named: name), 0, "removed as \(name)")
            }
            try expectEqual(try await store.remove(named: "k"), 3, "removed")
            try expectEqual(try await store.remove(named: "k"), 0, "removed again")
            try expectEqual(try await store.keys().map(\.name), ["other"], "what is left")
            try expect(try await store.insert(key("k"), sealedToken: "new"), "it can be made again")
        },
        Case("seals all anew, or none") { store in
            for name in ["a", "b", "c"] { _ = try await store.insert(key(name), sealedToken: name) }
            do {
                _ = try await store.reseal { key, sealed throws(CodeForgeError) in
                    if key.name == "b" { throw CodeForgeError(.invalidArgument, "no") }
                    return sealed + "!"
                }
                throw ContractViolation(description: "what the change threw was lost")
            } catch let error as CodeForgeError {
                try expectEqual(error.message, "no", "the error")
            }
            try expectEqual(try await store.keys(named: "a").map(\.sealedToken), ["a"], "after a failure")
            try expectEqual(
                try await store.reseal { (_, sealed) throws(CodeForgeError) in sealed + "!" }, 3, "sealed anew")
            try expectEqual(try await store.keys(named: "c").map(\.sealedToken), ["c!"], "after a success")
        },
    ]

    package static func key(_ name: String, _ provider: KeyProvider = .github, second: Int = 1) -> RegisteredKey {
        RegisteredKey(
            name: name, provider: provider, createdAt: Timestamp(nanoseconds: Int64(second) * 1_000_000_000))
    }
}
