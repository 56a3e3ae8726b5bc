import Domain
import Synchronization

/// One exchange as the caller's tasks and the curl thread share it: what has arrived, what is to go out, who waits.
///
/// Callbacks of curl never wait: a full inbound buffer pauses receiving, an empty outbound one pauses sending, and
/// whoever changes that tells the driver to go on.
final class Transfer: Sendable {
    typealias Head = (status: Int, headers: HeaderList)
    /// Inbound bytes held before receiving pauses; curl may hold one more buffer (16 KiB) itself.
    static let highWater = 64 * 1024
    /// Inbound bytes below which receiving goes on.
    static let lowWater = 16 * 1024

    /// What the read callback of curl is to do.
    enum Upload {
        case bytes(Int)
        case pause
        case end
        case abort
    }

    private struct State {
        var head: Result<Head, CodeForgeError>?
        var headWaiter: CheckedContinuation<Result<Head, CodeForgeError>, Never>?

        var chunks: [[UInt8]] = []
        var bufferedBytes = 0
        var receivePaused = false
        var bodyWaiter: CheckedContinuation<Result<[UInt8]?, CodeForgeError>, Never>?

        var outgoing: [UInt8] = []
        var sentOfOutgoing = 0
        var outgoingEnded = false
        var outgoingError: CodeForgeError?
        var sendPaused = false
        var taken: Int64 = 0
        var spaceWaiter: CheckedContinuation<Bool, Never>?
        var pump: Task<Void, Never>?

        /// Set once, when curl is done with it.
        var end: Result<Void, CodeForgeError>?
    }

    let plan: TransferPlan
    let driver: CurlDriver
    private let state = Mutex(State())

    init(plan: TransferPlan, driver: CurlDriver) {
        self.plan = plan
        self.driver = driver
        if case .bytes(let bytes) = plan.body {
            state.withLock {
                $0.outgoing = bytes
                $0.outgoingEnded = true
            }
        }
    }

    // MARK: - The caller's side

    func cancel() {
        guard state.withLock({ $0.end == nil }) else { return }
        driver.post(.cancel(self))
    }

    func head() async -> Result<Head, CodeForgeError> {
        await withCheckedContinuation { waiter in
            let known: Result<Head, CodeForgeError>? = state.withLock {
                if $0.head == nil { $0.headWaiter = waiter }
                return $0.head
            }
            if let known { waiter.resume(returning: known) }
        }
    }

    func nextChunk() async -> Result<[UInt8]?, CodeForgeError> {
        await withCheckedContinuation { waiter in
            var resume = false
            let ready: Result<[UInt8]?, CodeForgeError>? = state.withLock { state in
                if !state.chunks.isEmpty {
                    var chunk = state.chunks[0]
                    chunk.reserveCapacity(state.bufferedBytes)
                    for more in state.chunks.dropFirst() { chunk += more }
                    state.chunks = []
                    state.bufferedBytes = 0
                    resume = state.receivePaused
                    return .success(chunk)
                }
                switch state.end {
                case .success: return .success(nil)
                case .failure(let error): return .failure(error)
                case nil: break
                }
                guard state.bodyWaiter == nil else {
                    return .failure(CodeForgeError(.internal, "two readers of one HTTP body"))
                }
                state.bodyWaiter = waiter
                return nil
            }
            if resume { driver.post(.resume(self)) }
            if let ready { waiter.resume(returning: ready) }
        }
    }

    // MARK: - The curl thread's side

    func receivedHead(_ head: Head) {
        let waiter = state.withLock { state in
            state.head = .success(head)
            defer { state.headWaiter = nil }
            return state.headWaiter
        }
        waiter?.resume(returning: .success(head))
    }

    /// - Returns: Whether the bytes were taken; if not, receiving is to pause.
    func received(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var waiter: CheckedContinuation<Result<[UInt8]?, CodeForgeError>, Never>?
        let chunk: [UInt8]? = state.withLock { state in
            guard state.bufferedBytes < Transfer.highWater else {
                state.receivePaused = true
                return nil
            }
            let chunk = Array(bytes)
            if let reader = state.bodyWaiter {
                waiter = reader
                state.bodyWaiter = nil
            } else {
                state.chunks.append(chunk)
                state.bufferedBytes += chunk.count
            }
            return chunk
        }
        if let waiter, let chunk { waiter.resume(returning: .success(chunk)) }
        return chunk != nil
    }

