import Domain

/// A request that was checked: nothing in it can add a line, change the framing or name another host.
struct TransferPlan: Sendable {
    /// Headers that curl writes itself or that speak about the connection.
    private static let reserved: Set<String> = [
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    var method: String
    var url: HTTPURL
    /// Lines as curl takes them.
    var headerLines: [String]
    var body: TransportRequest.Body
    var limits: TransportLimits
    var addresses: AddressRule

    /// Method and host, for messages: path and query may hold secrets.
    var label: String { "\(method) \(url.origin)" }

    init(_ request: TransportRequest) throws(CodeForgeError) {
        guard HeaderList.isToken(request.method), request.method.utf8.count <= 32, request.method != "CONNECT" else {
            throw CodeForgeError(.invalidArgument, "the HTTP method is malformed")
        }
        method = request.method
        url = try HTTPURL(request.url)
        var names: Set<String> = []
        headerLines = []
        for field in request.headers {
            let name = field.name.lowercased()
            guard HeaderList.isValid(field) else {
                throw CodeForgeError(.invalidArgument, "the HTTP header \"\(field.name.prefix(40))\" is malformed")
            }
            guard !TransferPlan.reserved.contains(name) else {
                throw CodeForgeError(.invalidArgument, "the HTTP header \"\(name)\" is set by the transport alone")
            }
            names.insert(name)
            // "Name:" would mean "send no such header" to curl; "Name;" is its form for an empty value.
            let isEmpty = field.value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 }
            headerLines.append(isEmpty ? field.name + ";" : field.name + ": " + field.value)
        }
        for name in ["Accept", "Content-Type", "Expect"] where !names.contains(name.lowercased()) {
            headerLines.append(name + ":")
        }
        if case .stream(_, let length?) = request.body, length < 0 {
            throw CodeForgeError(.invalidArgument, "the length of the HTTP body is negative")
        }
        body = request.body
        limits = request.limits
        addresses = request.addresses
    }

    /// Checks every address the name resolved to.
    func check(_ resolved: [IPAddress]) throws(CodeForgeError) {
        do throws(CodeForgeError) {
            try addresses.check(resolved, host: url.host, port: url.port)
        } catch {
            throw CodeForgeError(error.code, "\(method) \(error.message)")
        }
    }
}
