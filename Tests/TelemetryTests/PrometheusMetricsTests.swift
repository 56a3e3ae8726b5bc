import Metrics
import Testing

@testable import Telemetry

@Suite struct PrometheusMetricsTests {
    @Test func gaugesOfTheServiceAreThereFromTheStart() {
        let text = PrometheusMetrics().text()
        for name in [
            "codeforge_tasks_in_progress", "codeforge_queue_depth", "codeforge_workers_active",
            "codeforge_workers_total",
        ] {
            #expect(text.contains("# TYPE \(name) gauge\n\(name) 0\n"))
        }
    }

    @Test func countersAddUpAcrossHandles() {
        let metrics = PrometheusMetrics([MetricDescriptor("x_total", "Help.")])
        Counter(label: "x_total", dimensions: [("b", "2"), ("a", "q\"\\\n")], factory: metrics).increment(by: 2)
        Counter(label: "x_total", dimensions: [("a", "q\"\\\n"), ("b", "2")], factory: metrics).increment()
        #expect(
            metrics.text() == "# HELP x_total Help.\n# TYPE x_total counter\nx_total{a=\"q\\\"\\\\\\n\",b=\"2\"} 3\n"
        )
    }

    @Test func histogramsUseTheirOwnBucketsAndAreCumulative() {
        let metrics = PrometheusMetrics([MetricDescriptor("t_seconds", "Help.", buckets: [0.1, 1])])
        let timer = Timer(label: "t_seconds", dimensions: [("method", "GET")], factory: metrics)
        timer.recordMilliseconds(50)
        timer.recordMilliseconds(100)
        timer.recordMilliseconds(500)
        timer.recordSeconds(5)
        #expect(
            metrics.text() == """
                # HELP t_seconds Help.
                # TYPE t_seconds histogram
                t_seconds_bucket{method="GET",le="0.1"} 2
                t_seconds_bucket{method="GET",le="1"} 3
                t_seconds_bucket{method="GET",le="+Inf"} 4
                t_seconds_sum{method="GET"} 5.65
                t_seconds_count{method="GET"} 4

                """
        )
    }

    @Test func meterMovesBothWays() {
        let metrics = PrometheusMetrics([])
        let meter = Meter(label: "open.streams", factory: metrics)
        meter.increment(by: 3)
        meter.decrement()
        #expect(metrics.text() == "# TYPE open_streams gauge\nopen_streams 2\n")
    }

    @Test func aNameKeepsItsFirstKind() {
        let metrics = PrometheusMetrics([])
        Counter(label: "x", factory: metrics).increment()
        Meter(label: "x", factory: metrics).set(7)
        #expect(metrics.text() == "# TYPE x counter\nx 1\n")
    }

    @Test func processFiguresArePlausible() throws {
        let text = ProcessMetrics.text()
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("process_resident_memory_bytes ") })
        let bytes = try #require(Int(line.split(separator: " ")[1]))
        #expect(bytes > 1_000_000)
        #expect(text.contains("\nprocess_open_fds "))
    }
}
