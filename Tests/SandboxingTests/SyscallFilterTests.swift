import Domain
import Glibc
import Testing

@testable import Sandboxing

/// The compiled program against the tables it came from, without a kernel.
@Suite struct SyscallFilterTests {
    /// Runs classic BPF over one call; gives the returned action.
    static func run(
        _ filter: SyscallFilter,
        number: UInt32,
        arguments: [UInt64] = [],
        architecture: UInt32 = SyscallFilter.Architecture.native.rawValue
    ) throws -> UInt32 {
        var at = 0
        var accumulator: UInt32 = 0
        var steps = 0
        while true {
            try #require(filter.instructions.indices.contains(at), "runs off the end")
            let instruction = filter.instructions[at]
            at += 1
            steps += 1
            let k = instruction.value
            func jump(_ taken: Bool) { at += Int(taken ? instruction.jumpTrue : instruction.jumpFalse) }
            switch instruction.code {
            case FilterAssembler.loadWord:
                switch k {
                case 0: accumulator = number
                case 4: accumulator = architecture
                default:
                    let index = Int(k - 16) / 8
                    let value = index < arguments.count ? arguments[index] : 0
                    accumulator = UInt32(truncatingIfNeeded: (k - 16) % 8 == 0 ? value : value >> 32)
                }
            case FilterAssembler.jumpEqual: jump(accumulator == k)
            case FilterAssembler.jumpGreaterEqual: jump(accumulator >= k)
            case FilterAssembler.jumpAnySet: jump(accumulator & k != 0)
            case FilterAssembler.jumpAlways: at += Int(k)
            case FilterAssembler.and: accumulator &= k
            case FilterAssembler.leave:
                #expect(steps < 40, "too deep for \(number)")
                return k
            default:
                Issue.record("unknown instruction \(instruction.code)")
                return 0
            }
        }
    }

    static func action(_ answer: SyscallFilter.Answer) -> UInt32? {
        switch answer {
        case .allow: 0x7fff_0000
        case .fail(let errno): 0x0005_0000 | UInt32(errno)
        case .report: 0x7fc0_0000
        case .kill: 0x8000_0000
        case .check: nil
        }
    }

    @Test(arguments: SyscallFilter.Architecture.allCases)
    func everyNumberGetsTheAnswerOfTheTable(architecture: SyscallFilter.Architecture) throws {
        let table = SyscallFilter.answers(SyscallGroup.everyday, architecture)
        let filter = SyscallFilter(groups: SyscallGroup.everyday, architecture: architecture)
        for number in UInt32(0)...1200 {
            guard let expected = Self.action(table[number] ?? .fail(ENOSYS)) else { continue }
            let action = try Self.run(filter, number: number, architecture: architecture.rawValue)
            #expect(action == expected, "\(SyscallFilter.name(number, architecture))")
        }
        // arm64 never had open, stat, fork and their like.
        #expect(table.values.filter { $0 == .allow }.count > (architecture == .x86_64 ? 230 : 190))
        #expect(filter.instructions.count <= 330)
    }

    /// One call with arguments, and what it must get; policy 3.2.
    struct Rule: Sendable {
        var call: String
        var arguments: [UInt64]
        var answer: SyscallFilter.Answer
    }

    static let rules: [Rule] = {
        let high: UInt64 = 0xffff_ffff_0000_0000  // registers are wider than what the kernel looks at
        let namespaces: [UInt64] = [
            0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
        ]
        var rules = namespaces.map { Rule(call: "clone", arguments: [$0 | 17], answer: .report) }
        rules += namespaces.map { Rule(call: "clone", arguments: [high | $0], answer: .report) }
        rules += [
            Rule(call: "clone", arguments: [0x8000], answer: .report),  // CLONE_PARENT
            Rule(call: "clone", arguments: [0x003d_0f00], answer: .allow),  // a thread
            Rule(call: "clone", arguments: [0x4111], answer: .allow),  // posix_spawn
            Rule(call: "clone", arguments: [0x80 | 17], answer: .allow),  // no CLONE_NEWTIME: a signal's bits
            Rule(call: "clone3", arguments: [], answer: .fail(ENOSYS)),
            Rule(call: "unshare", arguments: [0x80], answer: .report),
            Rule(call: "personality", arguments: [0], answer: .allow),
            Rule(call: "personality", arguments: [0xffff_ffff], answer: .allow),
            Rule(call: "personality", arguments: [0x004_0000], answer: .report),  // no ASLR
            Rule(call: "personality", arguments: [0x040_0000], answer: .report),  // READ_IMPLIES_EXEC
            Rule(call: "prctl", arguments: [35], answer: .report),
            Rule(call: "prctl", arguments: [0x5961_6d61], answer: .report),
            Rule(call: "prctl", arguments: [38], answer: .allow),
            Rule(call: "seccomp", arguments: [1, 8], answer: .fail(EPERM)),  // no program: a question
            Rule(call: "seccomp", arguments: [1, 8, 0x1000], answer: .report),
            Rule(call: "seccomp", arguments: [1, 9, 0x1_0000_0000], answer: .report),
            Rule(call: "seccomp", arguments: [1, 1], answer: .allow),
            Rule(call: "socketpair", arguments: [1], answer: .allow),
            Rule(call: "socketpair", arguments: [30], answer: .report),
        ]
        for request: UInt64 in [0x5412, 0x541c, 0x541d, 0x5423] {
            rules.append(Rule(call: "ioctl", arguments: [0, request], answer: .report))
            rules.append(Rule(call: "ioctl", arguments: [0, high | request], answer: .report))
        }
        rules.append(Rule(call: "ioctl", arguments: [0, 0x5401], answer: .allow))
        // Every family there is or may come, but those of everyday use.
        for family: UInt64 in 0..<64 where ![1, 2, 10].contains(family) {
            let answer: SyscallFilter.Answer = family == 16 ? .allow : .report
            rules.append(Rule(call: "socket", arguments: [family, 3, 0], answer: answer))
        }
        for family: UInt64 in [2, 10] {
            for type: UInt64 in 0...10 where type != 1 && type != 2 {
                rules.append(Rule(call: "socket", arguments: [family, type, 0], answer: .report))
            }
            for type: UInt64 in [1, 2, 1 | 0o2000000, 2 | 0o4000] {
                for (protocol_, answer): (UInt64, SyscallFilter.Answer) in [
                    (0, .allow), (6, .allow), (17, .allow), (1, .report), (132, .report), (136, .report),
                    (255, .report), (262, .fail(EPROTONOSUPPORT)),
                ] { rules.append(Rule(call: "socket", arguments: [family, type, protocol_], answer: answer)) }
            }
        }
        return rules
    }()

