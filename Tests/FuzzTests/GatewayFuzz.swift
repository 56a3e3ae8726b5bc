import Domain

@testable import Gateway

enum RequestFuzz {
    private enum Part: Equatable {
        case head(RequestHead)
        case body([UInt8])
        case refused
    }

    private static let router: Router? = {
        var policy = GatewayPolicy(
            anthropic: .init(baseURL: "https://anthropic.example", apiKey: "sk-anthropic-secret"),
            openai: .init(baseURL: "https://openai.example/v1", apiKey: "sk-openai-secret"),
            git: .init(repositoryURL: "https://git.example/Owner/repo.git", token: "git-secret"))
        policy.mcp = ["t": .init(url: "https://mcp.example/x", headers: ["X-Key": "mcp-secret"])]
        do {
            policy.egress = try EgressList(["a.example", "*.b.example:81", "10.0.0.1"])
            return try Router(policy)
        } catch {
            return nil
        }
    }()

    static func run(_ input: [UInt8]) throws(FuzzTarget.Broken) {
        guard let seed = input.first else { return }
        let bytes = Array(input.dropFirst())
        let whole = parse([bytes])
        let pieces = parse(Array(Pieces(bytes, seed: seed)))
        try FuzzTarget.require(whole == pieces, "the same requests wherever the bytes are cut")
        for part in whole {
            guard case .head(let head) = part else { continue }
            try check(head)
            try route(head)
        }
    }

    /// Everything that comes out, body pieces joined, up to the first refusal.
    private static func parse(_ pieces: [[UInt8]]) -> [Part] {
        var parser = RequestParser(maxHeaderBytes: 1 << 20)
        var parts: [Part] = []
        var inBody = false
        func body(_ bytes: [UInt8]) {
            guard !bytes.isEmpty else { return }
            if case .body(let before) = parts.last {
                parts[parts.count - 1] = .body(before + bytes)
            } else {
                parts.append(.body(bytes))
            }
        }
        do throws(Refusal) {
            for piece in pieces {
                parser.append(piece)
                while true {
                    if inBody {
                        let bytes = try parser.body()
                        body(bytes)
                        if parser.isBodyDone { inBody = false } else if bytes.isEmpty { break }
                    } else {
                        guard let head = try parser.head() else { break }
                        parts.append(.head(head))
                        parser.startBody(head.framing, limit: 1 << 20)
                        inBody = !parser.isBodyDone
                    }
                }
            }
        } catch {
            // How much of a body came out before it turned out wrong depends on the cuts.
            if case .body = parts.last { parts.removeLast() }
            parts.append(.refused)
        }
        return parts
    }

    private static func check(_ head: RequestHead) throws(FuzzTarget.Broken) {
        func count(_ name: String) -> Int { head.headers.count { $0.name == name } }
        try FuzzTarget.require(count("host") == 1 || (head.isOld && count("host") == 0), "one Host")
        try FuzzTarget.require(count("content-length") + count("transfer-encoding") <= 1, "one framing")
        try FuzzTarget.require(count("upgrade") == 0, "no upgrade")
        try FuzzTarget.require(head.headers.count <= RequestHead.maximumHeaders, "a bounded number of headers")
        try FuzzTarget.require(
            head.headers.allSatisfy { HeaderList.isValid($0) && $0.name == $0.name.lowercased() }, "valid headers")
        var text = "\(head.method) \(head.target) HTTP/1.\(head.isOld ? 0 : 1)\r\n"
        for field in head.headers { text += "\(field.name): \(field.value)\r\n" }
        var again: RequestHead?
        do throws(Refusal) { again = try RequestHead(Array(text.utf8)) } catch {}
        try FuzzTarget.require(
            again?.method == head.method && again?.target == head.target && again?.headers == head.headers
                && again?.framing == head.framing && again?.wantsClose == head.wantsClose,
            "what is written again reads the same: \(text)")
    }

