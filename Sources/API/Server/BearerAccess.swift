import HTTPTypes
import Hummingbird

/// Knows the tokens that may use the API.
struct BearerAccess: Sendable {
    private let tokens: [[UInt8]]

    init(tokens: [String]) { self.tokens = tokens.filter { !$0.isEmpty }.map { Array($0.utf8) } }

    /// The token of a request: after the literal `Bearer ` of one `Authorization` header.
    ///
    /// - Throws: The 401 answer.
    func authenticate(_ headers: HTTPFields) throws(HTTPFailure) -> String {
        let values = headers[values: .authorization]
        guard values.count == 1, values[0].hasPrefix("Bearer ") else { throw .unauthorized }
        let given = Array(values[0].utf8.dropFirst("Bearer ".utf8.count))
        var known = false
        // Each token is compared in full: how long it takes tells nothing about how much was right.
        for token in tokens where BearerAccess.equal(token, given) { known = true }
        guard known else { throw .unauthorized }
        return String(decoding: given, as: UTF8.self)
    }

    /// Takes the same time whatever the bytes are; only the lengths show.
    static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard !a.isEmpty, !b.isEmpty else { return false }
        var difference = a.count ^ b.count
        for i in b.indices { difference |= Int(a[i % a.count] ^ b[i]) }
        return difference == 0
    }
}
