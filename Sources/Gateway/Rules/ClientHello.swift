import Domain

/// What a TLS client says first, read strictly: whom it wants to talk to.
///
/// The whole message must stand in one record, and nothing else with it: a hello in pieces is how name filters are
/// passed. Sources: RFC 8446, 4.1.2 and 5.1; RFC 6066, 3 (server name).
struct ClientHello: Sendable, Equatable {
    /// Why a connection is not let through.
    enum Rejection: Error, Equatable {
        case notTLS
        case malformed(String)
        /// Encrypted ClientHello or its drafts: the name that counts would be hidden behind the one we see.
        case encryptedName
    }

    /// As it was sent; `nil` without the extension.
    var serverName: String?
    /// Bytes of the record.
    var length: Int

    /// The most that is read before it must be complete: a record's header and its longest fragment.
    static let maximumBytes = 5 + (1 << 14)

    /// - Parameter bytes: The connection's first bytes; may go on behind the record.
    /// - Returns: `nil` while the record is not complete. What is wrong already is thrown at once.
    static func read(_ bytes: some RandomAccessCollection<UInt8>) throws(Rejection) -> ClientHello? {
        let head = Array(bytes.prefix(5))
        // Handshake record; the versions that clients write there.
        guard head.first ?? 22 == 22, head.count < 2 || head[1] == 3, head.count < 3 || (1...3).contains(head[2]) else {
            throw .notTLS
        }
        guard head.count == 5 else { return nil }
        let length = Int(head[3]) << 8 | Int(head[4])
        guard (4...(1 << 14)).contains(length) else { throw .notTLS }
        guard bytes.count > 5 else { return nil }
        guard bytes[bytes.index(bytes.startIndex, offsetBy: 5)] == 1 else { throw .notTLS }
        guard bytes.count >= 5 + length else { return nil }
        var message = Reader(Array(bytes.dropFirst(6).prefix(length - 1)))
        guard try message.number(3) == length - 4 else { throw .malformed("it spans records or shares one") }
        guard try message.number(2) == 0x0303 else { throw .malformed("the version is older than TLS 1.2") }
        _ = try message.take(32)  // random
        guard try message.vector(1).count <= 32 else { throw .malformed("the session id is too long") }
        let suites = try message.vector(2)
        guard suites.count >= 2, suites.count % 2 == 0 else { throw .malformed("the cipher suites are malformed") }
        guard try message.vector(1) == [0] else { throw .malformed("it offers compression") }
        guard !message.isAtEnd else { return ClientHello(serverName: nil, length: 5 + length) }
        var extensions = Reader(try message.vector(2))
        guard message.isAtEnd else { throw .malformed("something follows the extensions") }
        let name = try serverName(&extensions)
        return ClientHello(serverName: name, length: 5 + length)
    }

    private static let encryptedNames: Set<Int> = [0xFE0D, 0xFE0A, 0xFE09, 0xFE08, 0xFFCE]

    private static func serverName(_ extensions: inout Reader) throws(Rejection) -> String? {
        var seen: Set<Int> = []
        var name: String?
        while !extensions.isAtEnd {
            let type = try extensions.number(2)
            let data = try extensions.vector(2)
            guard seen.insert(type).inserted else { throw .malformed("an extension is repeated") }
            guard !encryptedNames.contains(type) else { throw .encryptedName }
            guard type == 0 else { continue }
            var outer = Reader(data)
            var list = Reader(try outer.vector(2))
            guard outer.isAtEnd, try list.number(1) == 0 else { throw .malformed("the server name is malformed") }
            let host = try list.vector(2)
            guard list.isAtEnd, (1...253).contains(host.count), host.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw .malformed("the server name is malformed")
            }
            name = String(decoding: host, as: UTF8.self)
        }
        return name
    }

    /// Whether this hello is for `host`: its very name in any case, or no name for an address (RFC 6066 forbids one).
    func isFor(_ host: HTTPURL.Host) -> Bool {
        switch host {
        case .name(let name): serverName?.lowercased() == name
        case .address: serverName == nil
        }
    }

    /// Takes numbers and vectors off a message.
    private struct Reader {
        private var rest: ArraySlice<UInt8>

        init(_ bytes: [UInt8]) { rest = bytes[...] }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func take(_ count: Int) throws(Rejection) -> [UInt8] {
            guard rest.count >= count else { throw .malformed("a length is wrong") }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }

        mutating func number(_ bytes: Int) throws(Rejection) -> Int { try take(bytes).reduce(0) { $0 << 8 | Int($1) } }

        mutating func vector(_ lengthBytes: Int) throws(Rejection) -> [UInt8] { try take(try number(lengthBytes)) }
    }
}
