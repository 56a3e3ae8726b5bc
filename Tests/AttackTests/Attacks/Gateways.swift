extension Attack {
    /// Requests that mean something else to the next parser, and ways around the routes. Without the gateway each of
    /// them reaches the upstream, which answers anything.
    static let gateways: [Attack] = [
        http(
            "content-length-and-chunked", "two framings, of which each side takes another", "RFC 9112 6.3; CWE-444",
            "bad_request",
            "POST /anthropic/v1/messages HTTP/1.1\nHost: g\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\nGET /x HTTP/1.1\n\n"
        ),
        http(
            "two-content-lengths", "two lengths", "RFC 9112 6.3; CWE-444", "bad_request",
            "POST /anthropic/v1/messages HTTP/1.1\nHost: g\nContent-Length: 4\nContent-Length: 40\n\nabcd"),
        http(
            "odd-content-length", "a length with a sign", "RFC 9110 8.6; CVE-2018-7159", "bad_request",
            "POST /anthropic/v1/messages HTTP/1.1\nHost: g\nContent-Length: +4\n\nabcd"),
        http(
            "hidden-chunked", "a coding spelt so that only some see it", "RFC 9112 6.1; CVE-2019-15605", "bad_request",
            "POST /anthropic/v1/messages HTTP/1.1\nHost: g\nTransfer-Encoding: xchunked\n\n0\n\n"),
        http(
            "space-before-colon", "a header name with a space", "RFC 9112 5.1; CVE-2019-16276", "bad_request",
            "POST /anthropic/v1/messages HTTP/1.1\nHost: g\nContent-Length : 4\n\nabcd"),
        http(
            "folded-header", "a header on two lines", "RFC 9112 5.2", "bad_request",
            "GET /anthropic/v1/models HTTP/1.1\nHost: g\nX-A: b\n  Transfer-Encoding: chunked\n\n"),
        http(
            "bare-line-feed", "lines that end in LF alone", "RFC 9112 2.2", "bad_request",
            #"GET /anthropic/v1/models HTTP/1.1\r\nHost: g\nX-A: b\r\n\r\n"#, raw: true),
        http(
            "nul-in-header", "a NUL in a header", "RFC 9110 5.5", "bad_request",
            #"GET /anthropic/v1/models HTTP/1.1\r\nHost: g\0.example\r\n\r\n"#, raw: true),
        http(
            "two-hosts", "two Host headers", "RFC 9112 3.2", "bad_request",
            "GET /anthropic/v1/models HTTP/1.1\nHost: g\nHost: 169.254.169.254\n\n"),
        http(
            "upgrade", "a protocol that is not looked into", "RFC 9110 7.8; h2c smuggling", "upgrade_refused",
            "GET /anthropic/v1/models HTTP/1.1\nHost: g\nConnection: Upgrade\nUpgrade: h2c\n\n"),
        http(
            "old-version", "HTTP/1.0, whose connections end elsewhere", "RFC 9112 2.3", "http_version",
            "GET /anthropic/v1/models HTTP/1.0\nHost: g\n\n"),
        http(
            "connect-metadata", "CONNECT to the metadata service", "RFC 9110 9.3.6", "",
            "CONNECT 169.254.169.254:80 HTTP/1.1\nHost: 169.254.169.254:80\n\n"),
        http(
            "connect-private", "CONNECT to a private address", "RFC 1918", "",
            "CONNECT 10.0.0.1:443 HTTP/1.1\nHost: 10.0.0.1:443\n\n"),
        http(
            "absolute-form", "a proxy request for the metadata service", "RFC 9112 3.2.2", "",
            "GET http://169.254.169.254/latest/meta-data/ HTTP/1.1\nHost: 169.254.169.254\n\n"),
        http(
            "absolute-form-mapped", "a proxy request for an IPv4-mapped address", "RFC 4291 2.5.5.2", "",
            "GET http://[::ffff:169.254.169.254]/ HTTP/1.1\nHost: [::ffff:169.254.169.254]\n\n"),
        http(
            "absolute-form-number", "a proxy request for an address written as one number", "inet_aton(3)", "",
            "GET http://2852039166/ HTTP/1.1\nHost: 2852039166\n\n"),
        http(
            "absolute-form-loopback", "a proxy request for the host's loopback", "RFC 1122 3.2.1.3", "",
            "GET http://127.0.0.1:%d/ HTTP/1.1\nHost: 127.0.0.1\n\n", port: true),
        http(
            "two-slashes", "a path that is a host to some parsers", "RFC 3986 4.2", "proxy_refused",
            "GET //169.254.169.254/latest HTTP/1.1\nHost: g\n\n"),
        http(
            "dot-segments", "dots that climb out of a route", "RFC 3986 5.2.4; CWE-22", "endpoint_refused",
            "POST /anthropic/v1/messages/../../admin HTTP/1.1\nHost: g\nContent-Length: 0\n\n"),
        http(
            "encoded-dots", "encoded dots", "RFC 3986 6.2.2; CVE-2021-41773", "endpoint_refused",
            "GET /anthropic/v1/%2e%2e/admin HTTP/1.1\nHost: g\n\n"),
        http(
            "user-info-in-path", "an upstream's host turned into user info", "RFC 3986 3.2.1", "",
            "GET /anthropic@169.254.169.254/ HTTP/1.1\nHost: g\n\n"),
        http(
            "fragment", "a fragment that cuts the upstream's path", "RFC 9112 3.2", "bad_request",
            "GET /anthropic/v1/models#x HTTP/1.1\nHost: g\n\n"),
        http(
            "model-file-route", "a path of the model API that is no model call", "CWE-284", "endpoint_refused",
            "GET /anthropic/v1/files HTTP/1.1\nHost: g\n\n"),
        http(
            "admin-route", "the model API's administration", "CWE-284", "endpoint_refused",
            "GET /anthropic/v1/organizations/api_keys HTTP/1.1\nHost: g\n\n"),
        http(
            "other-repository", "another repository with the task's credential", "CWE-441", "",
            "GET /git/127.0.0.1:%d/owner/other.git/info/refs?service=git-upload-pack HTTP/1.1\nHost: g\n\n", port: true),
        http(
            "push", "a push to a repository the task may only read", "gitprotocol-http(5)", "",
            "GET /git/127.0.0.1:%d/owner/repo.git/info/refs?service=git-receive-pack HTTP/1.1\nHost: g\n\n", port: true),
        http(
            "large-header", "headers without end", "CWE-400", "headers_too_large",
            "GET /anthropic/v1/models HTTP/1.1\nHost: g\nX-Large: ' + 'x' * 100000 + '\n\n"),
        http(
            "many-headers", "a thousand headers", "CWE-400", "headers_too_large",
            "GET /anthropic/v1/models HTTP/1.1\nHost: g\n' + 'X-A: b\n' * 1000 + '\n\n"),
        http(
            "large-body", "a body beyond the limit", "CWE-400", "body_too_large",
            "POST /anthropic/v1/messages HTTP/1.1\nHost: g\nContent-Length: 99999999999\n\n", task: false),
        http(
            "overflowing-chunk", "a chunk whose size overflows", "RFC 9112 7.1; CVE-2013-2028", "",
            "POST /anthropic/v1/messages HTTP/1.1\nHost: g\nTransfer-Encoding: chunked\n\nfffffffffffffffff\nabc"),
        Attack(
            name: "gateway-connection-flood", category: .gateway, tries: "opens connections without end",
            walls: [.gateway], reference: "CWE-400; slowloris",
            body: .probe(
                """
                held = [socket.create_connection(GATEWAY, 5) for _ in range(80)]
                time.sleep(0.3)
                s = socket.create_connection(GATEWAY, 5)
                s.settimeout(5)
                s.sendall(b'GET /anthropic/v1/models HTTP/1.1\\r\\nHost: g\\r\\n\\r\\n')
                try: answer = s.recv(4096)
                except OSError: answer = b''
                if b' 200 ' not in answer: raise Refused('%r' % answer[:60])
                """), refusal: [" 503 "], record: .gateway("too_many_connections"), control: .relay),
        Attack(
            name: "gateway-request-flood", category: .gateway, tries: "sends requests without end", walls: [.gateway],
            reference: "CWE-770",
            body: .probe(
                """
                for _ in range(260):
                    answer = ask(b'GET /anthropic/v1/models HTTP/1.1\\r\\nHost: g\\r\\nConnection: close\\r\\n\\r\\n')
                    if b' 429 ' in answer[:20]: raise Refused(answer[:30].decode())
                """), refusal: [" 429 "], record: .gateway("rate_limited"), control: .relay,
            // A task without a key is refused each request, and the flood of those hides the last few.
            isTask: false),
    ]

    /// - Parameter reason: The record's; empty: any refusal.
    private static func http(
        _ name: String, _ what: String, _ reference: String, _ reason: String, _ request: String, raw: Bool = false,
        task: Bool = true,
        port: Bool = false
    ) -> Attack {
        let text = raw ? "b'\(request)'" : "'" + request.replacing("\n", with: "\\n") + "'"
        return Attack(
            name: "gateway-" + name, category: .gateway, tries: "sends \(what)", walls: [.gateway],
            reference: reference, body: .probe("http(\(text)\(port ? " % number('HOST_PORT')" : ""))"),
            refusal: ["[4", "[5"], record: .gateway(reason), control: .relay, isTask: task)
    }
}