    private static let origins = [
        "https://anthropic.example/v1/", "https://openai.example/v1/", "https://git.example/Owner/repo.git/",
    ]

    private static func route(_ head: RequestHead) throws(FuzzTarget.Broken) {
        guard let router else { throw FuzzTarget.Broken(description: "the policy is fine") }
        if head.method == "CONNECT" {
            var target: Router.TunnelTarget?
            do throws(Refusal) { target = try router.tunnelTarget(of: head) } catch {}
            guard let target else { return }
            try FuzzTarget.require(permitted(target.host, target.port, 443), "a listed host")
            return
        }
        var found: Router.Destination?
        do throws(Refusal) { found = try router.destination(of: head) } catch {}
        guard let found else { return }
        for field in found.headers {
            try FuzzTarget.require(
                HeaderList.isValid(field) && !RequestFilter.isHopByHop(field.name.lowercased()), "no framing header")
        }
        let text = found.headers.map(\.value).joined(separator: "\n")
        let secrets = ["sk-anthropic-secret", "sk-openai-secret", "mcp-secret"].filter(text.contains)
        switch found.route {
        case .anthropic, .openai, .git:
            try FuzzTarget.require(origins.contains(where: found.url.hasPrefix), "a fixed upstream: \(found.url)")
            // Dots in the query lead nowhere.
            let path = found.url.prefix { $0 != "?" }
            try FuzzTarget.require(!path.contains(".."), "no way up: \(found.url)")
            try FuzzTarget.require(found.headers.all("authorization").count <= 1, "one credential")
        case .mcp: try FuzzTarget.require(found.url == "https://mcp.example/x", "the endpoint alone: \(found.url)")
        case .egress:
            guard let url = try? HTTPURL(found.url) else { throw FuzzTarget.Broken(description: "a URL: \(found.url)") }
            try FuzzTarget.require(!url.isSecure && permitted(url.host, url.port, 80), "a listed host: \(url)")
            let host = head.headers.first { $0.name == "host" }?.value ?? ""
            try FuzzTarget.require((try? HTTPURL.Authority(host))?.host == url.host, "Host is the target's")
            // The client may know no secret of ours, yet could have written the very words.
            let own = head.headers.map(\.value).joined(separator: "\n")
            try FuzzTarget.require(secrets.allSatisfy(own.contains), "no credential of ours")
        case .none: throw FuzzTarget.Broken(description: "a destination has a route")
        }
    }

    /// The list again, by other means.
    private static func permitted(_ host: HTTPURL.Host, _ port: UInt16, _ usual: UInt16) -> Bool {
        switch "\(host)" {
        case "a.example", "10.0.0.1": port == usual
        case let name: name.hasSuffix(".b.example") && name != ".b.example" && port == 81
        }
    }
}

enum ChunkFuzz {
    static func run(_ input: [UInt8]) throws(FuzzTarget.Broken) {
        guard let seed = input.first else { return }
        let bytes = Array(input.dropFirst())
        let whole = decode([bytes])
        let pieces = decode(Array(Pieces(bytes, seed: seed)))
        try FuzzTarget.require(whole.refused == pieces.refused, "refused alike wherever the bytes are cut")
        if !whole.refused {
            try FuzzTarget.require(whole.body == pieces.body && whole.rest == pieces.rest, "the same body and rest")
            try FuzzTarget.require(whole.body.count + whole.rest.count <= bytes.count, "no byte is made up")
        }
        // As a body of our own making.
        var framed: [UInt8] = []
        for piece in Pieces(bytes, seed: seed &+ 1) {
            framed += Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + [13, 10]
        }
        let own = decode([framed + Array("0\r\n\r\nrest".utf8)])
        try FuzzTarget.require(
            !own.refused && own.body == bytes && own.rest == Array("rest".utf8), "what was framed is read again")
    }

