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

    @Test(
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
        ] as [(Int64, String)])
    func writesTheDateOfHTTP(_ seconds: Int64, _ text: String) {
        #expect(Timestamp(nanoseconds: seconds * 1_000_000_000).httpDate == text)
    }

    @Test(arguments: [
        "", "2024-02-29", "2024-02-29T00:00:00", "2024-02-29T00:00:00+01:00", "2024-13-01T00:00:00Z",
        "2024-02-29T00:00:00.Z", "2024-02-29T00:00:00.1234567890Z",
    ])
    func refusesOtherForms(_ text: String) {
        #expect(Timestamp(text) == nil)
    }
}
