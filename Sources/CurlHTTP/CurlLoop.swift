import CCurl
import Domain
import Glibc

/// The curl thread: it alone touches curl's handles.
final class CurlLoop {
    /// Time without a transfer after which the thread ends and its connections are closed.
    private static let idleMilliseconds: Int32 = 60_000
    /// Name lookups are kept this long; what is kept was checked or is checked again by every transfer's own rule.
    private static let lookupSeconds: Int64 = 30
    private static let maximumLookups = 64

    private let mailbox: CurlDriver.Mailbox
    private var transfers: [ObjectIdentifier: EasyTransfer] = [:]
    private var waiting: [ObjectIdentifier: (transfer: Transfer, started: ContinuousClock.Instant)] = [:]
    private var lookups: [String: (addresses: [IPAddress], until: ContinuousClock.Instant)] = [:]
    private var multi: UnsafeMutableRawPointer?
    private let clock = ContinuousClock()
    private let curl = CurlLibrary.shared.functions

    init(mailbox: CurlDriver.Mailbox) { self.mailbox = mailbox }

    func run() {
        multi = CurlLibrary.shared.failure == nil ? curl.pointee.multi_init() : nil
        if let multi {
            // No multiplexing: a paused stream would hold back every other one on its connection.
            _ = ccurl_multi_set_long(curl, multi, CURLMOPT_PIPELINING, 0)
            _ = ccurl_multi_set_long(curl, multi, CURLMOPT_MAXCONNECTS, 8)
            let waker = CurlDriver.Mailbox.Waker(multi: multi)
            mailbox.state.withLock { $0.waker = waker }
        }
        while step() {}
        for easy in Array(transfers.values) { finish(easy, .failure(cancelled(easy.transfer))) }
        if let multi { _ = curl.pointee.multi_cleanup(multi) }
    }

    /// - Returns: Whether to go on.
    private func step() -> Bool {
        let (commands, isClosed) = mailbox.state.withLock { state in
            defer { state.commands = [] }
            return (state.commands, state.isClosed)
        }
        for command in commands { handle(command) }
        guard let multi else {
            failAll(Self.unusable)
            return !stop(ifClosed: false)
        }
        var running: Int32 = 0
        _ = curl.pointee.multi_perform(multi, &running)
        reap(multi)
        let now = clock.now
        let wait = enforceLimits(now)
        if transfers.isEmpty && waiting.isEmpty && isClosed { return !stop(ifClosed: true) }
        var events: Int32 = 0
        let isIdle = transfers.isEmpty && waiting.isEmpty
        _ = curl.pointee.multi_poll(multi, nil, 0, isIdle ? CurlLoop.idleMilliseconds : wait, &events)
        if isIdle && clock.now - now >= .milliseconds(CurlLoop.idleMilliseconds) { return !stop(ifClosed: false) }
        return true
    }

    /// Ends the thread unless a command came meanwhile; a later one starts another thread.
    private func stop(ifClosed: Bool) -> Bool {
        mailbox.state.withLock {
            guard $0.commands.isEmpty else { return false }
            $0.isRunning = false
            $0.waker = nil
            return true
        }
    }

    private static var unusable: CodeForgeError {
        CodeForgeError(.unavailable, "cannot load libcurl: \(CurlLibrary.shared.failure ?? "out of memory")")
    }

    private func failAll(_ error: CodeForgeError) {
        for (transfer, _) in waiting.values { transfer.finish(.failure(error)) }
        waiting = [:]
    }

    private func handle(_ command: CurlDriver.Command) {
        switch command {
        case .start(let transfer):
            waiting[ObjectIdentifier(transfer)] = (transfer, clock.now)
            switch transfer.plan.url.host {
            case .address(let address): begin(transfer, .success([address]))
            case .name(let name):
                if let known = lookups[name], known.until > clock.now {
                    begin(transfer, .success(known.addresses))
                } else {
                    Resolver.lookUp(name) { transfer.driver.post(.resolved(transfer, $0)) }
                }
            }
        case .resolved(let transfer, let result):
            if case .success(let addresses) = result, case .name(let name) = transfer.plan.url.host {
                if lookups.count >= CurlLoop.maximumLookups { lookups = [:] }
                lookups[name] = (addresses, clock.now + .seconds(CurlLoop.lookupSeconds))
            }
            begin(transfer, result)
        case .resume(let transfer): transfers[ObjectIdentifier(transfer)]?.resume()
        case .cancel(let transfer):
            if let easy = transfers[ObjectIdentifier(transfer)] {
                finish(easy, .failure(cancelled(transfer)))
            } else if waiting.removeValue(forKey: ObjectIdentifier(transfer)) != nil {
                transfer.finish(.failure(cancelled(transfer)))
            }
        }
    }

    private func cancelled(_ transfer: Transfer) -> CodeForgeError {
        CodeForgeError(.cancelled, "\(transfer.plan.label): cancelled")
    }

    /// Hands a transfer whose name is resolved to curl; one that was given up meanwhile is no longer waiting.
    private func begin(_ transfer: Transfer, _ resolved: Result<[IPAddress], CodeForgeError>) {
        guard let entry = waiting.removeValue(forKey: ObjectIdentifier(transfer)) else { return }
        do throws(CodeForgeError) {
            guard let multi else { throw Self.unusable }
            let addresses = try resolved.get()
            try transfer.plan.check(addresses)
            let easy = try EasyTransfer(
                transfer,
                addresses: addresses,
                spent: clock.now - entry.started,
                authorities: mailbox.authorities
            )
            guard curl.pointee.multi_add_handle(multi, easy.handle) == CURLM_OK else {
                throw CodeForgeError(.internal, "\(transfer.plan.label): curl refused the transfer")
            }
            transfers[ObjectIdentifier(transfer)] = easy
        } catch {
            transfer.finish(.failure(error))
        }
    }

    private func finish(_ easy: EasyTransfer, _ end: Result<Void, CodeForgeError>) {
        _ = curl.pointee.multi_remove_handle(multi, easy.handle)
        transfers[ObjectIdentifier(easy.transfer)] = nil
        easy.transfer.finish(end)
    }

    private func reap(_ multi: UnsafeMutableRawPointer) {
        var left: Int32 = 0
        while let message = curl.pointee.multi_info_read(multi, &left) {
            var code = CURLE_OK
            guard let handle = ccurl_done(message, &code), let context = ccurl_context(curl, handle) else { continue }
            let easy = Unmanaged<EasyTransfer>.fromOpaque(context).takeUnretainedValue()
            finish(easy, easy.result(of: code))
        }
    }

    /// Ends what is overdue.
    ///
    /// - Returns: Milliseconds until the next look, at most a second.
    private func enforceLimits(_ now: ContinuousClock.Instant) -> Int32 {
        var next = now + .seconds(1)
        for (transfer, started) in Array(waiting.values) {
            let due = started + transfer.plan.limits.connect
            next = min(next, due)
            guard due <= now else { continue }
            waiting[ObjectIdentifier(transfer)] = nil
            transfer.finish(.failure(CodeForgeError(.timeout, "\(transfer.plan.label): the name lookup took too long")))
        }
        for easy in Array(transfers.values) {
            let due = easy.idleDeadline(now)
            next = min(next, due)
            guard due <= now else { continue }
            let limit = easy.transfer.plan.limits.idle
            finish(
                easy,
                .failure(CodeForgeError(.timeout, "\(easy.transfer.plan.label): nothing moved for \(limit)"))
            )
        }
        let rest = (next - now).components
        return Int32(clamping: max(1, rest.seconds * 1000 + rest.attoseconds / 1_000_000_000_000_000))
    }
}