    private static func decode(_ pieces: [[UInt8]]) -> (body: [UInt8], rest: [UInt8], refused: Bool) {
        var decoder = BodyDecoder(.chunked, limit: 1 << 20)
        var rest: ArraySlice<UInt8> = []
        var body: [UInt8] = []
        do throws(Refusal) {
            for piece in pieces {
                rest += piece
                body += try decoder.decode(&rest)
            }
        } catch {
            return ([], [], true)
        }
        return (body, Array(rest), false)
    }
}

enum HelloFuzz {
    static func run(_ input: [UInt8]) throws(FuzzTarget.Broken) {
        let whole = read(input[...])
        guard case .hello(let hello) = whole else {
            // What is refused early stays refused; what is incomplete was never refused before.
            if case .incomplete = whole {
                for count in stride(from: 0, to: input.count, by: 1 + input.count / 16) {
                    try FuzzTarget.require(read(input.prefix(count)) == .incomplete, "a beginning of a good beginning")
                }
            } else {
                try FuzzTarget.require(read(input + [0]) == .refused, "refused stays refused")
            }
            return
        }
        try FuzzTarget.require((9...ClientHello.maximumBytes).contains(hello.length), "a record's length")
        try FuzzTarget.require(hello.length <= input.count, "all of it is there")
        try FuzzTarget.require(read(input.prefix(hello.length)) == whole, "what follows does not matter")
        try FuzzTarget.require(read(input.prefix(hello.length - 1)) == .incomplete, "nor is it done before its end")
        if let name = hello.serverName {
            try FuzzTarget.require(
                (1...253).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "a plain name")
            let host = (try? HTTPURL.Authority(name))?.host
            if let host, hello.isFor(host) {
                try FuzzTarget.require("\(host)" == name.lowercased(), "the very name")
            }
        }
    }

    private enum Reading: Equatable {
        case hello(ClientHello)
        case incomplete, refused
    }

    private static func read(_ bytes: some RandomAccessCollection<UInt8>) -> Reading {
        do throws(ClientHello.Rejection) {
            return try ClientHello.read(bytes).map { .hello($0) } ?? .incomplete
        } catch {
            return .refused
        }
    }
}

enum EgressFuzz {
    /// Lines: the last is an authority, those before a list.
    static func run(_ input: [UInt8]) throws(FuzzTarget.Broken) {
        let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).prefix(8)
            .map { String(decoding: $0, as: UTF8.self) }
        guard let last = lines.last else { return }
        if let url = try? HTTPURL(last) {
            try FuzzTarget.require((try? HTTPURL(url.description)) == url, "a URL reads the same again: \(url)")
        }
        if let address = IPAddress(last) {
            try FuzzTarget.require(IPAddress("\(address)") == address, "an address reads the same again: \(address)")
            _ = address.kind
        }
        guard let wanted = try? HTTPURL.Authority(last) else { return }
        let text = "\(wanted.host)"
        try FuzzTarget.require(
            (try? HTTPURL.Authority(text))?.host == wanted.host, "a host reads the same again: \(text)")
        try FuzzTarget.require(
            text == text.lowercased() && !text.hasSuffix(".") && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F },
            "one spelling: \(text)")
        let entries = lines.dropLast()
        guard let list = try? EgressList(Array(entries)) else { return }
        let port = wanted.port ?? 443
        if list.permits(wanted.host, port: port, usual: 443) {
            let reason = entries.contains { entry in
                let name = entry.lowercased()
                return name.contains(text.split(separator: ".").last.map(String.init) ?? text) || name.contains(":")
            }
            try FuzzTarget.require(reason, "an entry says so: \(text) in \(entries)")
        }
        try FuzzTarget.require(!EgressList().permits(wanted.host, port: port, usual: port), "nothing by default")
        if let own = try? EgressList([text]) {
            try FuzzTarget.require(own.permits(wanted.host, port: 443, usual: 443), "an entry permits itself: \(text)")
        }
    }
}
