import Domain
import Testing

@Suite struct TraceContextTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let good = "00-\(trace)-b7ad6b7169203331-01"

    @Test func readsAndWritesTheHeader() throws {
        let context = try #require(TraceContext(traceparent: Self.good))
        #expect(context.traceIDText == Self.trace && context.spanIDText == "b7ad6b7169203331" && context.isSampled)
        #expect(context.traceparent == Self.good)
        let other = try #require(TraceContext(traceparent: "00-\(Self.trace)-0000000000000001-fe"))
        #expect(!other.isSampled && other.traceparent == "00-\(Self.trace)-0000000000000001-00")
        #expect(context.at(span: 16)?.traceparent == "00-\(Self.trace)-0000000000000010-01")
    }

    /// A later version is read as far as it is like version 00.
    @Test(arguments: ["cc-\(trace)-b7ad6b7169203331-01", "cc-\(trace)-b7ad6b7169203331-01-what-the-future-brings"])
    func readsLaterVersions(_ text: String) {
        #expect(TraceContext(traceparent: text)?.traceparent == Self.good)
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-b7ad6b7169203331", "00-\(trace)-b7ad6b7169203331-0", "\(good)-more", "\(good)0",
        "ff-\(trace)-b7ad6b7169203331-01", "00-\(trace.uppercased())-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-\(trace)-0000000000000000-01",
        "00_\(trace)-b7ad6b7169203331-01", "00-\(trace)-b7ad6b716920333g-01", " \(good)",
        "0x-\(trace)-b7ad6b7169203331-01",
        "cc-\(trace)-b7ad6b7169203331-01.more", "00-\(trace)-b7ad6b71692033é-01",
    ])
    func ignoresWhatIsMalformed(_ text: String) { #expect(TraceContext(traceparent: text) == nil) }
}
