package import Domain

/// What every `MCPServerStore` must do. The subject is an empty store.
package enum MCPServerStoreContract {
    package typealias Case = ContractCase<any MCPServerStore>

    /// A server with every member.
    package static func server(_ name: String) -> MCPServer {
        MCPServer(
            name: name, transport: "http", package: "p\u{e9}", command: "c", args: ["a", ""],
            env: ["E": "environment-secret\0"], url: "https://h.example/mcp?k=url-secret",
            headers: ["H": "header-secret"])
    }

    package static let cases: [Case] = [
        Case("gives back what it got, in the order of creation") { store in
            for (number, name) in ["b", "c", "a"].enumerated() {
                try await store.insert(server(name), named: name, at: Timestamp(nanoseconds: Int64(9 - number)))
            }
            let found = try await store.servers()
            try expectEqual(found.map(\.server), ["b", "c", "a"].map(server), "the servers")
            try expectEqual(found.map(\.createdAt.nanoseconds), [9, 8, 7], "their times")
        },
        Case("a name is there once") { store in
            try await store.insert(server("a"), named: "a", at: Timestamp(nanoseconds: 1))
            do {
                try await store.insert(MCPServer(name: "a"), named: "a", at: Timestamp(nanoseconds: 2))
                try expect(false, "a second server of that name")
            } catch let error as CodeForgeError {
                try expectEqual(error.code, .conflict, "the error")
            }
            try expectEqual(try await store.servers().map(\.server), [server("a")], "the first one")
        },
        Case("a removed one is gone, and its name is free") { store in
            try await store.insert(server("a"), named: "a", at: Timestamp(nanoseconds: 1))
            try await store.insert(server("b"), named: "b", at: Timestamp(nanoseconds: 1))
            try expect(try await store.remove("a"), "it was there")
            try expect(try await !store.remove("a"), "it is gone")
            try expect(try await !store.remove("A"), "names differ by case")
            try await store.insert(server("a"), named: "a", at: Timestamp(nanoseconds: 1))
            try expectEqual(try await store.servers().map { $0.server.name }, ["b", "a"], "the others")
        },
    ]
}

/// What every `ToolStore` must do. The subject is an empty store.
package enum ToolStoreContract {
    package typealias Case = ContractCase<any ToolStore>

    /// A tool with every member.
    package static func tool(_ name: String) -> Tool {
        let field = ToolField(name: "f", description: "d", type: "secret", variable: "V", isSensitive: true)
        var tool = Tool(
            name: name, type: "custom", description: "\u{1F600}", transport: "http", url: "https://h.example",
            package: "p", command: "c", requiredConfig: [field], optionalConfig: [field, field], capabilities: ["x"])
        tool.version = "1"
        tool.args = ["a"]
        return tool
    }

    package static let cases: [Case] = [
        Case("gives back what it got, in the order of creation") { store in
            for name in ["b", "c", "a"] { try await store.insert(tool(name), at: Timestamp(nanoseconds: 5)) }
            let expected = ["b", "c", "a"].map {
                RegisteredTool(tool: tool($0), createdAt: Timestamp(nanoseconds: 5))
            }
            try expectEqual(try await store.tools(), expected, "the tools")
            try expectEqual(try await store.tool("c"), expected[1], "one tool")
            try expectEqual(try await store.tool("x"), nil, "an unknown one")
        },
        Case("a name is there once, until it is removed") { store in
            try await store.insert(tool("a"), at: Timestamp(nanoseconds: 1))
            do {
                try await store.insert(tool("a"), at: Timestamp(nanoseconds: 2))
                try expect(false, "a second tool of that name")
            } catch let error as CodeForgeError {
                try expectEqual(error.code, .conflict, "the error")
            }
            try expect(try await store.remove("a"), "it was there")
            try expect(try await !store.remove("a"), "it is gone")
            try await store.insert(tool("a"), at: Timestamp(nanoseconds: 3))
            try expectEqual(try await store.tools().map(\.createdAt.nanoseconds), [3], "the new one")
        },
    ]
}
