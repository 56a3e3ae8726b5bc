/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Nanoseconds since the Unix epoch; negative before it.
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Whole seconds since the epoch, rounded towards negative infinity.
    public var seconds: Int64 { Timestamp.floorDivide(nanoseconds, 1_000_000_000) }

    /// Whole milliseconds since the epoch, rounded towards negative infinity.
    public var milliseconds: Int64 { Timestamp.floorDivide(nanoseconds, 1_000_000) }

    /// Seconds from `earlier` to this, with the fraction; negative when `earlier` is later.
    public func seconds(since earlier: Timestamp) -> Double {
        Double(nanoseconds - earlier.nanoseconds) / 1_000_000_000
    }

    /// The time that much later, or earlier; what cannot be told any more becomes the farthest time.
    public func advanced(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        let (whole, tooFar) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, tooLate) = nanoseconds.addingReportingOverflow(whole &+ attoseconds / 1_000_000_000)
        return Timestamp(nanoseconds: tooFar || tooLate ? (seconds < 0 ? .min : .max) : sum)
    }

    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }

    static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
        a >= 0 ? a / b : -((-a + b - 1) / b)
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with `Z`, 0…9 fractional digits, trailing zeros dropped.
    public var description: String {
        let days = Timestamp.floorDivide(seconds, 86_400)
        let ofDay = seconds - days * 86_400
        let (year, month, day) = Timestamp.civil(fromDays: days)
        var text = Timestamp.padded(year, 4) + "-" + Timestamp.padded(month, 2) + "-" + Timestamp.padded(day, 2)
        text += "T" + Timestamp.padded(ofDay / 3600, 2) + ":" + Timestamp.padded(ofDay / 60 % 60, 2)
        text += ":" + Timestamp.padded(ofDay % 60, 2)
        var fraction = nanoseconds - seconds * 1_000_000_000
        if fraction > 0 {
            var digits = 9
            while fraction % 10 == 0 {
                fraction /= 10
                digits -= 1
            }
            text += "." + Timestamp.padded(fraction, digits)
        }
        return text + "Z"
    }

    /// Parses what `description` writes; `nil` for anything else (an offset other than `Z` included).
    public init?(_ text: String) {
        let b = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for i in range {
                guard i < b.count, b[i] >= 48, b[i] <= 57 else { return nil }
                value = value * 10 + Int64(b[i] - 48)
            }
            return value
        }
        guard b.count >= 20, b.last == UInt8(ascii: "Z"), b[4] == 45, b[7] == 45, b[10] == 84, b[13] == 58, b[16] == 58,
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var fraction: Int64 = 0
        if b.count > 20 {
            guard b[19] == UInt8(ascii: "."), (22...30).contains(b.count), let digits = number(20..<(b.count - 1))
            else { return nil }
            fraction = digits
            for _ in (b.count - 21)..<9 { fraction *= 10 }
        }
        let days = Timestamp.days(fromCivil: year, month, day)
        self.init(
            nanoseconds: (days * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000_000 + fraction)
    }

    /// The form of HTTP's `Date` (IMF-fixdate), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// Source: RFC 9110 §5.6.7.
    public var httpDate: String {
        let days = Timestamp.floorDivide(seconds, 86_400)
        let ofDay = seconds - days * 86_400
        let (year, month, day) = Timestamp.civil(fromDays: days)
        let weekday = days + 4 - Timestamp.floorDivide(days + 4, 7) * 7  // 1970 began on a Thursday
        let date = [Timestamp.padded(day, 2), Timestamp.months[Int(month) - 1], Timestamp.padded(year, 4)]
        let time = [ofDay / 3600, ofDay / 60 % 60, ofDay % 60].map { Timestamp.padded($0, 2) }
        return Timestamp.weekdays[Int(weekday)] + ", " + date.joined(separator: " ") + " "
            + time.joined(separator: ":") + " GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Proleptic Gregorian calendar in 400-year eras that begin on 1 March.
    private static func civil(fromDays days: Int64) -> (Int64, Int64, Int64) {
        let z = days + 719_468
        let era = floorDivide(z, 146_097)
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func days(fromCivil year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = floorDivide(y, 400)
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = Timestamp(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not an RFC 3339 UTC time"))
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
