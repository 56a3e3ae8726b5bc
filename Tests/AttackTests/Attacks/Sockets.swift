extension Attack {
    /// Families and protocols beyond what tools need, each a large and little-used part of the kernel.
    static let sockets: [Attack] = [
        socket("packet", "packet(7); CVE-2017-7308, CVE-2020-14386", "17, 3, 0x0300", root: true),
        socket("raw-ipv4", "raw(7); CVE-2017-17712", "2, 3, 1", root: true),
        socket("raw-ipv6", "raw(7)", "10, 3, 58", root: true),
        socket("netlink-netfilter", "netlink(7); CVE-2024-1086, CVE-2022-32250", "16, 3, 12"),
        socket("netlink-audit", "netlink(7)", "16, 3, 9", root: true),
        socket("netlink-uevent", "netlink(7)", "16, 3, 15"),
        socket("netlink-crypto", "netlink(7); CVE-2018-19854", "16, 3, 21"),
        socket("alg", "AF_ALG; CVE-2013-7421, CVE-2026-31431", "38, 5, 0"),
        socket("vsock", "vsock(7); CVE-2021-26708", "40, 1, 0"),
        socket("rxrpc", "AF_RXRPC; CVE-2026-43500", "33, 2, 2"),
        socket("key", "AF_KEY; CVE-2022-1353", "15, 3, 2", root: true),
        socket("xdp", "AF_XDP", "44, 3, 0", root: true),
        socket("can", "AF_CAN; CVE-2010-2959", "29, 3, 1"),
        socket("tipc", "AF_TIPC; CVE-2021-43267", "30, 5, 0"),
        socket("bluetooth", "AF_BLUETOOTH; CVE-2020-12351", "31, 3, 1"),
        socket("smc", "AF_SMC; CVE-2021-46925", "43, 1, 0"),
        socket("sctp", "sctp(7); CVE-2021-3772", "2, 1, 132"),
        socket("dccp", "dccp; CVE-2017-6074", "2, 6, 33"),
        Attack(
            name: "socketpair-of-tipc", category: .socket, tries: "makes a pair of a family other than unix",
            walls: [.seccomp], reference: "socketpair(2)",
            body: .probe(
                """
                pair = ctypes.create_string_buffer(8)
                if libc.socketpair(30, 1, 0, pair) < 0: raise OSError(ctypes.get_errno(), 'socketpair')
                """), refusal: ["EAFNOSUPPORT"], record: .syscall("socketpair"), control: .anyCall,
            mayBeMissing: ["EAFNOSUPPORT"]),
    ]

    private static func socket(_ name: String, _ reference: String, _ arguments: String, root: Bool = false) -> Attack {
        Attack(
            name: "socket-" + name, category: .socket, tries: "opens a socket(\(arguments))", walls: [.seccomp],
            reference: reference,
            body: .probe((root ? "become_root(NEWNET)\n" : "") + "sys_('socket', \(arguments))"),
            refusal: ["EAFNOSUPPORT"], record: .syscall("socket"), control: .anyCall,
            mayBeMissing: ["EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"])
    }
}
