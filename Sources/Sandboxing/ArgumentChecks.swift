import Glibc

/// Calls that are allowed with some arguments only. Only register values are looked at: memory could change under us.
enum ArgumentChecks {
    static let names = ["clone", "socket", "socketpair", "ioctl", "personality", "prctl", "seccomp"]

    // linux/sched.h CLONE_NEW…, asm/ioctls.h, linux/prctl.h, linux/seccomp.h
    /// CLONE_NEW…; and CLONE_PARENT, by which a command that entered would make children of the supervisor, who does
    /// not know them and so would never reap them.
    static let refusedClone: UInt32 = 0x7e02_8000
    /// TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD.
    static let terminalTricks: [UInt32] = [0x5412, 0x541C, 0x541D, 0x5423]
    static let personalities: [UInt32] = [0, 0x0008, 0xffff_ffff]
    /// PR_SET_MM, PR_SET_PTRACER.
    static let refusedPrctl: [UInt32] = [35, 0x5961_6d61]
    static let newListener: UInt32 = 1 << 3
    static let multipathTCP: UInt32 = 262

    static func write(_ name: String, into program: inout FilterAssembler) {
        switch name {
        case "clone":
            program.load(FilterAssembler.argument(0))
            program.append(.init(code: FilterAssembler.jumpAnySet, jumpTrue: 1, jumpFalse: 0, value: refusedClone))
            program.answer(.allow)
            program.refuse(name)
        case "ioctl":
            // The kernel looks at the low half only, and so do we: high bits would hide the number.
            program.load(FilterAssembler.argument(1))
            for value in terminalTricks { program.when(equal: value, then: program.refusal(of: name)) }
            program.answer(.allow)
        case "personality":
            program.load(FilterAssembler.argument(0))
            for value in personalities { program.when(equal: value, then: .allow) }
            program.refuse(name)
        case "prctl":
            program.load(FilterAssembler.argument(0))
            for value in refusedPrctl { program.when(equal: value, then: program.refusal(of: name)) }
            program.answer(.allow)
        case "seccomp":
            program.load(FilterAssembler.argument(1))
            program.append(.init(code: FilterAssembler.jumpAnySet, jumpTrue: 1, jumpFalse: 0, value: newListener))
            program.answer(.allow)
            // Without a program it fails anyhow: so libseccomp asks what the kernel knows, in programs such as file(1).
            program.load(FilterAssembler.argument(2))
            program.append(.init(code: FilterAssembler.jumpEqual, jumpTrue: 0, jumpFalse: 3, value: 0))
            program.load(FilterAssembler.highHalf(2))
            program.append(.init(code: FilterAssembler.jumpEqual, jumpTrue: 0, jumpFalse: 1, value: 0))
            program.answer(.fail(EPERM))
            program.refuse(name)
        case "socketpair":
            program.load(FilterAssembler.argument(0))
            program.when(equal: UInt32(AF_UNIX), then: .allow)
            program.refuse(name)
        default: socket(&program)
        }
    }

    /// Unix sockets; TCP and UDP over IP; route netlink (interface lists). No raw, packet, or exotic family.
    private static func socket(_ program: inout FilterAssembler) {
        let between: UInt8 = 6  // instructions from the second family test to the internet part
        program.load(FilterAssembler.argument(0))
        program.when(equal: UInt32(AF_UNIX), then: .allow)
        program.append(
            .init(code: FilterAssembler.jumpEqual, jumpTrue: between + 1, jumpFalse: 0, value: UInt32(AF_INET))
        )
        program.append(.init(code: FilterAssembler.jumpEqual, jumpTrue: between, jumpFalse: 0, value: UInt32(AF_INET6)))
        program.unless(equal: UInt32(AF_NETLINK), then: program.refusal(of: "socket"))
        program.load(FilterAssembler.argument(2))
        program.when(equal: 0, then: .allow)
        program.refuse("socket")
        // internet
        let stream: UInt32 = 1
        let datagram: UInt32 = 2
        program.load(FilterAssembler.argument(1))
        program.mask(0xf)  // without SOCK_CLOEXEC and SOCK_NONBLOCK
        program.append(.init(code: FilterAssembler.jumpEqual, jumpTrue: 2, jumpFalse: 0, value: stream))
        program.append(.init(code: FilterAssembler.jumpEqual, jumpTrue: 1, jumpFalse: 0, value: datagram))
        program.refuse("socket")
        program.load(FilterAssembler.argument(2))
        for value in [0, UInt32(IPPROTO_TCP), UInt32(IPPROTO_UDP)] { program.when(equal: value, then: .allow) }
        // Runtimes try it first and fall back: not worth a report.
        program.when(equal: multipathTCP, then: .fail(EPROTONOSUPPORT))
        program.refuse("socket")
    }
}
