import Domain
import Foundation
import GRDB
import TestKit
import Testing

@testable import SQLiteStore

@Suite struct ToolStoreContractTests {
    private let directory = try! TemporaryDirectory()

    @Test(arguments: MCPServerStoreContract.cases)
    func twin(_ rule: MCPServerStoreContract.Case) async throws { try await rule.run(InMemoryMCPServerStore()) }

    @Test(arguments: MCPServerStoreContract.cases)
    func sqlite(_ rule: MCPServerStoreContract.Case) async throws {
        try await rule.run(SQLiteMCPServerStore(try database(), box: ReversingSecretBox()))
    }

    @Test(arguments: ToolStoreContract.cases)
    func toolTwin(_ rule: ToolStoreContract.Case) async throws { try await rule.run(InMemoryToolStore()) }

    @Test(arguments: ToolStoreContract.cases)
    func toolSQLite(_ rule: ToolStoreContract.Case) async throws { try await rule.run(SQLiteToolStore(try database())) }

    @Test func noPartOfADefinitionIsInTheFile() async throws {
        let database = try database()
        let store = SQLiteMCPServerStore(database, box: ReversingSecretBox())
        try await store.insert(MCPServerStoreContract.server("a"), named: "a", at: Timestamp(nanoseconds: 1))
        try database.close()
        for file in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            let bytes = FileManager.default.contents(atPath: directory.file(file)) ?? Data()
            for secret in ["environment-secret", "url-secret", "header-secret"] {
                #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(secret) in \(file)")
            }
        }
    }

    @Test func aServerOfAnotherKeyIsNamed() async throws {
        struct Closed: SecretBox {
            func seal(_ text: String) -> String { text }
            func open(_ sealed: String) throws(CodeForgeError) -> String {
                throw CodeForgeError(.invalidArgument, "another key")
            }
        }
        let database = try database()
        let other = SQLiteMCPServerStore(database, box: ReversingSecretBox())
        try await other.insert(MCPServer(name: "a"), named: "a", at: Timestamp(nanoseconds: 1))
        let store = SQLiteMCPServerStore(database, box: Closed())
        let error = await #expect(throws: CodeForgeError.self) { try await store.servers() }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("MCP server 'a' can't be opened") == true)
        // There is a way on.
        #expect(try await store.remove("a"))
        #expect(try await store.servers() == [])
    }

    @Test func aNewKeySealsAllOrNone() async throws {
        let database = try database()
        let store = SQLiteMCPServerStore(database, box: ReversingSecretBox())
        for name in ["a", "b"] {
            try await store.insert(MCPServer(name: name), named: name, at: Timestamp(nanoseconds: 1))
        }
        func definitions() async throws -> [String] {
            try await database.pool.read { try String.fetchAll($0, sql: "SELECT sealed FROM mcp_servers") }
        }
        let before = try await definitions()
        #expect(try await store.reseal(isTrial: true) { _, _ in "new" } == 2)
        await #expect(throws: CodeForgeError.self) {
            try await store.reseal { name, _ throws(CodeForgeError) in
                if name == "b" { throw CodeForgeError(.conflict, "neither key") }
                return "new"
            }
        }
        #expect(try await definitions() == before)
        #expect(try await store.reseal { name, sealed in name + sealed } == 2)
        #expect(try await definitions() == zip(["a", "b"], before).map { $0 + $1 })
    }

    private func database() throws -> TaskDatabase { try TaskDatabase(path: directory.file("codeforge.db")) }
}
