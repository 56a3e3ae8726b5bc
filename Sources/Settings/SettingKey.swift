/// One key: its name, where it lands, what is allowed and what it is for. Parsing, the printed configuration and the
/// documentation all come from these.
package struct SettingKey: Sendable {
    typealias Path<Value> = any WritableKeyPath<Settings, Value> & Sendable

    /// Where a value lands, and with it what kind of value it is.
    enum Slot: Sendable {
        case text(Path<String>)
        case optionalText(Path<String?>)
        case integer(Path<Int>, ClosedRange<Int>)
        /// An integer with an optional `KiB`, `MiB` or `GiB`.
        case bytes(Path<Int>, ClosedRange<Int>)
        case number(Path<Double>, ClosedRange<Double>)
        case boolean(Path<Bool>)
        case duration(Path<Duration>)
        case list(Path<[String]>)
        case optionalList(Path<[String]?>)
        case map(Path<[String: String]>)
    }

    /// A further test of a text (or of each element of a list).
    enum Rule: Sendable {
        case any
        /// One of these words.
        case oneOf([String])
        /// `http://` or `https://` with a host.
        case httpURL
        case redisURL
        /// Standard base64 of exactly 32 bytes.
        case key256
        /// Visible text without line breaks or spaces at its ends.
        case token
        /// Not empty.
        case filled
        /// A path; made absolute against the working directory.
        case path
        /// A path only if it has a `/`.
        case program
        /// `host` or `host:port`.
        case host
        /// What a browser sends as `Origin`: scheme, host and port, lower case and without a slash at the end.
        case origin
        /// Not empty, and the name of nothing else we keep in Redis.
        case queueName
    }

    /// Lower-case path, levels joined by dots.
    package let name: String
    let slot: Slot
    let rule: Rule
    package let isSecret: Bool
    package let isRequired: Bool
    /// Name the reference implementation also knows; `name` wins when both are set.
    package let alias: String?
    /// Said instead of a default that is only known when loading.
    let derivedDefault: String?
    package let summary: String

    init(
        _ name: String,
        _ slot: Slot,
        _ summary: String,
        rule: Rule = .any,
        secret: Bool = false,
        required: Bool = false,
        alias: String? = nil,
        derivedDefault: String? = nil
    ) {
        self.name = name
        self.slot = slot
        self.rule = rule
        self.isSecret = secret
        self.isRequired = required
        self.alias = alias
        self.derivedDefault = derivedDefault
        self.summary = summary
    }

    /// The environment variable of a key: `server.auth_token` → `CODEFORGE_SERVER__AUTH_TOKEN`.
    package static func environmentName(_ name: String) -> String {
        "CODEFORGE_" + name.split(separator: ".").joined(separator: "__").uppercased()
    }

    package var environmentName: String { SettingKey.environmentName(name) }

    /// What is allowed, in words, for error lines and the documentation.
    package var allowed: String {
        switch slot {
        case .text, .optionalText: SettingText.describe(rule)
        case .integer(_, let range): "an integer" + SettingText.describe(range)
        case .bytes(_, let range):
            "a number of bytes" + SettingText.describe(range) + ", with KiB, MiB or GiB if you like"
        case .number(_, let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        case .duration: "a duration such as 500ms, 5s, 2m or 1h30m"
        case .list, .optionalList: "a list" + (rule == .any ? "" : ", each " + SettingText.describe(rule))
        case .map: "a map" + (rule == .any ? "" : ", each value " + SettingText.describe(rule))
        }
    }
}

extension SettingKey.Rule: Equatable {}