    @Test(arguments: SyscallFilter.Architecture.allCases)
    func argumentsDecideAsThePolicySays(architecture: SyscallFilter.Architecture) throws {
        let filter = SyscallFilter(groups: SyscallGroup.everyday, architecture: architecture)
        for rule in Self.rules {
            let number = try #require(SyscallFilter.number(rule.call, architecture), "\(rule.call)")
            let action = try Self.run(
                filter, number: number, arguments: rule.arguments, architecture: architecture.rawValue)
            #expect(action == Self.action(rule.answer), "\(rule.call) \(rule.arguments)")
        }
    }

    @Test(arguments: SyscallFilter.Architecture.allCases)
    func foreignEntryPointsAreKilled(architecture: SyscallFilter.Architecture) throws {
        let filter = SyscallFilter(groups: SyscallGroup.everyday, architecture: architecture)
        let others = SyscallFilter.Architecture.allCases.filter { $0 != architecture }.map(\.rawValue)
        for other in others + [0x4000_0003, 0x4000_0028, 0] {  // i386, 32-bit arm
            #expect(try Self.run(filter, number: 1, architecture: other) == 0x8000_0000)
        }
        for number: UInt32 in [0, 39, 512, 547] where architecture == .x86_64 {  // x32
            let action = try Self.run(filter, number: number | 0x4000_0000, architecture: architecture.rawValue)
            #expect(action == 0x8000_0000)
        }
    }

    @Test(arguments: SyscallFilter.Architecture.allCases)
    func whatIsReportedIsInNoGroup(architecture: SyscallFilter.Architecture) throws {
        let table = SyscallFilter.answers(SyscallGroup.everyday, architecture)
        let named = RefusedCalls.reported + RefusedCalls.reportedMissing
        for name in named {
            guard let number = SyscallFilter.number(name, architecture) else { continue }
            #expect(table[number] == .report, "\(name)")
        }
        #expect(Set(named).isDisjoint(with: SyscallGroup.allCases.flatMap(\.calls)))
    }

    @Test func aGroupLeftOutIsUnknown() throws {
        let filter = SyscallFilter(groups: SyscallGroup.everyday.subtracting([.sockets]))
        let socket = try #require(SyscallFilter.number("socket"))
        #expect(try Self.run(filter, number: socket, arguments: [1, 1, 0]) == 0x0005_0000 | UInt32(ENOSYS))
    }

    @Test func withoutAListenerReportedCallsFailByThemselves() throws {
        let filter = SyscallFilter(groups: SyscallGroup.everyday, reporting: false)
        let mount = try #require(SyscallFilter.number("mount"))
        let clone = try #require(SyscallFilter.number("clone"))
        #expect(try Self.run(filter, number: mount) == 0x0005_0000 | UInt32(EPERM))
        #expect(try Self.run(filter, number: clone, arguments: [0x1000_0000]) == 0x0005_0000 | UInt32(EPERM))
        let personality = try #require(SyscallFilter.number("personality"))
        #expect(try Self.run(filter, number: personality, arguments: [0x004_0000]) == 0x0005_0000 | UInt32(EPERM))
        #expect(!filter.instructions.contains { $0.code == FilterAssembler.leave && $0.value == 0x7fc0_0000 })
    }

    @Test func bytesAreTheKernelsLayout() {
        let filter = SyscallFilter(groups: [.io])
        #expect(filter.bytes.count == filter.instructions.count * 8)
        #expect(Array(filter.bytes.prefix(8)) == [0x20, 0, 0, 0, 4, 0, 0, 0])
    }
}
