import Foundation
import TestKit
import Testing

extension Attack {
    static let probes: [Attack] =
        namespaceEscapes + processEscapes + kernelCalls + sockets + bombs + secrets.filter { !$0.isScene } + network
        + gateways + modelRequests + egress + landlock
    static let scenes: [Attack] = survivors + intruders + taskBombs + secrets.filter(\.isScene) + repositories + outputs
    static let all: [Attack] = probes + scenes

    var isScene: Bool {
        if case .scene = body { return true }
        return false
    }
}

/// The page for people, made of the attacks themselves.
enum AttackTable {
    static var page: String {
        var text = """
            # Attacks

            <!-- Generated from Tests/AttackTests: UPDATE_GENERATED=1 swift test --filter attackTableIsCurrent -->

            Each attack below is run by `Tests/AttackTests` against the real thing: in a sandbox of its own, and where it
            fits also as a `shell` task of a real server. Each must be refused, and on record where its wall keeps records.
            And each must work once its wall is gone, for an attack that could never have worked proves nothing; where that
            would harm the host, the table says so. `scripts/test` runs all of it as root and again as an ordinary user.

            **\(Attack.all.count) attacks.** How many meet which wall:

            | Wall | \(Attack.Category.allCases.map(\.rawValue).joined(separator: " | ")) |
            |---|\(String(repeating: "--:|", count: Attack.Category.allCases.count))

            """
        for wall in Attack.Wall.allCases {
            let counts = Attack.Category.allCases.map { category in
                Attack.all.count { $0.category == category && $0.walls.contains(wall) }
            }
            guard counts.contains(where: { $0 > 0 }) else { continue }
            text += "| \(wall.rawValue) | \(counts.map { $0 == 0 ? "" : "\($0)" }.joined(separator: " | ")) |\n"
        }
        for category in Attack.Category.allCases {
            text += """

                ## \(category.rawValue)

                | Attack | What it tries | Walls | On record | Works without | Reference |
                |---|---|---|---|---|---|

                """
            for attack in Attack.all where attack.category == category { text += row(attack) }
        }
        return text
    }

    private static func row(_ attack: Attack) -> String {
        let name = "`\(attack.name)`" + (attack.rootOnly ? " (root)" : "")
        let walls = attack.walls.map(\.rawValue).joined(separator: ", ")
        let cells = [name, attack.tries, walls, record(attack.record), control(attack), attack.reference]
        return "| " + cells.map { $0.replacing("|", with: "\\|").replacing("\n", with: " ") }.joined(separator: " | ")
            + " |\n"
    }

    private static func record(_ record: Attack.Record) -> String {
        switch record {
        case .errno: "its errno"
        case .syscall(let name): "refused call `\(name)`"
        case .gateway(let reason): "gateway refusal" + (reason.isEmpty ? "" : " `\(reason)`")
        case .limit(let limit): "limit `\(limit.rawValue)`"
        case .told(let what): what
        }
    }

    private static func control(_ attack: Attack) -> String {
        let missing = attack.mayBeMissing.isEmpty ? "" : ", or the kernel lacks it"
        return switch attack.control {
        case .anyCall: "the filter" + missing
        case .noLandlock: "Landlock" + missing
        case .without(let options): options.sorted().map { "`\($0)`" }.joined(separator: ", ") + missing
        case .changed(let what, _): "given " + what
        case .outside: "a sandbox" + missing
        case .outsideAsRoot: "a sandbox, as root" + missing
        case .relay: "the gateway: a plain relay"
        case .within(let what): what
        case .unsafe(let why): "not tried: " + why
        }
    }
}

@Suite struct AttackTableTests {
    @Test func attackTableIsCurrent() throws {
        guard FileManager.default.fileExists(atPath: #filePath) else { return }  // an ordinary user runs a copy
        #expect(try GeneratedFile.problem("docs/security/attacks.md", AttackTable.page) == nil)
    }

    @Test func everyAttackHasANameOfItsOwn() {
        #expect(Set(Attack.all.map(\.name)).count == Attack.all.count)
        #expect(Attack.all.count >= 80)
    }
}
