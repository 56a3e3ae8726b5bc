import Domain
import Engine
import HTTPTypes
import Hummingbird
import NIOCore

/// Makes a request that names itself by an `Idempotency-Key` be carried out once, and answers it alike ever after.
///
/// Only successes are kept: what was refused changed nothing, and may be tried again under the same key.
///
/// Source: draft-ietf-httpapi-idempotency-key-header-07; the key is taken as it is, with or without quotes.
struct Replays: Sendable {
    let ledger: ReceiptLedger
    private let body: BodyReader
    private let digest: @Sendable ([UInt8]) -> [UInt8]

    init(_ dependencies: APIDependencies) {
        ledger = dependencies.receipts
        body = BodyReader(limit: dependencies.maxBodyBytes)
        digest = dependencies.digest
    }

    /// - Parameter handler: Puts `context.claim` on record, as a receipt, together with what it does.
    func around(_ handler: @escaping Route.Handler) -> Route.Handler {
        { request, context in
            guard let key = try Replays.key(request.headers) else { return try await handler(request, context) }
            let bytes = try await body.bytes(of: request)
            let claim = ReceiptClaim(
                scope: context.caller?.scope ?? "", key: key, fingerprint: digest(Replays.text(request) + bytes))
            switch try await ledger.begin(claim) {
            case .begun: break
            case .replay(let receipt): return Replays.response(receipt)
            case .mismatch:
                throw HTTPFailure(.conflict, "this Idempotency-Key was used for another request")
            case .inFlight:
                throw HTTPFailure(
                    .conflict, "a request with this Idempotency-Key is being carried out; ask again",
                    headers: [.retryAfter: "1"])
            }
            defer { ledger.end(claim) }
            var request = request
            var context = context
            request.body = RequestBody(buffer: ByteBuffer(bytes: bytes))
            context.claim = claim
            return try await handler(request, context)
        }
    }

    /// The answer to what a handler made.
    static func created(_ body: [UInt8]) -> Response {
        Response(
            status: .created, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    /// - Throws: 400 for a key that is none.
    private static func key(_ headers: HTTPFields) throws(HTTPFailure) -> String? {
        let values = headers[values: .idempotencyKey]
        guard let value = values.first else { return nil }
        guard values.count == 1, (1...255).contains(value.utf8.count),
            value.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw HTTPFailure(.badRequest, "Idempotency-Key must be one text of 1 to 255 printable ASCII characters")
        }
        return value
    }

    /// What is asked for, but for the body.
    private static func text(_ request: Request) -> [UInt8] {
        Array((request.method.rawValue + " " + request.uri.string + "\n").utf8)
    }

    private static func response(_ receipt: Receipt) -> Response {
        Response(
            status: .init(code: receipt.status),
            headers: [.contentType: "application/json", .idempotencyReplayed: "true"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: receipt.body)))
    }
}

extension HTTPField.Name {
    // Valid names; the initializer only refuses characters that are not in them.
    static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .upgrade
    static let idempotencyReplayed = HTTPField.Name("Idempotency-Replayed") ?? .upgrade
}
