package import Domain
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// The one way out of a sandbox: an HTTP/1.1 server on the listening socket that the sandbox's network namespace holds.
///
/// What it lets through is `GatewayPolicy`; everything else is answered with a JSON body saying why, and every request
/// ends in one `GatewayDecision`. One event loop thread, no other.
package final class GatewayServer: Sendable {
    private enum State {
        case created
        case running(any EventLoopGroup, any Channel)
        case stopped
    }

    private struct Connections {
        var isOpen = true
        var tasks: [ObjectIdentifier: (client: ByteChannel, task: Task<Void, Never>)] = [:]
    }

    private let descriptor: Int32
    private let policy: GatewayPolicy
    private let transport: any HTTPTransport
    private let audit: AuditGate
    private let resolver: any NameResolver
    private let ledger: Ledger
    private let acceptRate: AcceptRate
    private let state = Mutex(State.created)
    private let connections = Mutex(Connections())

    /// - Parameters:
    ///   - descriptor: A listening TCP socket; owned by the server from here on.
    ///   - resolver: Looks up the names that tunnels lead to; the transport looks up all others.
    ///   - audit: Called once for every request, from any thread; must not block. Refusals beyond 120 a minute are only
    ///     counted, in the next decision that is reported; the last of them is, at the latest by `stop`.
    package init(
        descriptor: Int32,
        policy: GatewayPolicy,
        transport: any HTTPTransport,
        resolver: any NameResolver,
        audit: @escaping @Sendable (GatewayDecision) -> Void
    ) {
        self.descriptor = descriptor
        self.policy = policy
        self.transport = transport
        self.resolver = resolver
        self.audit = AuditGate(audit)
        ledger = Ledger(policy.limits)
        acceptRate = AcceptRate(perSecond: policy.limits.connectionsPerSecond)
    }

    /// What went through so far.
    package var usage: GatewayUsage { ledger.usage }

    deinit {
        if case .created = state.withLock({ $0 }) { Glibc.close(descriptor) }
    }

    /// Begins to accept.
    /// - Throws: `.invalidArgument` for a malformed policy; `.conflict` when it was started before; `.unavailable` when
    ///   the descriptor cannot be served.
    package func start() async throws(CodeForgeError) {
        let router = try Router(policy)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let isFirst = state.withLock { state in
            guard case .created = state else { return false }
            state = .stopped
            return true
        }
        guard isFirst else {
            try? await group.shutdownGracefully()  // Never used.
            throw CodeForgeError(.conflict, "gateway: started twice")
        }
        let bootstrap = ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16 * 1024))
            .childChannelOption(.socketOption(.so_rcvbuf), value: 128 * 1024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [weak self] channel in
                let eventLoop = channel.eventLoop
                let client = ByteChannel(channel, maximumReceived: 512 * 1024) { [weak self] client in
                    self?.accepted(client, router, eventLoop)
                }
                return channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(client) }
            }
        do {
            let channel = try await bootstrap.withBoundSocket(descriptor).get()
            state.withLock { $0 = .running(group, channel) }
        } catch {
            try? await group.shutdownGracefully()  // The first error is the one to tell.
            throw CodeForgeError(.unavailable, "gateway: cannot serve descriptor \(descriptor): \(error)")
        }
    }

    /// Ends every connection and waits until nothing of them is left.
    package func stop() async {
        let running = state.withLock { state -> (any EventLoopGroup, any Channel)? in
            defer { state = .stopped }
            if case .running(let group, let channel) = state { return (group, channel) }
            if case .created = state { Glibc.close(descriptor) }
            return nil
        }
        guard let (group, channel) = running else { return }
        try? await channel.close().get()  // Closed already: as good.
        let open = connections.withLock { connections in
            connections.isOpen = false
            return Array(connections.tasks.values)
        }
        for (client, task) in open {
            task.cancel()
            await client.close()
        }
        for (_, task) in open { await task.value }
        audit.close()
        try? await group.shutdownGracefully()  // Nobody else uses it.
    }

    /// Accepts nothing for a moment when connections come too fast.
    private func slowDown(_ eventLoop: any EventLoop) {
        guard case .pause(let time, let isNew) = acceptRate.take() else { return }
        if isNew {
            audit.report(
                GatewayDecision(
                    time: .now(), route: .none, method: "", target: "", allowed: false, reason: "connection_rate",
                    status: 0,
                    detail: "more than \(policy.limits.connectionsPerSecond) connections a second have to wait "
                        + "(gateway.connections_per_second)"))
        }
        let listener = state.withLock { state -> (any Channel)? in
            if case .running(_, let channel) = state { return channel }
            return nil
        }
        // Not there yet: it begins to accept a little before it is known here. Closed: nothing is accepted any more.
        guard let listener else { return }
        listener.setOption(.autoRead, value: false).whenSuccess {
            eventLoop.scheduleTask(in: TimeAmount(time)) { _ = listener.setOption(.autoRead, value: true) }
        }
    }

    private func accepted(_ client: ByteChannel, _ router: Router, _ eventLoop: any EventLoop) {
        slowDown(eventLoop)
        let id = ObjectIdentifier(client)
        let connection = Connection(
            client: client,
            policy: policy,
            router: router,
            ledger: ledger,
            transport: transport,
            dialer: Dialer(resolver: resolver, addresses: policy.addresses, eventLoop: eventLoop),
            audit: audit
        )
        let fits = ledger.opened()
        let task = connections.withLock { connections -> Task<Void, Never> in
            let hasRoom = connections.isOpen && fits
            // Refusals are kept too, so that they end with the server; their number is bounded by their short life.
            let task = Task { [weak self] in
                if hasRoom { await connection.run() } else { await connection.refuseAll() }
                self?.ended(id)
            }
            connections.tasks[id] = (client, task)
            return task
        }
        client.onClose { task.cancel() }
    }

    private func ended(_ id: ObjectIdentifier) {
        connections.withLock { $0.tasks[id] = nil }
        ledger.closed()
    }
}
