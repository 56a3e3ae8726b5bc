import Domain
import HTTPTypes
import Hummingbird

/// Knows the tokens that may use the API.
struct BearerAccess: Sendable {
    private let tokens: [[UInt8]]
    private let store: any TokenStore
    private let digest: @Sendable ([UInt8]) -> [UInt8]

    /// - Parameters:
    ///   - tokens: The configured ones, which may do everything.
    ///   - store: Further ones, asked for each request: one that was revoked is good for nothing at once.
    ///   - digest: SHA-256.
    init(tokens: [String], store: any TokenStore, digest: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.tokens = tokens.filter { !$0.isEmpty }.map { Array($0.utf8) }
        self.store = store
        self.digest = digest
    }

    /// Who calls: the token is what follows the literal `Bearer ` of one `Authorization` header.
    ///
    /// - Throws: The 401 answer; `.unavailable` when it can't be told.
    func authenticate(_ headers: HTTPFields) async throws -> Caller {
        guard let text = BearerAccess.text(headers) else { throw HTTPFailure.unauthorized }
        if isConfigured(text) {
            return Caller(name: "configured token", role: .admin, scope: "configured", token: text)
        }
        return try await registered(text)
    }

    private static func text(_ headers: HTTPFields) -> String? {
        let values = headers[values: .authorization]
        guard values.count == 1, values[0].hasPrefix("Bearer ") else { return nil }
        return String(decoding: values[0].utf8.dropFirst("Bearer ".utf8.count), as: UTF8.self)
    }

    /// Whether a request brings this very token.
    static func bears(_ token: String, _ headers: HTTPFields) -> Bool {
        text(headers).map { equal(Array(token.utf8), Array($0.utf8)) } ?? false
    }

    private func isConfigured(_ text: String) -> Bool {
        let given = Array(text.utf8)
        var known = false
        // Each token is compared in full: how long it takes tells nothing about how much was right.
        for token in tokens where BearerAccess.equal(token, given) { known = true }
        return known
    }

    /// Found by its digest, of which nobody can choose a part: how long that takes tells nothing about the token.
    private func registered(_ text: String) async throws -> Caller {
        guard APIToken.hasForm(text) else { throw HTTPFailure.unauthorized }
        let token = try await store.token(digest: digest(Array(text.utf8)))
        guard let token else { throw HTTPFailure.unauthorized }
        return Caller(name: "token \(token.name)", role: token.role, scope: "token:\(token.id)", token: text)
    }

    /// Takes the same time whatever the bytes are; only the lengths show.
    static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard !a.isEmpty, !b.isEmpty else { return false }
        var difference = a.count ^ b.count
        for i in b.indices { difference |= Int(a[i % a.count] ^ b[i]) }
        return difference == 0
    }
}
