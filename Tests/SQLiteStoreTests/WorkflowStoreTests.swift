import Domain
import Foundation
import GRDB
import TestKit
import Testing

@testable import SQLiteStore

@Suite struct WorkflowStoreTests {
    private let directory = try! TemporaryDirectory()

    @Test(arguments: WorkflowStoreContract.cases)
    func twin(_ rule: WorkflowStoreContract.Case) async throws { try await rule.run(InMemoryWorkflowStore()) }

    @Test(arguments: WorkflowStoreContract.cases)
    func sqlite(_ rule: WorkflowStoreContract.Case) async throws {
        try await rule.run(SQLiteWorkflowStore(try database(), box: ReversingSecretBox()))
    }

    @Test(arguments: WorkflowRunStoreContract.cases)
    func runTwin(_ rule: WorkflowRunStoreContract.Case) async throws { try await rule.run(InMemoryWorkflowRunStore()) }

    @Test(arguments: WorkflowRunStoreContract.cases)
    func runSQLite(_ rule: WorkflowRunStoreContract.Case) async throws {
        try await rule.run(SQLiteWorkflowRunStore(try database(), box: ReversingSecretBox()))
    }

    @Test func noSecretIsInTheFile() async throws {
        let database = try database()
        _ = try await fill(database)
        try database.close()
        for file in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            let bytes = FileManager.default.contents(atPath: directory.file(file)) ?? Data()
            for secret in ["definition-secret", "parameter-secret", "run-secret", "output-secret"] {
                #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(secret) in \(file)")
            }
        }
    }

    private struct Closed: SecretBox {
        func seal(_ text: String) -> String { text }
        func open(_ sealed: String) throws(CodeForgeError) -> String {
            throw CodeForgeError(.invalidArgument, "another key")
        }
    }

    @Test func whatIsOfAnotherKeyIsNamedAndInNobodysWay() async throws {
        let database = try database()
        _ = try await fill(database)
        let workflows = SQLiteWorkflowStore(database, box: Closed())
        let error = await #expect(throws: CodeForgeError.self) { try await workflows.workflows() }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("workflow 'w' can't be opened") == true)
        #expect(try await workflows.remove("w"))
        let runs = SQLiteWorkflowRunStore(database, box: Closed())
        let run = try #require(try await runs.run("r"))
        #expect(!run.isReadable && run.params == [:] && run.workflow.steps == [] && run.workflowName == "w")
        #expect(try await runs.steps(of: "r").map(\.result) == [[:]])
        try await runs.update("r") { run throws(CodeForgeError) in
            run.status = .failed
            run.finishedAt = Timestamp(nanoseconds: 9)
            return nil
        }
        #expect(try await runs.openRuns(of: nil) == [])
    }

    @Test func aNewKeySealsAllOrNone() async throws {
        let database = try database()
        let (workflows, runs) = try await fill(database)
        func sealed() async throws -> [String] {
            try await database.pool.read {
                try String.fetchAll(
                    $0,
                    sql: """
                        SELECT sealed FROM workflows UNION ALL SELECT sealed FROM workflow_runs
                        UNION ALL SELECT sealed FROM workflow_steps
                        """)
            }
        }
        let before = try await sealed()
        #expect(before.count == 3)
        #expect(try await workflows.reseal(isTrial: true) { _, _ in "new" } == 1)
        #expect(try await runs.reseal(isTrial: true) { _, _ in "new" } == 1)
        await #expect(throws: CodeForgeError.self) {
            try await runs.reseal { _, _ throws(CodeForgeError) in throw CodeForgeError(.conflict, "neither key") }
        }
        #expect(try await sealed() == before)
        #expect(try await workflows.reseal { name, sealed in name + sealed } == 1)
        #expect(try await runs.reseal { id, sealed in id + sealed } == 1)
        #expect(try await sealed() == zip(["w", "r", "r"], before).map { $0 + $1 })
    }

    /// A workflow, a run of it and a step of that.
    private func fill(_ database: TaskDatabase) async throws -> (SQLiteWorkflowStore, SQLiteWorkflowRunStore) {
        let workflows = SQLiteWorkflowStore(database, box: ReversingSecretBox())
        try await workflows.insert(WorkflowStoreContract.workflow("w"))
        let runs = SQLiteWorkflowRunStore(database, box: ReversingSecretBox())
        try await runs.insert(WorkflowRunStoreContract.run("r"))
        try await runs.update("r") { _ throws(CodeForgeError) in
            var step = RunStep(
                runID: "r", index: 0, name: "one", type: "fetch", startedAt: Timestamp(nanoseconds: 5))
            step.result = ["text": "output-secret"]
            return step
        }
        return (workflows, runs)
    }

    private func database() throws -> TaskDatabase { try TaskDatabase(path: directory.file("codeforge.db")) }
}
