import Domain
import Foundation
import GRDB
import TestKit
import Testing

@testable import SQLiteStore

@Suite struct TaskStoreContractTests {
    @Test(arguments: TaskStoreContract.cases)
    func twin(_ rule: TaskStoreContract.Case) async throws { try await rule.run(InMemoryTaskStore()) }

    @Test(arguments: TaskStoreContract.cases)
    func sqlite(_ rule: TaskStoreContract.Case) async throws {
        let directory = try TemporaryDirectory()
        try await rule.run(SQLiteTaskStore(TaskDatabase(path: directory.file("codeforge.db"))))
    }
}

@Suite struct WorkspaceStoreContractTests {
    @Test(arguments: WorkspaceStoreContract.cases)
    func twin(_ rule: WorkspaceStoreContract.Case) async throws {
        let tasks = InMemoryTaskStore()
        try await rule.run((tasks, InMemoryWorkspaceStore(tasks)))
    }

    @Test(arguments: WorkspaceStoreContract.cases)
    func sqlite(_ rule: WorkspaceStoreContract.Case) async throws {
        let directory = try TemporaryDirectory()
        let database = try TaskDatabase(path: directory.file("codeforge.db"))
        try await rule.run((SQLiteTaskStore(database), SQLiteWorkspaceStore(database)))
    }
}

@Suite struct CallbackStoreContractTests {
    @Test(arguments: CallbackStoreContract.cases)
    func twin(_ rule: CallbackStoreContract.Case) async throws {
        let store = InMemoryTaskStore()
        try await rule.run(.init(tasks: store, callbacks: store))
    }

    @Test(arguments: CallbackStoreContract.cases)
    func sqlite(_ rule: CallbackStoreContract.Case) async throws {
        let directory = try TemporaryDirectory()
        let database = try TaskDatabase(path: directory.file("codeforge.db"))
        try await rule.run(.init(tasks: SQLiteTaskStore(database), callbacks: SQLiteCallbackStore(database)))
    }
}

@Suite struct PublicationStoreContractTests {
    @Test(arguments: PublicationStoreContract.cases)
    func twin(_ rule: PublicationStoreContract.Case) async throws { try await rule.run(InMemoryPublicationStore()) }

    @Test(arguments: PublicationStoreContract.cases)
    func sqlite(_ rule: PublicationStoreContract.Case) async throws {
        let directory = try TemporaryDirectory()
        try await rule.run(SQLitePublicationStore(TaskDatabase(path: directory.file("codeforge.db"))))
    }
}

@Suite struct AuditStoreContractTests {
    @Test(arguments: AuditStoreContract.cases)
    func twin(_ rule: AuditStoreContract.Case) async throws { try await rule.run(InMemoryAuditStore()) }

    @Test(arguments: AuditStoreContract.cases)
    func sqlite(_ rule: AuditStoreContract.Case) async throws {
        let directory = try TemporaryDirectory()
        try await rule.run(SQLiteAuditStore(TaskDatabase(path: directory.file("codeforge.db"))))
    }

    @Test func aQueryNeedsNoScan() async throws {
        let directory = try TemporaryDirectory()
        let database = try TaskDatabase(path: directory.file("codeforge.db"))
        let plans = try await database.pool.read { db in
            try ["task_id = 'x' AND id > 5 ORDER BY id", "sandbox = 'x' AND id > 5 ORDER BY id", "time < 9"].map {
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN SELECT * FROM audit WHERE \($0)").map {
                    $0["detail"] as String
                }.joined()
            }
        }
        for plan in plans { #expect(plan.contains("USING INDEX") && !plan.contains("TEMP B-TREE"), "\(plan)") }
    }
}

@Suite struct KeyStoreContractTests {
    @Test(arguments: KeyStoreContract.cases)
    func twin(_ rule: KeyStoreContract.Case) async throws { try await rule.run(InMemoryKeyStore()) }

    @Test(arguments: KeyStoreContract.cases)
    func sqlite(_ rule: KeyStoreContract.Case) async throws {
        let directory = try TemporaryDirectory()
        try await rule.run(SQLiteKeyStore(TaskDatabase(path: directory.file("codeforge.db"))))
    }
}

@Suite struct DatabaseClaimTests {
    @Test func aDatabaseHasOneOwnerAtATime() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("x/a.db")
        var claim: DatabaseClaim? = try DatabaseClaim(path: path)
        let error = #expect(throws: CodeForgeError.self) { _ = try DatabaseClaim(path: path) }
        #expect(error?.code == .conflict && error?.message.contains("stop it first") == true && claim != nil)
        claim = nil
        _ = try DatabaseClaim(path: path)
    }
}