    /// Fills `buffer` with what is to go out.
    func send(into buffer: UnsafeMutableRawBufferPointer) -> Upload {
        var waiter: CheckedContinuation<Bool, Never>?
        let next: Upload = state.withLock { state in
            if state.outgoingError != nil { return .abort }
            let rest = state.outgoing.count - state.sentOfOutgoing
            guard rest > 0 else {
                if state.outgoingEnded { return ended(&state) }
                state.sendPaused = true
                if state.pump == nil { state.pump = startPump() }
                return .pause
            }
            let count = min(rest, buffer.count)
            guard take(Int64(count), &state) else { return .abort }
            state.outgoing.withUnsafeBytes { source in
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[state.sentOfOutgoing...].prefix(count)))
            }
            state.sentOfOutgoing += count
            if state.sentOfOutgoing == state.outgoing.count, !state.outgoingEnded {
                state.outgoing = []
                state.sentOfOutgoing = 0
                waiter = state.spaceWaiter
                state.spaceWaiter = nil
            }
            return .bytes(count)
        }
        waiter?.resume(returning: true)
        return next
    }

    /// A body may never be longer or shorter than announced: the rest would be read as another request.
    private func take(_ count: Int64, _ state: inout State) -> Bool {
        state.taken += count
        if case .stream(_, let length?) = plan.body, state.taken > length {
            state.outgoingError = CodeForgeError(.invalidArgument, "\(plan.label): the body is longer than announced")
            return false
        }
        return true
    }

    private func ended(_ state: inout State) -> Upload {
        if case .stream(_, let length?) = plan.body, state.taken < length {
            state.outgoingError = CodeForgeError(.invalidArgument, "\(plan.label): the body is shorter than announced")
            return .abort
        }
        return .end
    }

    /// Starts the body again, for a request that met a connection the peer had just closed.
    func rewind() -> Bool {
        state.withLock {
            guard case .bytes = plan.body else { return $0.taken == 0 }
            $0.sentOfOutgoing = 0
            $0.taken = 0
            return true
        }
    }

    /// Whether curl waits for our own side: then the network is not idle.
    var isHeldBack: Bool { state.withLock { $0.receivePaused || $0.sendPaused } }

    /// What curl is to pause after the driver was asked to go on.
    func pausesToKeep() -> (receive: Bool, send: Bool) {
        state.withLock {
            if $0.bufferedBytes < Transfer.lowWater { $0.receivePaused = false }
            if $0.sentOfOutgoing < $0.outgoing.count || $0.outgoingEnded || $0.outgoingError != nil {
                $0.sendPaused = false
            }
            return ($0.receivePaused, $0.sendPaused)
        }
    }

    /// The reason the body could not be sent, which explains curl's abort.
    var uploadError: CodeForgeError? { state.withLock { $0.outgoingError } }

    func finish(_ end: Result<Void, CodeForgeError>) {
        let (head, body, space, pump) = state.withLock { state in
            let early = CodeForgeError(.unavailable, "\(plan.label): the answer ended before its head")
            if state.end == nil { state.end = end }
            if state.head == nil {
                if case .failure(let error) = end { state.head = .failure(error) } else { state.head = .failure(early) }
            }
            defer {
                state.headWaiter = nil
                state.bodyWaiter = nil
                state.spaceWaiter = nil
                state.pump = nil
                state.outgoing = []
                state.sentOfOutgoing = 0
            }
            return (state.headWaiter, state.bodyWaiter, state.spaceWaiter, state.pump)
        }
        pump?.cancel()
        space?.resume(returning: false)
        if let head { head.resume(returning: state.withLock { $0.head ?? .failure(CodeForgeError(.internal, "")) }) }
        body?.resume(returning: end.map { nil })
    }

    // MARK: - The upload

    /// Runs until the body ends or the transfer does; owned by the transfer, which cancels it.
    private func startPump() -> Task<Void, Never>? {
        guard case .stream(let body, _) = plan.body else { return nil }
        return Task { [self] in
            do throws(CodeForgeError) {
                for try await chunk in body where !chunk.isEmpty {
                    guard await offer(chunk) else { return }
                }
                endUpload(nil)
            } catch {
                endUpload(error)
            }
        }
    }

    /// Hands over a chunk and waits until curl took it all.
    private func offer(_ chunk: [UInt8]) async -> Bool {
        await withCheckedContinuation { waiter in
            let (isOver, resume) = state.withLock { state in
                guard state.end == nil else { return (true, false) }
                state.outgoing = chunk
                state.sentOfOutgoing = 0
                state.spaceWaiter = waiter
                return (false, state.sendPaused)
            }
            if isOver { waiter.resume(returning: false) }
            if resume { driver.post(.resume(self)) }
        }
    }

    private func endUpload(_ error: CodeForgeError?) {
        state.withLock {
            $0.outgoingEnded = true
            $0.outgoingError = error
        }
        driver.post(.resume(self))
    }
}
