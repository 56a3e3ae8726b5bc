package import Domain

/// Where Redis is and how to get in.
package struct RedisEndpoint: Sendable, Hashable {
    /// A way to the server.
    package enum Address: Sendable, Hashable {
        case tcp(host: String, port: Int32)
        case unix(path: String)
    }

    package var address: Address
    package var user: String?
    package var password: String?
    /// 0…; database to select.
    package var database: Int

    /// Reads `redis://[[user]:password@]host[:port][/db]` or `unix:///path[?db=n]`. User and password may be
    /// percent-encoded.
    ///
    /// - Throws: `.invalidArgument`; the message never repeats the URL, which may hold a password.
    package init(_ url: String) throws(CodeForgeError) {
        if let rest = RedisEndpoint.suffix(of: url, after: "unix://") {
            let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            let path = parts.first.map(String.init) ?? ""
            var database: Int? = 0
            if parts.count == 2 {
                database = RedisEndpoint.suffix(of: String(parts[1]), after: "db=").flatMap { Int($0) }
            }
            guard path.hasPrefix("/"), path.utf8.count > 1, let database, database >= 0 else {
                throw RedisEndpoint.malformed("expected unix:///absolute/path")
            }
            guard path.utf8.count <= RedisEndpoint.longestSocketPath else {
                throw RedisEndpoint.malformed("the socket path is longer than \(RedisEndpoint.longestSocketPath) bytes")
            }
            self.address = .unix(path: path)
            self.database = database
            return
        }
        guard let rest = RedisEndpoint.suffix(of: url, after: "redis://") else {
            throw RedisEndpoint.malformed("expected redis://[:password@]host:port[/db] or unix:///path")
        }
        var authority = Substring(rest)
        database = 0
        if let slash = authority.firstIndex(of: "/") {
            let path = authority[authority.index(after: slash)...]
            authority = authority[..<slash]
            if !path.isEmpty {
                guard let number = Int(path), number >= 0 else {
                    throw RedisEndpoint.malformed("the database is not a number")
                }
                database = number
            }
        }
        if let at = authority.lastIndex(of: "@") {
            let credentials = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            authority = authority[authority.index(after: at)...]
            let decoded = credentials.map { PercentEncoding.decoded($0) }
            guard !decoded.contains(nil) else { throw RedisEndpoint.malformed("bad percent-encoding") }
            if decoded.count == 2 {
                user = (decoded[0] ?? "").isEmpty ? nil : decoded[0]
                password = decoded[1]
            } else {
                throw RedisEndpoint.malformed("expected :password before @")
            }
        }
        address = try RedisEndpoint.tcp(authority)
    }

    /// Where a unix socket may be: `sun_path` has 108 bytes with the final NUL. Source: unix(7).
    static let longestSocketPath = 107

    private static func tcp(_ authority: Substring) throws(CodeForgeError) -> Address {
        var host = authority
        var port = "6379"[...]
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { throw malformed("unclosed [") }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            if !rest.isEmpty {
                guard rest.first == ":" else { throw malformed("the port is not 1…65535") }
                port = rest.dropFirst()
            }
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty else { throw malformed("no host") }
        guard let number = Int32(port), (1...65_535).contains(number) else {
            throw malformed("the port is not 1…65535")
        }
        return .tcp(host: String(host), port: number)
    }

    private static func malformed(_ reason: String) -> CodeForgeError {
        CodeForgeError(.invalidArgument, "redis.url: \(reason)")
    }

    private static func suffix(of text: String, after prefix: String) -> String? {
        text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
    }
}

extension RedisEndpoint: CustomStringConvertible {
    /// Without credentials.
    package var description: String {
        switch address {
        case .tcp(let host, let port): "\(host):\(port)"
        case .unix(let path): path
        }
    }
}
