import Domain
import Foundation
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

    private func database() throws -> TaskDatabase { try TaskDatabase(path: directory.file("codeforge.db")) }
}
