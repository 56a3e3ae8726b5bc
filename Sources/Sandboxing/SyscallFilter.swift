import CSeccomp
import Domain
import Glibc

/// A profile's system call policy as a kernel filter program.
///
/// The program is a binary search over runs of numbers that share an answer, so that it is short (loading costs in
/// proportion to its length and depth) and every call is decided in about seven steps. libseccomp names the calls;
/// its own generator makes one comparison per call and cannot give one call different answers by argument with a
/// fallback of its own. A test runs the program over every number and compares it with the tables.
struct SyscallFilter: Sendable {
    /// What the kernel does with a call.
    enum Answer: Hashable, Sendable {
        case allow
        /// Fails with this errno, unreported.
        case fail(Int32)
        /// The listener decides the errno.
        case report
        case kill
        /// Depends on the arguments.
        case check(String)
    }

    /// Classic BPF, as the kernel takes it.
    struct Instruction: Equatable, Sendable {
        var code: UInt16
        var jumpTrue: UInt8 = 0
        var jumpFalse: UInt8 = 0
        var value: UInt32
    }

    /// A machine's entry point for system calls, by its number in linux/audit.h, which libseccomp uses as well.
    enum Architecture: UInt32, CaseIterable, Sendable {
        case x86_64 = 0xC000_003E
        case arm64 = 0xC000_00B7

        #if arch(x86_64)
            static let native = Architecture.x86_64
        #elseif arch(arm64)
            static let native = Architecture.arm64
        #endif
    }

    private(set) var instructions: [Instruction] = []

    /// - Parameters:
    ///   - reporting: Whether a listener will be there; without one, reported calls fail by themselves.
    ///   - architecture: The only one let in; calls of others (32-bit, x32) end the process.
    init(groups: Set<SyscallGroup>, reporting: Bool = true, architecture: Architecture = .native) {
        var table = Self.answers(groups, architecture)
        if !reporting {
            for (number, answer) in table where answer == .report {
                table[number] = .fail(RefusedCalls.errno(of: Self.name(number, architecture)))
            }
        }
        assemble(table, reporting: reporting, architecture)
    }

    /// Allows everything.
    static let none: SyscallFilter = {
        var filter = SyscallFilter(groups: [])
        filter.instructions = [Instruction(code: FilterAssembler.leave, value: 0x7fff_0000)]
        return filter
    }()

    /// The answer for each number that is not simply unknown (`ENOSYS`).
    static func answers(
        _ groups: Set<SyscallGroup>, _ architecture: Architecture = .native
    ) -> [UInt32: Answer] {
        var table: [UInt32: Answer] = [:]
        let number = { (name: String) in Self.number(name, architecture) }
        func put(_ names: [String], _ answer: Answer) {
            for name in names { if let number = number(name) { table[number] = answer } }
        }
        for group in groups { put(group.calls, .allow) }
        for name in ArgumentChecks.names {
            if let number = number(name), table[number] == .allow { table[number] = .check(name) }
        }
        put(RefusedCalls.silent, .fail(EPERM))
        put(RefusedCalls.reported + RefusedCalls.reportedMissing, .report)
        return table
    }

    /// The kernel's number for a name on that architecture; `nil` when it has none.
    static func number(_ name: String, _ architecture: Architecture = .native) -> UInt32? {
        let number = seccomp_syscall_resolve_name_arch(architecture.rawValue, name)
        return number >= 0 ? UInt32(number) : nil
    }

    /// The kernel's name of a number on that architecture.
    static func name(_ number: UInt32, _ architecture: Architecture = .native) -> String {
        guard let name = seccomp_syscall_resolve_num_arch(architecture.rawValue, Int32(bitPattern: number)) else {
            return "syscall_\(number)"
        }
        defer { free(name) }
        return String(cString: name)
    }

    /// The program's bytes in the kernel's layout.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(instructions.count * 8)
        for instruction in instructions {
            withUnsafeBytes(of: instruction.code.littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(instruction.jumpTrue)
            bytes.append(instruction.jumpFalse)
            withUnsafeBytes(of: instruction.value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }
}

extension SyscallFilter {
    private mutating func assemble(_ table: [UInt32: Answer], reporting: Bool, _ architecture: Architecture) {
        var program = FilterAssembler(reporting: reporting)
        program.load(FilterAssembler.architectureOffset)
        program.unless(equal: architecture.rawValue, then: .kill)
        program.load(FilterAssembler.numberOffset)
        if architecture == .x86_64 {
            // The x32 calls share this architecture; -1 is what a tracer writes to skip a call.
            program.append(
                Instruction(code: FilterAssembler.jumpGreaterEqual, jumpTrue: 0, jumpFalse: 3, value: 0x4000_0000)
            )
            program.append(Instruction(code: FilterAssembler.jumpEqual, jumpTrue: 0, jumpFalse: 1, value: .max))
            program.answer(.fail(ENOSYS))
            program.answer(.kill)
        }
        program.search(Self.runs(table))
        program.placeChecks()
        instructions = program.instructions
    }

    /// Runs of numbers with the same answer, each by its first number, starting with 0.
    static func runs(_ table: [UInt32: Answer]) -> [(first: UInt32, answer: Answer)] {
        var runs: [(first: UInt32, answer: Answer)] = []
        let end = (table.keys.max() ?? 0) + 1
        for number in 0...end {
            let answer = table[number] ?? .fail(ENOSYS)
            if runs.last?.answer != answer { runs.append((number, answer)) }
        }
        return runs
    }
}
