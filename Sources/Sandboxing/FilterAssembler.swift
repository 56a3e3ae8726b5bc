import Glibc

/// Writes classic BPF: loads, comparisons, answers, and a search tree.
struct FilterAssembler {
    typealias Instruction = SyscallFilter.Instruction
    typealias Answer = SyscallFilter.Answer

    // linux/bpf_common.h and linux/seccomp.h: class | size or operation | mode or source.
    static let loadWord: UInt16 = 0x20
    static let jumpAlways: UInt16 = 0x05
    static let jumpEqual: UInt16 = 0x15
    static let jumpGreaterEqual: UInt16 = 0x35
    static let jumpAnySet: UInt16 = 0x45
    static let and: UInt16 = 0x54
    static let leave: UInt16 = 0x06
    // struct seccomp_data
    static let numberOffset: UInt32 = 0
    static let architectureOffset: UInt32 = 4
    /// Offset of the low half of argument `index`; the filter runs on little-endian machines only.
    static func argument(_ index: UInt32) -> UInt32 { 16 + 8 * index }
    static func highHalf(_ index: UInt32) -> UInt32 { argument(index) + 4 }

    let reporting: Bool
    private(set) var instructions: [Instruction] = []
    /// Jumps to argument checks, to be aimed once those are placed.
    private var waiting: [(at: Int, check: String)] = []

    init(reporting: Bool) { self.reporting = reporting }

    mutating func append(_ instruction: Instruction) { instructions.append(instruction) }

    mutating func load(_ offset: UInt32) { append(Instruction(code: Self.loadWord, value: offset)) }

    mutating func mask(_ bits: UInt32) { append(Instruction(code: Self.and, value: bits)) }

    mutating func unless(equal value: UInt32, then answer: Answer) {
        append(Instruction(code: Self.jumpEqual, jumpTrue: 1, jumpFalse: 0, value: value))
        self.answer(answer)
    }

    mutating func when(equal value: UInt32, then answer: Answer) {
        append(Instruction(code: Self.jumpEqual, jumpTrue: 0, jumpFalse: 1, value: value))
        self.answer(answer)
    }

    mutating func when(anyOf bits: UInt32, then answer: Answer) {
        append(Instruction(code: Self.jumpAnySet, jumpTrue: 0, jumpFalse: 1, value: bits))
        self.answer(answer)
    }

    /// One instruction that ends the program with `answer`, or goes on to an argument check.
    mutating func answer(_ answer: Answer) {
        switch answer {
        case .allow: append(Instruction(code: Self.leave, value: 0x7fff_0000))
        case .fail(let errno): append(Instruction(code: Self.leave, value: 0x0005_0000 | UInt32(errno)))
        case .report: append(Instruction(code: Self.leave, value: 0x7fc0_0000))
        case .kill: append(Instruction(code: Self.leave, value: 0x8000_0000))
        case .check(let name):
            waiting.append((instructions.count, name))
            append(Instruction(code: Self.jumpAlways, value: 0))
        }
    }

    /// `.report` where somebody listens, else the errno itself.
    func refusal(of name: String) -> Answer { reporting ? .report : .fail(RefusedCalls.errno(of: name)) }

    mutating func refuse(_ name: String) { answer(refusal(of: name)) }

    /// A balanced tree of comparisons over `runs`; the accumulator holds the number.
    mutating func search(_ runs: [(first: UInt32, answer: Answer)]) {
        search(runs[...])
    }

    private mutating func search(_ runs: ArraySlice<(first: UInt32, answer: Answer)>) {
        guard let first = runs.first else { return }
        guard runs.count > 1 else { return answer(first.answer) }
        let middle = runs.startIndex + runs.count / 2
        let branch = instructions.count
        append(Instruction(code: Self.jumpGreaterEqual, value: runs[middle].first))
        search(runs[..<middle])
        // The left half follows the comparison; a tree of a few hundred calls stays far below 256 per half.
        instructions[branch].jumpTrue = UInt8(instructions.count - branch - 1)
        search(runs[middle...])
    }

    /// Writes each awaited check once and aims the jumps at it.
    mutating func placeChecks() {
        var placed: [String: Int] = [:]
        for (at, check) in waiting {
            if placed[check] == nil {
                placed[check] = instructions.count
                ArgumentChecks.write(check, into: &self)
            }
            if let target = placed[check] { instructions[at].value = UInt32(target - at - 1) }
        }
        waiting = []
    }
}