@Suite struct AccessStoreContractTests {
    @Test(arguments: TokenStoreContract.cases)
    func twin(_ rule: TokenStoreContract.Case) async throws { try await rule.run(InMemoryTokenStore()) }

    @Test(arguments: TokenStoreContract.cases)
    func sqlite(_ rule: TokenStoreContract.Case) async throws {
        let directory = try TemporaryDirectory()
        try await rule.run(SQLiteTokenStore(TaskDatabase(path: directory.file("codeforge.db"))))
    }

    @Test(arguments: ReceiptStoreContract.cases)
    func receiptTwin(_ rule: ReceiptStoreContract.Case) async throws { try await rule.run(InMemoryReceiptStore()) }

    @Test(arguments: ReceiptStoreContract.cases)
    func receiptSQLite(_ rule: ReceiptStoreContract.Case) async throws {
        let directory = try TemporaryDirectory()
        try await rule.run(SQLiteReceiptStore(TaskDatabase(path: directory.file("codeforge.db"))))
    }

    /// The other process has a connection of its own.
    @Test func anotherProcessesChangesHoldAtOnce() async throws {
        let directory = try TemporaryDirectory()
        let server = SQLiteTokenStore(try TaskDatabase(path: directory.file("codeforge.db")))
        let command = SQLiteTokenStore(try TaskDatabase(path: directory.file("codeforge.db")))
        #expect(try await server.token(digest: [1]) == nil)
        try await command.insert(name: "a", role: .read, digest: [1], at: Timestamp(nanoseconds: 0))
        #expect(try await server.token(digest: [1])?.name == "a")
        try await command.remove(name: "a")
        #expect(try await server.token(digest: [1]) == nil)
    }
}

@Suite struct TaskDatabaseTests {
    let directory = try! TemporaryDirectory()

    @Test func tasksAreThereAfterAnotherOpen() async throws {
        let path = directory.file("a.db")
        let task = TaskStoreContract.task(1)
        let database = try TaskDatabase(path: path)
        try await SQLiteTaskStore(database).insert(task)
        try database.close()
        let store = SQLiteTaskStore(try TaskDatabase(path: path))
        #expect(try await store.task(task.id) == task)
    }

    @Test func parentsAreMadeForUsAlone() throws {
        let path = directory.file("x/y/a.db")
        _ = try TaskDatabase(path: path)
        for (name, mode) in [("x", 0o700), ("x/y", 0o700), ("x/y/a.db", 0o600)] {
            let attributes = try FileManager.default.attributesOfItem(atPath: directory.file(name))
            #expect(attributes[.posixPermissions] as? Int == mode, "\(name)")
        }
    }

    @Test func aNewerSchemaIsRefusedAndLeftAlone() async throws {
        let path = directory.file("a.db")
        let database = try TaskDatabase(path: path)
        try await database.pool.write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('999 from the future')")
        }
        try database.close()
        let error = #expect(throws: CodeForgeError.self) { try TaskDatabase(path: path) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("newer version of CodeForge") == true)
    }

    @Test func whatIsNoDatabaseIsRefused() throws {
        let path = directory.file("a.db")
        try Data("this is no database, it only has a name like one, and enough bytes".utf8)
            .write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: CodeForgeError.self) { try TaskDatabase(path: path) }
        #expect(error?.message.contains(path) == true)
    }

    @Test func aLinkIsNotFollowed() throws {
        try FileManager.default.createSymbolicLink(
            atPath: directory.file("a.db"),
            withDestinationPath: directory.file("elsewhere")
        )
        #expect(throws: CodeForgeError.self) { try TaskDatabase(path: directory.file("a.db")) }
        #expect(!FileManager.default.fileExists(atPath: directory.file("elsewhere")))
    }

    @Test func everyAnswerIsDurable() throws {
        let database = try TaskDatabase(path: directory.file("a.db"))
        let (journal, synchronous) = try database.pool.writeWithoutTransaction { db in
            (try String.fetchOne(db, sql: "PRAGMA journal_mode"), try Int.fetchOne(db, sql: "PRAGMA synchronous"))
        }
        #expect(journal == "wal")
        #expect(synchronous == 2)
    }

    @Test func aFailedWriteTakesNoOtherWithIt() async throws {
        let store = SQLiteTaskStore(try TaskDatabase(path: directory.file("a.db")))
        let task = TaskStoreContract.task(0)
        try await store.insert(task)
        let conflicts = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    do {
                        // Every second one is there already.
                        try await store.insert(TaskStoreContract.task(number % 2 == 0 ? 0 : number))
                        return false
                    } catch { return (error as? CodeForgeError)?.code == .conflict }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(conflicts == 100)
        let total = try await store.list(status: nil, limit: 1, offset: 0).total
        #expect(total == 101)
    }
}
