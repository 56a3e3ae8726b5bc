package import Domain
import Glibc
package import Logging

/// Writes one line for each log event, as JSON or as text, with secrets taken out.
package struct LineLogHandler: LogHandler {
    /// Form of the lines.
    package enum Format: Sendable {
        case json, text

        /// `json`; any other name is text.
        package init(named name: String) { self = name == "json" ? .json : .text }
    }

    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    /// The shared level, until a logger is given one of its own.
    package var logLevel: Logger.Level {
        get { ownLevel ?? level.current }
        set { ownLevel = newValue }
    }

    private let level: LogLevel
    private var ownLevel: Logger.Level?
    private let label: String
    private let format: Format
    private let redactor: Redactor
    private let sink: any LogSink
    private let now: @Sendable () -> Timestamp

    package init(
        label: String,
        level: LogLevel,
        format: Format,
        redactor: Redactor,
        sink: any LogSink = DescriptorSink(),
        metadataProvider: Logger.MetadataProvider? = nil,
        now: @escaping @Sendable () -> Timestamp = systemTime
    ) {
        self.label = label
        self.level = level
        self.format = format
        self.redactor = redactor
        self.sink = sink
        self.metadataProvider = metadataProvider
        self.now = now
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let own = event.metadata { fields.merge(own) { $1 } }
        if let error = event.error, fields["error"] == nil { fields["error"] = .string("\(error)") }
        var line = LogLine(
            time: now(),
            level: event.level,
            message: redactor.clean(event.message.description),
            label: label
        )
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) { line.add(name, value, redactor) }
        sink.write(format == .json ? line.json() : line.text())
    }

    /// The wall clock.
    @Sendable package static func systemTime() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

extension Logger.Level {
    /// The level of a setting: `debug`, `info`, `warn` or `error`; `nil` for anything else.
    package init?(setting name: String) {
        switch name {
        case "debug": self = .debug
        case "info": self = .info
        case "warn": self = .warning
        case "error": self = .error
        default: return nil
        }
    }
}
