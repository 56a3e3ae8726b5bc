import Domain
import Logging

/// One log event on its way to text.
struct LogLine {
    enum Field: Equatable {
        case string(String)
        /// Already JSON: a number, a boolean or an array.
        case raw(String)
    }

    let time: Timestamp
    let level: Logger.Level
    let message: String
    let label: String
    private var fields: [(name: String, value: Field)] = []

    init(time: Timestamp, level: Logger.Level, message: String, label: String) {
        self.time = time
        self.level = level
        self.message = message
        self.label = label
    }

    /// Adds one field; dictionaries become one field for each leaf, names joined by dots.
    mutating func add(_ name: String, _ value: Logger.MetadataValue, _ redactor: Redactor) {
        if Redactor.isSecret(name: name) {
            fields.append((name, .string("***")))
            return
        }
        switch value {
        case .string(let text): fields.append((name, .string(redactor.clean(text))))
        case .stringConvertible(let number as any BinaryInteger): fields.append((name, .raw("\(number)")))
        case .stringConvertible(let number as Double) where number.isFinite: fields.append((name, .raw("\(number)")))
        case .stringConvertible(let flag as Bool): fields.append((name, .raw("\(flag)")))
        case .stringConvertible(let other): fields.append((name, .string(redactor.clean(other.description))))
        case .dictionary(let members):
            for (member, value) in members.sorted(by: { $0.key < $1.key }) { add(name + "." + member, value, redactor) }
        case .array(let elements):
            var writer = JSONWriter()
            writer.beginArray()
            for element in elements { writer.string(redactor.clean("\(element)")) }
            writer.endArray()
            fields.append((name, .raw(String(decoding: writer.bytes, as: UTF8.self))))
        }
    }

    /// One JSON object and a line break.
    func json() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("time")
        writer.string(LogLine.milliseconds(time))
        writer.name("level")
        writer.string(levelName)
        writer.name("msg")
        writer.string(message)
        if !label.isEmpty {
            writer.name("logger")
            writer.string(label)
        }
        for (name, value) in fields {
            writer.name(dynamic: LogLine.own.contains(name) ? "field." + name : name)
            switch value {
            case .string(let text): writer.string(text)
            case .raw(let json): writer.raw(json.utf8)
            }
        }
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    /// `time LEVEL message name=value …` and a line break. Controls are escaped: a hostile value can't start a line.
    func text() -> [UInt8] {
        var out = LogLine.milliseconds(time) + " " + levelName.uppercased()
        out += String(repeating: " ", count: max(0, 6 - levelName.count)) + LogLine.escaped(message)
        for (name, value) in fields {
            out += " " + LogLine.escaped(name) + "="
            switch value {
            case .string(let text):
                let plain = !text.isEmpty && !text.contains { $0 == " " || $0 == "\"" || $0 == "=" }
                out += plain ? LogLine.escaped(text) : "\"" + LogLine.escaped(text.replacing("\"", with: "\\\"")) + "\""
            case .raw(let json): out += json
            }
        }
        return Array((out + "\n").utf8)
    }

    private static let own: Set<String> = ["time", "level", "msg", "logger"]

    /// The four names of `logging.level`; finer ones of swift-log fall to their neighbour.
    private var levelName: String {
        switch level {
        case .trace, .debug: "debug"
        case .info, .notice: "info"
        case .warning: "warn"
        case .error, .critical: "error"
        }
    }

    /// RFC 3339 in UTC with exactly three fractional digits.
    static func milliseconds(_ time: Timestamp) -> String {
        let whole = Timestamp(nanoseconds: time.seconds * 1_000_000_000).description.dropLast()
        let digits = String(time.milliseconds - time.seconds * 1000)
        return whole + "." + String(repeating: "0", count: 3 - digits.count) + digits + "Z"
    }

    private static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            if isControl(scalar) {
                out += scalar == "\n" ? "\\n" : "\\x" + String(scalar.value, radix: 16)
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}
