package import Domain
import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// Tells the `callback_url` of a task how its runs ended.
///
/// The message is on record with the end of its run, and goes with its delivery or the last attempt: a crash in between
/// at worst sends it once more, under the same id. Nothing here ever changes a task.
package final class CallbackService: Service {
    package struct Configuration: Sendable {
        /// Tries after the first, ≥ 0.
        package var retryCount: Int
        /// Before the first retry; five times as long before each further one, at most a day.
        package var retryDelay: Duration
        /// Time one attempt may take, from the name's lookup to the status line.
        package var timeout: Duration
        /// Attempts at a time, ≥ 1.
        package var concurrency: Int
        /// Longest `result` in bytes of UTF-8; 0: whole.
        package var resultBytes: Int
        /// Where callbacks may go.
        package var addresses: AddressRule

        package init(
            retryCount: Int = 3, retryDelay: Duration = .seconds(5), timeout: Duration = .seconds(10),
            concurrency: Int = 8, resultBytes: Int = 0, addresses: AddressRule = .publicOnly
        ) {
            self.retryCount = retryCount
            self.retryDelay = retryDelay
            self.timeout = timeout
            self.concurrency = concurrency
            self.resultBytes = resultBytes
            self.addresses = addresses
        }
    }

    /// The HMAC-SHA256 of a message under `webhooks.hmac_secret`, in two spellings.
    package struct Signer: Sendable {
        /// Lower-case hex.
        package var hex: @Sendable ([UInt8]) -> String
        package var base64: @Sendable ([UInt8]) -> String

        package init(hex: @escaping @Sendable ([UInt8]) -> String, base64: @escaping @Sendable ([UInt8]) -> String) {
            self.hex = hex
            self.base64 = base64
        }
    }

    private enum Outcome {
        case delivered
        /// Another attempt may help.
        case failed(String)
        /// No attempt will: 410, or an address that is refused.
        case final(String)
    }

    private let configuration: Configuration
    private let store: any CallbackStore
    private let transport: any HTTPTransport
    private let signer: Signer?
    private let clock: any WallClock
    private let busy = Mutex<Set<String>>([])
    private let waker = Waker()

    /// - Parameter signer: `nil`: callbacks go out unsigned.
    package init(
        configuration: Configuration, store: any CallbackStore, transport: any HTTPTransport, signer: Signer?,
        clock: any WallClock
    ) {
        self.configuration = configuration
        self.store = store
        self.transport = transport
        self.signer = signer
        self.clock = clock
    }

    // MARK: Making

    /// How long a callback waits for `release`, which comes after the run's `done`; only a crash lets it wait in vain.
    static let hold: Duration = .seconds(300)

    /// The message about a run's end; `nil` when nobody wants to know.
    package func callback(for task: CodeTask, run: RunID, outcome: JobOutcome, at now: Timestamp) -> Callback? {
        guard let url = task.callbackURL, !url.isEmpty else { return nil }
        var json = JSONWriter(reserving: 512 + outcome.result.utf8.count)
        json.beginObject()
        func text(_ name: StaticString, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            json.name(name)
            json.string(value)
        }
        text("task_id", task.id)
        let succeeded = outcome.failure == nil
        text("status", (succeeded ? TaskStatus.completed : .failed).rawValue)
        if succeeded {
            let limit = configuration.resultBytes
            text("result", limit > 0 ? Truncation.cut(outcome.result, utf8: limit) : outcome.result)
            if run.purpose == .task, let changes = outcome.changes {
                json.name("changes_summary")
                json.value(changes.json)
            }
            json.name("usage")
            json.value(outcome.usage.json)
        } else {
            text("error", outcome.error)
        }
        text("trace_id", task.traceID)
        text("finished_at", now.description)
        json.endObject()
        return Callback(
            id: CallbackService.makeID(), taskID: task.id, url: url,
            event: succeeded ? "task.completed" : "task.failed", traceID: task.traceID, body: json.bytes,
            dueAt: now.advanced(by: CallbackService.hold))
    }

    private static func makeID() -> String {
        let digits = String(UInt128.random(in: .min ... .max), radix: 16)
        return "msg_" + String(repeating: "0", count: 32 - digits.count) + digits
    }

    /// A run's `done` is in its log: what waits about it may go.
    package func release(task id: String) async throws(CodeForgeError) {
        try await store.release(task: id, at: clock.now())
        waker.wake()
    }

    // MARK: Sending

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    do throws(CodeForgeError) {
                        let free = self.configuration.concurrency - self.busy.withLock(\.count)
                        let busy = self.busy.withLock { $0 }
                        let due = try await self.store.due(at: self.clock.now(), limit: free, except: busy)
                        self.busy.withLock { $0.formUnion(due.map(\.id)) }
                        for callback in due { group.addTask { await self.send(callback) } }
                        // Without a free place only the end of an attempt is worth waiting for.
                        let next =
                            due.count < free
                            ? try await self.store.nextDue(except: self.busy.withLock { $0 }) : nil
                        await self.wait(until: next)
                    } catch {
                        Logger.current.warning("callbacks not read, trying again", metadata: ["error": "\(error)"])
                        await self.wait(until: self.clock.now().advanced(by: .seconds(1)))
                    }
                }
            }
        }
    }

    /// Until something was released, an attempt ended, or the time has come; half a minute at most.
    private func wait(until time: Timestamp?) async {
        let left = time.map { $0.seconds(since: clock.now()) } ?? 30
        await waker.wait(atMost: .seconds(min(max(left, 0), 30)))
    }

    /// One attempt, and what follows from it. Cancelled, it leaves everything for the next start.
    private func send(_ callback: Callback) async {
        defer {
            busy.withLock { _ = $0.remove(callback.id) }
            waker.wake()
        }
        let outcome = await attempt(callback)
        guard !Task.isCancelled else { return }
        let attempts = callback.attempts + 1
        do throws(CodeForgeError) {
            switch outcome {
            case .delivered:
                try await store.remove(callback.id)
                count("success")
                Logger.current.debug("callback delivered", metadata: metadata(callback, attempts))
            case .failed(let reason) where attempts <= configuration.retryCount:
                let delay = CallbackService.delay(configuration.retryDelay, after: attempts)
                try await store.postpone(callback.id, attempts: attempts, until: clock.now().advanced(by: delay))
                Logger.current.info(
                    "callback failed, trying again",
                    metadata: metadata(callback, attempts, ["error": "\(reason)", "retry_in": "\(delay)"]))
            case .failed(let reason), .final(let reason):
                try await store.remove(callback.id)
                count("failed")
                Logger.current.warning(
                    "callback given up", metadata: metadata(callback, attempts, ["error": "\(reason)"]))
            }
        } catch {
            // It is still due: not at once again, while the record is away.
            Logger.current.warning(
                "callback not put down, sending it again", metadata: metadata(callback, attempts, ["error": "\(error)"])
            )
            try? await Task.sleep(for: .seconds(1))  // cancelled: the service stops
        }
    }

    private func attempt(_ callback: Callback) async -> Outcome {
        let limits = TransportLimits(
            connect: configuration.timeout, idle: configuration.timeout, total: configuration.timeout)
        do throws(CodeForgeError) {
            // The answer's body is not read; letting go of it closes the connection.
            let status = try await transport.send(
                TransportRequest(
                    method: "POST", url: callback.url, headers: headers(of: callback), body: .bytes(callback.body),
                    limits: limits, addresses: configuration.addresses)
            ).status
            switch status {
            case 200..<300: return .delivered
            case 410: return .final("the receiver answered 410")
            default: return .failed("the receiver answered \(status)")
            }
        } catch {
            let isFinal = error.code == .forbidden || error.code == .invalidArgument
            return isFinal ? .final(error.message) : .failed(error.message)
        }
    }

    private func headers(of callback: Callback) -> HeaderList {
        let time = String(clock.now().seconds)
        var headers: HeaderList = [
            "Content-Type": "application/json", "User-Agent": "CodeForge", "X-CodeForge-Event": callback.event,
            "webhook-id": callback.id, "webhook-timestamp": time,
        ]
        if let id = callback.traceID { headers.append("X-Trace-ID", id) }
        if let signer {
            headers.append("X-Signature-256", "sha256=" + signer.hex(callback.body))
            let signed = Array("\(callback.id).\(time).".utf8) + callback.body
            headers.append("webhook-signature", "v1," + signer.base64(signed))
        }
        return headers
    }

    /// Before the next attempt, when `attempts` failed.
    static func delay(_ first: Duration, after attempts: Int) -> Duration {
        var delay = first
        for _ in 1..<max(attempts, 1) where delay < .seconds(86_400) { delay *= 5 }
        return min(delay, .seconds(86_400))
    }

    // MARK: Telling

    private func count(_ status: String) {
        Counter(label: "codeforge_webhook_deliveries_total", dimensions: [("status", status)]).increment()
    }

    /// Only the host: path and query may hold secrets.
    private func metadata(_ callback: Callback, _ attempts: Int, _ more: Logger.Metadata = [:]) -> Logger.Metadata {
        let host = (try? HTTPURL(callback.url))?.authority ?? "malformed"  // why is in the error
        return more.merging(["task.id": "\(callback.taskID)", "host": "\(host)", "attempts": "\(attempts)"]) { $1 }
            .tracing(callback.traceID)
    }
}
