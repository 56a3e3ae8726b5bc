import Domain

@testable import Agents
@testable import Gateway

/// What passes is read again by another reader, in which nothing may turn up that should not have passed.
enum ModelFuzz {
    static func run(_ input: [UInt8]) throws(FuzzTarget.Broken) {
        guard let first = input.first else { return }
        let api = first & 1 == 0 ? ModelBody.API.anthropic : .openai
        let body = Array(input.dropFirst())
        let outcome = passes(body, api)
        guard outcome else { return }
        try FuzzTarget.require(passes([0x20] + body + [0x0A], api), "space around it does not matter")
        try FuzzTarget.require(!passes(body + [0x7B], api), "nothing follows")
        guard let view = JSONView(line: body[...]), view.isObject else {
            throw FuzzTarget.Broken(description: "another reader takes it for an object")
        }
        try FuzzTarget.require(isNothing(view["mcp_servers"]), "no servers to call")
        try FuzzTarget.require(isNothing(view["container"]), "no container")
        try FuzzTarget.require(isNothing(view["web_search_options"]), "no search")
        for tool in view["tools"]?.elements ?? [] {
            try FuzzTarget.require(tool.isObject, "a tool is an object")
            let type = tool["type"]?.string
            try FuzzTarget.require(type.map(isClients) ?? (api == .anthropic), "a tool of the client's: \(type ?? "")")
        }
        for message in (view["messages"]?.elements ?? []) + (view["input"]?.elements ?? []) {
            for block in message["content"]?.elements ?? [] {
                try FuzzTarget.require(block["source"]?["type"]?.string != "url", "no source by its URL")
                if let url = block["image_url"]?.string { try FuzzTarget.require(url.hasPrefix("data:"), "no URL") }
            }
        }
        // What is added to an honest request does not pass with it.
        guard let brace = body.firstIndex(of: 0x7B) else { return }
        let rest = body[(brace + 1)...]
        let comma = rest.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == 0x7D ? "" : ","
        for more in [#""mcp_servers":[{}]"#, #""tools":[{"type":"web_fetch_20250910"}]"#, #""x":{"a_url":"http://x"}"#]
        {
            try FuzzTarget.require(
                !passes(body[...brace] + Array((more + comma).utf8) + rest, api), "\(more) is found in anything")
        }
    }

    private static func passes(_ body: [UInt8], _ api: ModelBody.API) -> Bool {
        do throws(Refusal) {
            try ModelBody.check(body, api)
            return true
        } catch { return false }
    }

    /// Not there, null, or an empty list.
    private static func isNothing(_ view: JSONView?) -> Bool {
        guard let view else { return true }
        return view.elements.map(\.isEmpty) ?? (view.oneLine.first == UInt8(ascii: "n"))
    }

    /// The list again, by other means.
    private static func isClients(_ type: String) -> Bool {
        [
            "custom", "function", "local_shell", "apply_patch", "namespace", "shell", "tool_search", "bash_",
            "computer_",
            "memory_", "text_editor_",
        ].contains { type == $0 || ($0.hasSuffix("_") && type.hasPrefix($0)) }
    }
}
