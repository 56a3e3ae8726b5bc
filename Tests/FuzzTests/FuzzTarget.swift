import Domain

@testable import Agents
@testable import Gateway
@testable import Supervision

/// Parsers of hostile input, each with the rules that hold for every input.
///
/// `scripts/fuzz` builds this file with libFuzzer; the tests replay its corpus. A rule that does not hold throws.
enum FuzzTarget: String, CaseIterable, Sendable {
    /// The gateway's HTTP requests: parsing, and where they would go.
    case request
    /// Chunked bodies.
    case chunks
    /// Bodies of model requests.
    case model
    /// TLS ClientHellos.
    case hello
    /// Egress lists, authorities, URLs and addresses.
    case egress
    /// What the CLIs print.
    case claude, codex, shell
    /// Reviews in what they answered.
    case review
    /// Lines of output.
    case lines

    struct Broken: Error, CustomStringConvertible {
        var description: String
    }

    static func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws(Broken) {
        if !condition { throw Broken(description: rule()) }
    }

    func run(_ input: [UInt8]) throws(Broken) {
        switch self {
        case .request: try RequestFuzz.run(input)
        case .chunks: try ChunkFuzz.run(input)
        case .model: try ModelFuzz.run(input)
        case .hello: try HelloFuzz.run(input)
        case .egress: try EgressFuzz.run(input)
        case .claude: try NormalizerFuzz.run(input, "claude-code")
        case .codex: try NormalizerFuzz.run(input, "codex")
        case .shell: try NormalizerFuzz.run(input, "shell")
        case .review: try ReviewFuzz.run(input)
        case .lines: try LineFuzz.run(input)
        }
    }
}

/// Pieces of an input whose lengths the input itself chooses.
struct Pieces: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>
    private var seed: UInt32

    init(_ bytes: [UInt8], seed: UInt8) {
        rest = bytes[...]
        self.seed = UInt32(seed) | 1
    }

    mutating func next() -> [UInt8]? {
        guard !rest.isEmpty else { return nil }
        seed = seed &* 1_664_525 &+ 1_013_904_223
        let shift = (seed >> 8) % 7
        let count = Int((seed >> 16) % (1 << shift)) + 1
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}
