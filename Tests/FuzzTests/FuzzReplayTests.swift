import Foundation
import Testing

/// Replays what `scripts/fuzz` found and what it starts from, so that a mended fault stays mended.
@Suite struct FuzzReplayTests {
    static let corpus = Bundle.module.url(forResource: "Corpus", withExtension: nil)

    private static func inputs(_ target: FuzzTarget) throws -> [URL] {
        let folder = try #require(corpus).appendingPathComponent(target.rawValue)
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { !$0.lastPathComponent.hasPrefix(".") }
    }

    @Test(arguments: FuzzTarget.allCases) func everyKnownInputHoldsTheRules(target: FuzzTarget) throws {
        let files = try FuzzReplayTests.inputs(target)
        #expect(!files.isEmpty, "no corpus for \(target.rawValue)")
        for file in files {
            do {
                try target.run(Array(try Data(contentsOf: file)))
            } catch {
                Issue.record("\(target.rawValue) \(file.lastPathComponent): \(error)")
            }
        }
    }

    /// The same inputs, damaged in a fixed way: a little fuzzing without the instrumented build.
    @Test(arguments: FuzzTarget.allCases) func damagedInputsHoldTheRules(target: FuzzTarget) throws {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func roll(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % max(1, sides)
        }
        let seeds = try FuzzReplayTests.inputs(target).sorted { $0.path < $1.path }.map {
            Array(try Data(contentsOf: $0))
        }
        for _ in 0..<500 {
            var input = seeds[roll(seeds.count)]
            for _ in 0...roll(4) {
                let at = roll(input.count)
                switch roll(4) {
                case 0 where !input.isEmpty: input[at] = UInt8(roll(256))
                case 1 where !input.isEmpty: input.removeSubrange(at..<min(input.count, at + 1 + roll(6)))
                case 2: input.insert(UInt8(roll(256)), at: min(at, input.count))
                default:
                    let other = seeds[roll(seeds.count)]
                    input = Array(input.prefix(at) + other.suffix(roll(other.count + 1)))
                }
            }
            do {
                try target.run(input)
            } catch {
                Issue.record("\(target.rawValue) \(Data(input).base64EncodedString()): \(error)")
                return
            }
        }
    }
}
