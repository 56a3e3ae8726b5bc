import CurlHTTP
import Domain
import TestKit
import Testing

@testable import Gateway

/// What a model request may ask its provider for, and what no two readers may see differently.
@Suite(.timeLimit(.minutes(2))) struct ModelBodyTests {
    private func refusal(_ text: String, _ api: ModelBody.API) -> Refusal? { refusal(Array(text.utf8), api) }

    private func refusal(_ bytes: [UInt8], _ api: ModelBody.API) -> Refusal? {
        do throws(Refusal) {
            try ModelBody.check(bytes, api)
            return nil
        } catch { return error }
    }

    /// As the CLIs send them, and what is like a refused one without being it.
    @Test(arguments: [
        #"{"model":"claude-x","max_tokens":5,"messages":[{"role":"user","content":"web_search"}],"tools":[]}"#,
        #"{"tools":[{"name":"web_search","input_schema":{"type":"object"}},{"type":"custom","name":"a"},{"type":null}]}"#,
        #"{"tools":[{"type":"bash_20250124","name":"bash"},{"type":"text_editor_20250728","name":"e"}],"mcp_servers":[]}"#,
        #"{"tools":[{"name":"a","input_schema":{"properties":{"tools":{"type":"url"},"image_url":"http://x"}}}]}"#,
        #"{"messages":[{"content":[{"type":"tool_use","input":{"source":{"type":"url","url":"http://x"},"a_url":"x"}}]}]}"#,
        #"{"messages":[{"content":[{"type":"image","source":{"type":"base64","data":"aGk="}}]}],"container":null}"#,
        #"{"messages":[{"content":[{"type":"search_result","source":"https://a.example","content":[]}]}]}"#,
        #"{"metadata":{"user_id":"u","a_url":"http://x"},"n":[-0.5e+3,0,true,false,null],"s":"\ud83d\ude00\ud800"}"#,
        " {\r\n\t} ",
    ]) func anAnthropicRequestOfAClientPasses(body: String) {
        #expect(refusal(body, .anthropic) == nil)
    }

    @Test(arguments: [
        #"{"model":"gpt-x","input":"search the web","tools":null,"prompt":null}"#,
        #"{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"a"}]}]}"#,
        #"{"tools":[{"type":"function","name":"a","parameters":{"properties":{"file_url":"http://x"}}},{"type":"custom"}]}"#,
        #"{"tools":[{"type":"namespace","name":"n","tools":[{"type":"function","name":"a"}]},{"type":"local_shell"}]}"#,
        #"{"tools":[{"type":"tool_search","execution":"client"},{"type":"shell","environment":{"type":"local"}}]}"#,
        #"{"input":[{"type":"additional_tools","tools":[{"type":"custom","name":"exec"}]}]}"#,
        #"{"input":[{"type":"local_shell_call","action":{"env":{"DATABASE_URL":"postgres://x"}}}]}"#,
        #"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]}]}"#,
        #"{"input":[{"content":[{"type":"input_image","image_url":"data:image/png;base64,aGk=","file_url":null}]}]}"#,
        #"{"tools":[{"type":"function","function":{"name":"a","parameters":{"tools":5}}}],"functions":[{"parameters":{"tools":5}}]}"#,
        #"{"text":{"format":{"type":"json_schema","schema":{"tools":5}}}}"#,
        #"{"input":[{"content":[{"type":"output_text","annotations":[{"type":"url_citation","url":"https://a.example"}]}]}]}"#,
    ]) func anOpenAIRequestOfAClientPasses(body: String) {
        #expect(refusal(body, .openai) == nil)
    }

    @Test(arguments: [
        (#"{"tools":[{"type":"web_search_20250305","name":"web_search"}]}"#, "web_search_20250305"),
        (#"{"tools":[{"name":"a"},{"type":"web_fetch_20250910","name":"f"}]}"#, "web_fetch_20250910"),
        (#"{"tools":[{"type":"code_execution_20250825"}]}"#, "code_execution_20250825"),
        (#"{"tools":[{"type":"mcp_toolset"}]}"#, "mcp_toolset"), (#"{"tools":[{"type":"bash_"}]}"#, "bash_"),
        (#"{"tools":[{"type":"bash_2025012a"}]}"#, "bash_"), (#"{"tools":[{"type":"Custom"}]}"#, "Custom"),
        (#"{"t\u006fols":[{"typ\u0065":"web_search_20250305"}]}"#, "web_search_20250305"),
        (#"{"TOOLS":[{"Type":"web_search_20250305"}]}"#, "web_search_20250305"),
        (#"{"tool\u017f":[{"type":"web_search_20250305"}]}"#, "web_search_20250305"),
        ("{\"tool\u{17F}\":[{\"type\":\"web_search_20250305\"}]}", "web_search_20250305"),
        (#"{"tools":[{"type":"web_search_\u00320250305"}]}"#, "web_search_20250305"),
        (#"{"mcp_servers":[{"type":"url","url":"https://a.example"}]}"#, "mcp_servers"),
        (#"{"mcp_\u0073ervers":[{}]}"#, "mcp_servers"), (#"{"container":"c"}"#, "container"),
        (#"{"container":{"skills":[]}}"#, "container"),
        (#"{"messages":[{"content":[{"type":"image","source":{"type":"url","url":"http://x"}}]}]}"#, "URL"),
        (#"{"messages":[{"content":[{"type":"image","source":{"url":"http://x","type":"base64"}}]}]}"#, "URL"),
        (#"{"messages":[{"content":[{"type":"tool_result","content":[{"source":{"type":"url"}}]}]}]}"#, "URL"),
        (#"{"messages":[{"content":[{"source":{"type":"content","content":[{"source":{"type":"url"}}]}}]}]}"#, "URL"),
        (#"{"system":[{"source":[{"type":"url"}]}]}"#, "URL"),
        (#"{"messages":[],"a":{"b":{"tools":[{"type":"web_fetch_20250910"}]}}}"#, "web_fetch_20250910"),
    ]) func whatAnthropicWouldActOnIsRefused(body: String, what: String) {
        let refused = refusal(body, .anthropic)
        #expect(refused?.status == 403 && refused?.error == "model_request_refused", "\(body)")
        #expect(refused?.message.contains(what) == true && refused?.detail?.contains("gateway.model_tools") == true)
    }

    @Test(arguments: [
        (#"{"tools":[{"type":"web_search"}]}"#, "web_search"), (#"{"tools":[{"type":"mcp"}]}"#, "mcp"),
        (#"{"tools":[{"type":"web_search_preview_2025_03_11"}]}"#, "web_search_preview"),
        (#"{"tools":[{"type":"file_search"}]}"#, "file_search"),
        (#"{"tools":[{"type":"computer_use_preview"}]}"#, "com"),
        (#"{"tools":[{"type":"code_interpreter","container":"c"}]}"#, "container"),
        (#"{"tools":[{"type":"image_generation"}]}"#, "image_generation"), (#"{"tools":[{"name":"a"}]}"#, "without"),
        (#"{"tools":[{"type":"shell"}]}"#, "shell"), (#"{"tools":[{"type":"shell","environment":null}]}"#, "shell"),
        (#"{"tools":[{"type":"shell","environment":{"type":"container_auto"}}]}"#, "shell"),
        (#"{"tools":[{"type":"shell","environment":{}}]}"#, "shell"),
        (#"{"tools":[{"type":"tool_search"}]}"#, "tool_search"),
        (#"{"tools":[{"type":"tool_search","execution":"server"}]}"#, "tool_search"),
        (#"{"tools":[{"type":"namespace","tools":[{"type":"web_search"}]}]}"#, "web_search"),
        (#"{"input":[{"type":"additional_tools","tools":[{"type":"mcp","server_url":"data:"}]}]}"#, "mcp"),
        (#"{"tools":[{"type":"function","server_url":"https://a.example"}]}"#, "URL"),
        (#"{"input":[{"content":[{"type":"input_image","image_url":"https://a.example"}]}]}"#, "URL"),
        (#"{"input":[{"content":[{"type":"input_image","image_url":" data:"}]}]}"#, "URL"),
        (#"{"input":[{"content":[{"type":"input_file","file_url":"https://a.example"}]}]}"#, "URL"),
        (#"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"https://a.example"}}]}]}"#, "URL"),
        (#"{"messages":[{"content":[{"video_url":[{"url":"ftp://a.example"}]}]}]}"#, "URL"),
        (#"{"web_search_options":{}}"#, "web_search_options"), (#"{"prompt":{"id":"pmpt_1"}}"#, "stored"),
        (#"{"model":"gpt-4o-search-preview"}"#, "search"), (#"{"model":"o3-deep-re\u0073earch"}"#, "research"),
    ]) func whatOpenAIWouldActOnIsRefused(body: String, what: String) {
        let refused = refusal(body, .openai)
        #expect(refused?.status == 403 && refused?.error == "model_request_refused", "\(body)")
        #expect(refused?.message.contains(what) == true, "\(String(describing: refused?.message))")
    }

    @Test(arguments: [
        "", " ", "[]", "5", "null", #""{}""#, "{", "{} {}", "{},", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}",
        "{'a':1}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}", "{\"a\":1e}", "{\"a\":NaN}", "{\"a\":nul}",
        "{\"a\":tru}", "{\"a\":[1 2]}", "{\"a\":[1,]}", "{\"a\" 1}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\u12", "{\"a\":\"x", "{\"a\":\"\n\"}", "{\"a\":1}//", "/**/{}", "\u{FEFF}{}", "{\"a\\u0000b\":1}",
        #"{"tools":[],"tools":[]}"#, #"{"tools":[],"t\u006fols":[]}"#, #"{"tools":[],"Tools":[]}"#,
        #"{"Tools":[]}"#, #"{"messages":[{"Content":[]}]}"#, #"{"\u212Aind":1,"me\u017fsages":[]}"#,
        #"{"messages":[],"messages":[]}"#, #"{"tools":[{"type":"custom","type":"custom"}]}"#,
        #"{"tools":"x"}"#, #"{"tools":{}}"#, #"{"tools":[null]}"#, #"{"tools":["x"]}"#, #"{"tools":[[]]}"#,
        #"{"tools":[{"type":5}]}"#, #"{"tools":[{"type":["custom"]}]}"#,
    ]) func whatHasMoreOrLessThanOneReadingIsRefused(body: String) {
        for api in [ModelBody.API.anthropic, .openai] {
            let refused = refusal(body, api)
            #expect(refused?.status == 400 && refused?.error == "model_request_malformed", "\(body) \(api)")
        }
    }

    @Test func textThatIsNoUTF8IsRefused() {
        let start = Array(#"{"a":""#.utf8)
        for bytes: [UInt8] in [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
            #expect(refusal(start + bytes + Array(#""}"#.utf8), .openai)?.error == "model_request_malformed")
        }
        // UTF-16 and UTF-32 are full of NULs.
        #expect(refusal([0x7B, 0, 0x7D, 0], .openai) != nil && refusal([0, 0x7B, 0, 0x7D], .openai) != nil)
    }

    @Test func depthIsBounded() {
        func nested(_ levels: Int) -> String {
            "{\"a\":" + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}"
        }
        #expect(refusal(nested(ModelBody.mostLevels - 1), .openai) == nil)
        #expect(refusal(nested(ModelBody.mostLevels), .openai)?.message.contains("deep") == true)
        #expect(refusal(nested(1_000_000), .openai)?.message.contains("deep") == true)
        let opaque = #"{"tools":[{"name":"a","input_schema":"# + String(repeating: "[", count: 500_000)
        #expect(refusal(opaque, .anthropic)?.message.contains("deep") == true)
    }

    // MARK: Through the gateway

    private func run(
        _ upstream: Upstream, _ change: (inout GatewayPolicy) -> Void = { _ in },
        _ body: (GatewayHarness) async throws -> Void
    ) async throws {
        var policy = try GatewayHarness.policy(upstream.port)
        policy.modelTools = .client
        change(&policy)
        try await GatewayHarness.run(policy, body)
    }

    @Test func whatGoesOutIsWhatWasLookedThrough() async throws {
        let upstream = Upstream()
        try await run(upstream) { gateway in
            let body = " {\"messages\" : [\"\\u00e9\u{e9}\"] }\n"
            let type = "Content-Type: application/json; charset=utf-7\r\nContent-Encoding: identity\r\n"
            #expect(await gateway.exchange(post("/anthropic/v1/messages", body, type)).hasPrefix("HTTP/1.1 200"))
            let chunks = "2\r\n{\"\r\n8\r\na\":1}   \r\n0\r\n\r\n"
            let head = "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n"
            #expect(
                await gateway.exchange(head + "Connection: close\r\n\r\n" + chunks).hasPrefix("HTTP/1.1 200"))
            #expect(upstream.seen.map { text($0.body) } == [body, "{\"a\":1}   "])
            // No charset under which the same bytes are something else.
            #expect(upstream.seen.allSatisfy { $0.headers.all("content-type") == ["application/json"] })
            #expect(upstream.seen.allSatisfy { $0.headers["content-encoding"] == nil })
            #expect(upstream.seen[1].headers["content-length"] == "10")
            let decision = try await gateway.decisions(2)[0]
            #expect(decision.allowed && decision.requestBytes == body.utf8.count)
        }
    }

    @Test func aRefusedRequestNeverReachesTheProviderAndIsOnRecord() async throws {
        let upstream = Upstream()
        try await run(upstream) { gateway in
            let answer = await gateway.exchange(
                post("/anthropic/v1/messages", #"{"tools":[{"type":"web_fetch_20250910"}]}"#))
            #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains(#""error":"model_request_refused""#))
            #expect(answer.contains("web_fetch_20250910"), "\(answer)")
            let packed = await gateway.exchange(post("/openai/v1/responses", "{}", "Content-Encoding: gzip\r\n"))
            #expect(packed.hasPrefix("HTTP/1.1 403 ") && packed.contains("Content-Encoding"))
            #expect(await gateway.exchange(post("/openai/v1/responses", "hello")).hasPrefix("HTTP/1.1 400 "))
            let empty = "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n"
            #expect(await gateway.exchange(empty).hasPrefix("HTTP/1.1 400 "))
            #expect(upstream.seen.isEmpty)
            let decisions = try await gateway.decisions(4)
            #expect(decisions.allSatisfy { !$0.allowed })
            #expect(decisions[0].detail == "tool web_fetch_20250910 (gateway.model_tools)")
            #expect(decisions[0].reason == "model_request_refused" && decisions[0].requestBytes > 0)
        }
    }

    @Test func aProfileMayLeaveItToTheProvider() async throws {
        let upstream = Upstream()
        try await run(upstream, { $0.modelTools = .any }) { gateway in
            let body = #"{"tools":[{"type":"web_search"}]}"#
            #expect(await gateway.exchange(post("/openai/v1/responses", body)).hasPrefix("HTTP/1.1 200"))
            #expect(
                await gateway.exchange(post("/openai/v1/responses", "\u{1F}\u{8B}", "Content-Encoding: gzip\r\n"))
                    .hasPrefix("HTTP/1.1 200"))
            #expect(upstream.seen.map { text($0.body) } == [body, "\u{1F}\u{8B}"])
        }
    }

    /// Bodies wait in the supervisor's memory, which no limit of the sandbox covers.
    @Test func whatIsHeldAtATimeIsBounded() async throws {
        let upstream = Upstream()
        try await run(upstream, { $0.maxHeldBytes = 1000 }) { gateway in
            let body = "{\"a\":\"" + String(repeating: "x", count: 700) + "\"}"
            let first = gateway.connect()
            await LocalThread.run { first.write(String(post("/openai/v1/responses", body).dropLast(2))) }
            let refused = try await eventually("a refusal") {
                let answer = await gateway.exchange(post("/openai/v1/responses", body))
                return answer.hasPrefix("HTTP/1.1 503 ") ? answer : nil
            }
            #expect(refused.contains("too_much_at_once"))
            let answer = await LocalThread.run {
                first.write("\"}")
                return text(first.readToEnd())
            }
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            // What was held was given back, refused or not.
            #expect(await gateway.exchange(post("/openai/v1/responses", body)).hasPrefix("HTTP/1.1 200"))
        }
    }
}
