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
        architecture: UInt32 = SyscallFilter.architecture
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
                    accumulator = index < arguments.count ? UInt32(truncatingIfNeeded: arguments[index]) : 0
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

    @Test func everyNumberGetsTheAnswerOfTheTable() throws {
        let table = SyscallFilter.answers(SyscallGroup.everyday)
        let filter = SyscallFilter(groups: SyscallGroup.everyday)
        for number in UInt32(0)...1200 {
            guard let expected = Self.action(table[number] ?? .fail(ENOSYS)) else { continue }
            #expect(try Self.run(filter, number: number) == expected, "\(SyscallFilter.name(number))")
        }
        #expect(table.values.filter { $0 == .allow }.count > 230)
    }

    @Test func programIsShort() {
        #expect(SyscallFilter(groups: SyscallGroup.everyday).instructions.count <= 330)
    }

    @Test func foreignArchitecturesAreKilled() throws {
        let filter = SyscallFilter(groups: SyscallGroup.everyday)
        for architecture: UInt32 in [0x4000_0003, 0, 0xC000_00B7 ^ SyscallFilter.architecture] {
            #expect(try Self.run(filter, number: 1, architecture: architecture) == 0x8000_0000)
        }
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
        #expect(!filter.instructions.contains { $0.code == FilterAssembler.leave && $0.value == 0x7fc0_0000 })
    }

    @Test func bytesAreTheKernelsLayout() {
        let filter = SyscallFilter(groups: [.io])
        #expect(filter.bytes.count == filter.instructions.count * 8)
        #expect(Array(filter.bytes.prefix(8)) == [0x20, 0, 0, 0, 4, 0, 0, 0])
    }
}
