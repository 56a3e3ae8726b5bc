import Domain
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
            (1_709_164_800_120_000_000, "2024-02-29T00:00:00.12Z"),
            (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
        ] as [(Int64, String)])
    func writesAndReadsRFC3339(_ nanoseconds: Int64, _ text: String) {
        #expect(Timestamp(nanoseconds: nanoseconds).description == text)
        #expect(Timestamp(text)?.nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        "", "2024-02-29", "2024-02-29T00:00:00", "2024-02-29T00:00:00+01:00", "2024-13-01T00:00:00Z",
        "2024-02-29T00:00:00.Z", "2024-02-29T00:00:00.1234567890Z",
    ])
    func refusesOtherForms(_ text: String) {
        #expect(Timestamp(text) == nil)
    }
}
