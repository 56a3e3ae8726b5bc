import Metrics
import Synchronization

/// One line, or one group of lines, of the exposition.
protocol Series: AnyObject, Sendable {
    func write(name: String, labels: String, to out: inout String)
}

private func line(_ name: String, _ labels: String, _ value: String) -> String {
    (labels.isEmpty ? name : name + "{" + labels + "}") + " " + value + "\n"
}

private func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
}

final class CounterSeries: CounterHandler, Series {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }

    func write(name: String, labels: String, to out: inout String) {
        out += line(name, labels, String(value.load(ordering: .relaxed)))
    }
}

final class FloatingCounterSeries: FloatingPointCounterHandler, Series {
    private let value = Mutex(0.0)

    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func reset() { value.withLock { $0 = 0 } }

    func write(name: String, labels: String, to out: inout String) {
        out += line(name, labels, number(value.withLock { $0 }))
    }
}

final class GaugeSeries: MeterHandler, RecorderHandler, Series {
    private let value = Mutex(0.0)

    func set(_ new: Int64) { set(Double(new)) }
    func set(_ new: Double) { value.withLock { $0 = new } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ new: Int64) { set(Double(new)) }
    func record(_ new: Double) { set(new) }

    func write(name: String, labels: String, to out: inout String) {
        out += line(name, labels, number(value.withLock { $0 }))
    }
}

final class HistogramSeries: RecorderHandler, TimerHandler, Series {
    private struct State {
        /// Per bucket, not cumulative; the last one is above all bounds.
        var counts: [UInt64]
        var sum = 0.0
    }

    private let buckets: [Double]
    private let state: Mutex<State>

    init(buckets: [Double]) {
        self.buckets = buckets
        state = Mutex(State(counts: Array(repeating: 0, count: buckets.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let index = buckets.firstIndex { value <= $0 } ?? buckets.count
        state.withLock {
            $0.counts[index] += 1
            $0.sum += value
        }
    }

    /// Timers are printed in seconds.
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }

    func write(name: String, labels: String, to out: inout String) {
        let state = state.withLock { $0 }
        var total: UInt64 = 0
        let comma = labels.isEmpty ? "" : labels + ","
        for (bound, count) in zip(buckets, state.counts) {
            total += count
            out += line(name + "_bucket", comma + "le=\"\(number(bound))\"", String(total))
        }
        total += state.counts[buckets.count]
        out += line(name + "_bucket", comma + "le=\"+Inf\"", String(total))
        out += line(name + "_sum", labels, number(state.sum))
        out += line(name + "_count", labels, String(total))
    }
}
