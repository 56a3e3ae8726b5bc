import Agents
import Domain
import HostProcess
import Sandboxing
import Synchronization

/// Turns a CLI's output into events as it comes.
final class OutputRelay: Sendable {
    private struct State: ~Copyable {
        var normalizer: any OutputNormalizer
        var splitter: LineSplitter
        var encoder: EventEncoder
    }

    private let state: Mutex<State>
    private let events: any EventSink
    private let limits: JobSpec.Limits
    private let meter: OutputMeter
    private let clock: any WallClock
    /// Told of each line; `nil` when nobody watches.
    private let watch: OutputWatch?

    init(
        normalizer: any OutputNormalizer, events: any EventSink, limits: JobSpec.Limits, meter: OutputMeter,
        clock: any WallClock, watch: OutputWatch?
    ) {
        self.watch = watch
        state = Mutex(
            State(
                normalizer: normalizer, splitter: LineSplitter(limit: limits.lineBytes),
                encoder: EventEncoder(time: clock.now())))
        self.events = events
        self.limits = limits
        self.meter = meter
        self.clock = clock
    }

    /// Relays until the pipe ends. Stops the run when the output limit is passed.
    func read(_ descriptor: HostDescriptor) async {
        await PipeReader.read(descriptor, name: "stdout") { chunk in
            self.feed(chunk)
            self.events.waitForRoom()
        }
        state.withLock { state in
            state.encoder.setTime(clock.now())
            state.splitter.finish { relay($0, &state.normalizer, state.encoder) }
        }
    }

    /// The end of the CLI: what its standard error adds, and what the whole came to.
    func finish(standardError: [UInt8]) -> AgentSummary {
        state.withLock { state in
            state.encoder.setTime(clock.now())
            if let output = state.normalizer.finish(standardError: standardError) {
                events.append(state.encoder.output(output.data))
            }
            return state.normalizer.summary
        }
    }

    private func feed(_ chunk: UnsafeRawBufferPointer) {
        guard meter.add(chunk.count) else { return }
        state.withLock { state in
            state.encoder.setTime(clock.now())
            state.splitter.feed(chunk) { relay($0, &state.normalizer, state.encoder) }
        }
    }

    private func relay(_ line: LineSplitter.Line, _ normalizer: inout any OutputNormalizer, _ encoder: EventEncoder) {
        switch line {
        case .whole(let bytes):
            if let output = normalizer.line(bytes) { events.append(encoder.output(output.data)) }
            watch?.line(sawResult: normalizer.summary.sawResult)
        case .dropped(let bytes):
            watch?.line(sawResult: false)
            let event = TaskEvent(
                .system, "line_dropped",
                data: ["bytes": .int(Int64(bytes)), "limit": .int(Int64(limits.lineBytes))], time: clock.now())
            events.append(.event(json: event.json))
        }
    }
}
