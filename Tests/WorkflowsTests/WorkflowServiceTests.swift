import Domain
import TestKit
import Testing

@testable import Workflows

@Suite struct WorkflowServiceTests {
    private let rig: RunRig
    private let service: WorkflowService

    init() throws {
        rig = try RunRig()
        service = rig.service(WorkflowRunner(rig.parts, rig.rules))
    }

    private func workflow(_ name: String) -> Workflow {
        Workflow(name: name, isBuiltIn: true, createdAt: Timestamp(nanoseconds: 0))
    }

    @Test func aWorkflowIsTheClientsAndThereOnce() async throws {
        try await service.create(workflow("w"))
        let created = try await service.workflow("w")
        #expect(!created.isBuiltIn && created.createdAt == rig.clock.now())
        await #expect(throws: CodeForgeError(.conflict, "workflow 'w' already exists")) {
            try await service.create(workflow("w"))
        }
        try await service.delete("w")
        for act in [{ try await service.delete("w") }, { _ = try await service.workflow("w") }] {
            await #expect(throws: CodeForgeError(.notFound, "workflow 'w' not found")) { try await act() }
        }
    }

    @Test(arguments: [("", "name is required"), ("a b", NameRule.message)])
    func aWrongNameIsRefused(name: String, message: String) async throws {
        await #expect(throws: CodeForgeError(.invalidArgument, message)) { try await service.create(workflow(name)) }
    }

    @Test func builtInsAreThereAndStay() async throws {
        try await service.seed()
        try await service.seed()
        #expect(try await service.list().map(\.name) == BuiltInWorkflows.all.map(\.name))
        for name in BuiltInWorkflows.all.map(\.name) {
            await #expect(throws: CodeForgeError(.conflict, "cannot delete built-in workflow '\(name)'")) {
                try await service.delete(name)
            }
            await #expect(throws: CodeForgeError(.conflict, "workflow '\(name)' already exists")) {
                try await service.create(workflow(name))
            }
        }
    }

    @Test func aRunKeepsItsDefinitionWhenTheWorkflowIsGone() async throws {
        try await rig.add([rig.task()])
        let id = try await service.run("w", params: [:]).id
        try await service.delete("w")
        try await rig.running { _, _ async throws in #expect(try await rig.finished(id).status == .completed) }
        #expect(try await service.runs(of: "w").map(\.id) == [id])
    }

    @Test func requiredParametersMustBeThereAndMayBeEmpty() async throws {
        try await rig.add(
            [], [.init(name: "a", required: true), .init(name: "b", required: true, default: "x"), .init(name: "c")])
        await #expect(throws: CodeForgeError(.invalidArgument, "missing required parameter: a")) {
            try await service.run("w", params: ["b": ""])
        }
        await #expect(throws: CodeForgeError(.invalidArgument, "missing required parameter: b")) {
            try await service.run("w", params: ["a": ""])
        }
        #expect(try await service.run("w", params: ["a": "", "b": ""]).params == ["a": "", "b": ""])
        await #expect(throws: CodeForgeError(.notFound, "workflow 'x' not found")) {
            try await service.run("x", params: [:])
        }
    }

    @Test func onlySoManyRunsAreListed() async throws {
        try await rig.add([])
        for _ in 0...WorkflowService.mostRuns { _ = try await service.run("w", params: [:]) }
        let runs = try await service.runs(of: nil)
        #expect(runs.count == WorkflowService.mostRuns && runs.first?.id == "run-101")
        #expect(try await service.runs(of: "unknown").isEmpty)
    }
}
