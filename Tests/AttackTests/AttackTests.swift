import Domain
import Foundation
import ServerKit
import TestKit
import Testing

@testable import Sandboxing

/// Every attack of the table, from inside: refused and on record, and shown to work once its wall is gone.
@Suite(.arena, .serialized) struct AttackTests {
    private func arena() throws -> Arena { try #require(Arena.current) }

    @Test(arguments: Attack.probes) func isRefusedInASandbox(attack: Attack) async throws {
        if attack.rootOnly, !Arena.isRoot { return }  // the wall is one that only root can build
        let outcome = try await arena().launch(attack)
        expectRefused(attack, outcome)
        switch attack.record {
        case .syscall(let name):
            #expect(outcome.exit?.refusedSyscalls[name, default: 0] ?? 0 > 0, "no record: \(outcome)")
        case .gateway(let reason):
            let reasons = outcome.decisions.filter { !$0.allowed || $0.reason != "ok" }.map(\.reason)
            #expect(reasons.contains { reason.isEmpty || $0 == reason }, "no record: \(outcome)")
        case .limit(.memory): #expect(outcome.exit?.oomKilled == true, "no record: \(outcome)")
        case .limit(.processes) where Arena.isRoot:  // the rlimit that takes the group's place does not tell
            #expect(outcome.exit?.processLimitHit == true, "no record: \(outcome)")
        case .errno, .limit, .told: break
        }
    }

    @Test(arguments: Attack.probes) func worksWithoutItsWall(attack: Attack) async throws {
        if attack.rootOnly, !Arena.isRoot { return }
        let arena = try arena()
        let outcome: Arena.Outcome
        switch attack.control {
        case .anyCall:
            outcome = try await arena.launch(attack, without: [.seccomp, .landlock])
        case .noLandlock: outcome = try await arena.launch(attack, without: [.landlock])
        case .without(let options):
            outcome = try await arena.launch(attack, omitting: options)
        case .changed(_, let change): outcome = try await arena.launch(attack, change: change)
        case .outside(let words): outcome = try await arena.outside(attack, words)
        case .outsideAsRoot(let words):
            guard Arena.isRoot else { return }
            outcome = try await arena.outside(attack, words)
        case .relay: outcome = try await arena.launch(attack, relays: true)
        case .within, .unsafe: return
        }
        let isMissing = attack.mayBeMissing.contains { outcome.detail.contains($0) }
        #expect(
            outcome.verdict == .breached || (outcome.verdict == .refused && isMissing),
            "\(attack) proves nothing: \(outcome)")
    }

    @Test(arguments: Attack.probes.filter(\.isTask)) func isRefusedInATask(attack: Attack) async throws {
        if attack.rootOnly, !Arena.isRoot { return }
        let arena = try arena()
        let (id, outcome, frames) = try await arena.task(attack)
        expectRefused(attack, outcome)
        func events(_ name: String) -> [JSONValue] { frames.filter { $0.name == name }.compactMap { $0.data["data"] } }
        switch attack.record {
        case .syscall(let name):
            #expect(events("syscall_refused").contains { $0["syscall"]?.stringValue == name }, "no record: \(frames)")
        case .gateway(let reason):
            #expect(
                events("gateway_refused").contains { reason.isEmpty || $0["reason"]?.stringValue == reason },
                "no record: \(frames)")
        case .errno, .limit, .told: break
        }
        #expect(frames.last?.name == "done")
        try await expectAudit(attack, arena, id)
    }

    /// What was refused stays on record, with who tried it.
    private func expectAudit(_ attack: Attack, _ arena: Arena, _ id: String) async throws {
        switch attack.record {
        case .syscall(let name):
            let record = try await eventually("\(name) in the audit of \(id)") {
                try await arena.audit(id).first { $0["kind"] == "syscall" && $0["name"]?.stringValue == name }
            }
            #expect(record["verdict"] == "refused", "\(record)")
            #expect(record["detail"]?["command"]?.stringValue?.contains("python3") == true, "\(record)")
        case .gateway(let reason):
            let record = try await eventually("\(reason) in the audit of \(id)") {
                try await arena.audit(id).first {
                    $0["kind"] == "gateway" && (reason.isEmpty || $0["detail"]?["reason"]?.stringValue == reason)
                }
            }
            #expect(record["verdict"] == "refused", "\(record)")
        case .errno, .limit, .told: break
        }
    }

    /// An operator's command in a running sandbox is no way around any of it.
    @Test(arguments: Attack.probes.filter { $0.change == nil && $0.category != .gateway })
    func isRefusedInAnEnteredCommand(attack: Attack) async throws {
        if attack.rootOnly, !Arena.isRoot { return }
        let outcome = try await arena().enter(attack)
        expectRefused(attack, outcome)
        if case .syscall(let name) = attack.record {
            #expect(outcome.exit?.refusedSyscalls[name, default: 0] ?? 0 > 0, "no record: \(outcome)")
        }
    }

    @Test(arguments: Attack.scenes) func isRefused(attack: Attack) async throws {
        if attack.rootOnly, !Arena.isRoot { return }
        guard case .scene(let scene) = attack.body else { return }
        try await scene(attack, arena())
    }

    private func expectRefused(_ attack: Attack, _ outcome: Arena.Outcome) {
        if case .limit(.memory) = attack.record, outcome.exit?.oomKilled == true { return }  // nobody is left to say so
        #expect(outcome.verdict == .refused, "\(attack): \(outcome)")
        #expect(
            attack.refusal.isEmpty || attack.refusal.contains { outcome.detail.contains($0) },
            "\(attack) failed for another reason: \(outcome.detail)")
    }
}
