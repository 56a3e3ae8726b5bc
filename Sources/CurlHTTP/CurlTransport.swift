package import Domain

/// `HTTPTransport` over libcurl: one thread, started with the first request and ended after a minute without any.
///
/// Every transfer has a connection of its own while it runs, so that a slow reader stalls nobody else; connections are
/// kept open for a short while and reused by requests to the same addresses. HTTP/2 is used where TLS negotiates it.
package final class CurlTransport: HTTPTransport {
    private let driver: CurlDriver

    /// - Parameter authorities: PEM file of certificate authorities to trust instead of the system's.
    package init(authorities: String? = nil) { driver = CurlDriver(authorities: authorities) }

    package func send(_ request: TransportRequest) async throws(CodeForgeError) -> TransportResponse {
        let plan = try TransferPlan(request)
        let transfer = Transfer(plan: plan, driver: driver)
        // Cancels the transfer when it is let go: here on a throw, later with the response's body.
        let handle = TransferHandle(transfer)
        driver.post(.start(transfer))
        let head = await withTaskCancellationHandler {
            await transfer.head()
        } onCancel: {
            transfer.cancel()
        }
        let (status, headers) = try head.get()
        return TransportResponse(
            status: status,
            headers: headers,
            body: TransportBody { () async throws(CodeForgeError) -> [UInt8]? in try await handle.next() }
        )
    }
}

/// Ends the transfer when nobody can read its body any more.
private final class TransferHandle: Sendable {
    private let transfer: Transfer

    init(_ transfer: Transfer) { self.transfer = transfer }

    deinit { transfer.cancel() }

    func next() async throws(CodeForgeError) -> [UInt8]? {
        let result = await withTaskCancellationHandler {
            await transfer.nextChunk()
        } onCancel: {
            transfer.cancel()
        }
        return try result.get()
    }
}
