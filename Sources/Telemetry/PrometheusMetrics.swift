package import Metrics
import Synchronization

/// Collects what swift-metrics records and prints it in Prometheus' text format.
///
/// The same name and labels always give the same series; labels must come from closed sets.
package final class PrometheusMetrics: MetricsFactory {
    private struct State {
        var families: [String: Family] = [:]
    }

    private let descriptors: [String: MetricDescriptor]
    private let state = Mutex(State())

    package init(_ descriptors: [MetricDescriptor] = MetricDescriptor.service) {
        self.descriptors = Dictionary(descriptors.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        for descriptor in descriptors where descriptor.isAlwaysPresent {
            _ = series(descriptor.name, [], .gauge) { GaugeSeries() }
        }
    }

    /// Content type of `text()`.
    package static let contentType = "text/plain; version=0.0.4"

    /// The exposition, families and series in the order of their names.
    ///
    /// Source: Prometheus documentation, "Exposition formats".
    package func text() -> String {
        let families = state.withLock { $0.families }
        var out = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            if let help = descriptors[name]?.help { out += "# HELP \(name) \(help)\n" }
            out += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name: name, labels: labels, to: &out)
            }
        }
        return out
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter) { CounterSeries() }
    }

    package func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions, .counter) { FloatingCounterSeries() }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge) { GaugeSeries() }
    }

    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        if !aggregate { return series(label, dimensions, .gauge) { GaugeSeries() } }
        let buckets = buckets(of: label)
        return series(label, dimensions, .histogram) { HistogramSeries(buckets: buckets) }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let buckets = buckets(of: label)
        return series(label, dimensions, .histogram) { HistogramSeries(buckets: buckets) }
    }

    // Series live as long as the process: a counter that vanished and came back would look like a reset.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private struct Family {
        let kind: Kind
        var series: [String: any Series] = [:]
    }

    private enum Kind: String { case counter, gauge, histogram }

    private func buckets(of label: String) -> [Double] {
        let own = descriptors[PrometheusMetrics.name(label)]?.buckets ?? []
        return own.isEmpty ? MetricDescriptor.usualBuckets : own
    }

    private func series<S: Series>(
        _ label: String,
        _ dimensions: [(String, String)],
        _ kind: Kind,
        _ make: () -> S
    ) -> S {
        let name = PrometheusMetrics.name(label)
        let labels = PrometheusMetrics.labels(dimensions)
        return state.withLock { state in
            if let known = state.families[name] {
                if let same = known.series[labels] as? S { return same }
                // One name, two kinds: a mistake of ours. The later one counts, and is not shown.
                guard known.kind == kind, known.series[labels] == nil else { return make() }
            }
            let made = make()
            state.families[name, default: Family(kind: kind)].series[labels] = made
            return made
        }
    }

    /// Letters, digits, `_` and `:` as they are; anything else becomes `_`.
    private static func name(_ label: String) -> String {
        let ok = label.utf8.allSatisfy { isNameByte($0) }
        return ok ? label : String(decoding: label.utf8.map { isNameByte($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    /// `name="value",…` in the order of the names.
    private static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.sorted { $0.0 < $1.0 }.map { name, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return PrometheusMetrics.name(name) + "=\"" + escaped + "\""
        }.joined(separator: ",")
    }
}
