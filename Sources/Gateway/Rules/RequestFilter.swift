import Domain

/// Which headers pass, in either direction.
enum RequestFilter {
    /// Headers about one connection only, and those curl or the gateway writes itself.
    private static let hopByHop: Set<String> = [
        "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "proxy-authenticate",
        "proxy-authentication-info", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade",
    ]
    /// What a model request may not bring along: credentials, whose account pays, claims about its way here, and what
    /// proxies in front of an API may take for another method or path.
    private static let notForModels: Set<String> = [
        "accept-encoding", "api-key", "authorization", "cookie", "cookie2", "forwarded", "max-forwards",
        "openai-organization", "openai-project", "origin", "range", "referer", "true-client-ip", "via", "x-api-key",
        "x-auth-token", "x-goog-api-key", "x-http-method", "x-http-method-override", "x-method-override", "x-real-ip",
    ]
    private static let prefixesNotForModels = [
        "cf-", "x-amz-", "x-envoy-", "x-forwarded-", "x-original-", "x-rewrite-",
    ]
    /// Claims about a request's way here, which a server behind may believe.
    private static let claims: Set<String> = ["forwarded", "max-forwards", "true-client-ip", "via", "x-real-ip"]
    private static let prefixesOfClaims = ["cf-", "x-envoy-", "x-forwarded-", "x-original-", "x-rewrite-"]
    private static let forMCP: Set<String> = [
        "accept", "accept-language", "content-type", "last-event-id", "user-agent",
    ]
    private static let forGit: Set<String> = [
        "accept", "accept-language", "cache-control", "content-encoding", "content-type", "git-protocol", "pragma",
        "user-agent",
    ]
    /// Answers carry no cookies, no ways around the gateway, and nothing about our account.
    private static let notForClients: Set<String> = [
        "alt-svc", "anthropic-organization-id", "location", "openai-organization", "openai-project", "refresh",
        "set-cookie", "set-cookie2", "strict-transport-security", "www-authenticate",
    ]

    /// - Parameter fields: Names in lower case.
    static func modelHeaders(_ fields: [HeaderList.Field]) -> HeaderList {
        let named = connectionNames(fields)
        var headers = HeaderList(
            fields.filter {
                !hopByHop.contains($0.name) && !notForModels.contains($0.name) && !named.contains($0.name)
                    && isPlain($0.name) && !prefixesNotForModels.contains(where: $0.name.hasPrefix)
            }
        )
        // Only plain text can be searched for the key and metered.
        headers.append("accept-encoding", "identity")
        return headers
    }

    static func gitHeaders(_ fields: [HeaderList.Field]) -> HeaderList {
        let named = connectionNames(fields)
        var headers = HeaderList(fields.filter { forGit.contains($0.name) && !named.contains($0.name) })
        headers.append("accept-encoding", "identity")
        return headers
    }

    static func mcpHeaders(_ fields: [HeaderList.Field]) -> HeaderList {
        let named = connectionNames(fields)
        var headers = HeaderList(
            fields.filter {
                // Session, protocol version, and what later versions of the protocol add.
                (forMCP.contains($0.name) || $0.name.hasPrefix("mcp-")) && isPlain($0.name) && !named.contains($0.name)
            }
        )
        headers.append("accept-encoding", "identity")
        return headers
    }

    /// The client's own credentials and cookies are its own affair: the gateway adds none for these hosts.
    static func proxyHeaders(_ fields: [HeaderList.Field]) -> HeaderList {
        let named = connectionNames(fields)
        return HeaderList(
            fields.filter {
                !hopByHop.contains($0.name) && !claims.contains($0.name) && !named.contains($0.name)
                    && isPlain($0.name) && !prefixesOfClaims.contains(where: $0.name.hasPrefix)
            }
        )
    }

    /// Names in letters, digits and `-`: servers that turn names into variables take `_` and `-` for one.
    private static func isPlain(_ name: String) -> Bool {
        name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D }
    }

    /// - Parameter name: In lower case.
    static func isHopByHop(_ name: String) -> Bool { hopByHop.contains(name) }

    /// Headers of a proxied answer: all but those about the connection.
    static func proxiedResponseHeaders(_ headers: HeaderList) -> HeaderList {
        let fields = headers.map { HeaderList.Field($0.name.lowercased(), $0.value) }
        let named = connectionNames(fields)
        return HeaderList(
            fields.filter { !hopByHop.contains($0.name) && !named.contains($0.name) && HeaderList.isValid($0) }
        )
    }

    /// - Returns: Headers for the client, without any framing.
    static func responseHeaders(_ headers: HeaderList, scrubber: Scrubber) -> HeaderList {
        let fields = headers.map { HeaderList.Field($0.name.lowercased(), $0.value) }
        let named = connectionNames(fields)
        return HeaderList(
            fields.compactMap { field in
                guard !hopByHop.contains(field.name), !notForClients.contains(field.name),
                    !named.contains(field.name), !scrubber.contains(in: field.name)
                else { return nil }
                return HeaderList.Field(field.name, scrubber.scrubbed(field.value))
            }
        )
    }

    /// Names that the sender declared as being about the connection.
    private static func connectionNames(_ fields: [HeaderList.Field]) -> Set<String> {
        var names: Set<String> = []
        for field in fields where field.name == "connection" {
            for part in field.value.lowercased().split(separator: ",") {
                names.insert(part.filter { $0 != " " && $0 != "\t" })
            }
        }
        return names
    }
}

/// RFC 4648 with padding; here because Foundation is not worth its size for it.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for i in 0..<4 {
                text.append(i <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * i) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
