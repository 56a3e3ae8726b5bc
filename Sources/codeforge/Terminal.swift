import Dispatch
import Domain
import Glibc
import HostProcess
import Synchronization

/// The terminal standard output is, if it is one.
enum Terminal {
    static var isInteractive: Bool { isatty(1) == 1 }

    /// Columns and rows; `nil` when output goes elsewhere, where nothing is cut.
    static var size: (width: Int, height: Int)? {
        var size = winsize()
        guard isInteractive, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Source: no-color.org.
    static var hasColor: Bool {
        let choice = getenv("NO_COLOR").map { $0[0] != 0 } ?? false
        return isInteractive && !choice
    }

    /// How a text is set off where that can be seen; the raw value selects it.
    enum Style: Int { case bold = 1, faint = 2, red = 31, green = 32, yellow = 33, cyan = 36 }

    static func styled(_ text: String, _ style: Style) -> String {
        hasColor ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// The whole line of text set off, where that can be seen.
    static func bold(_ text: String) -> String { styled(text, .bold) }

    static func show(_ lines: [String]) {
        for (index, line) in lines.enumerated() { print(index == 0 ? bold(line) : line) }
    }

    /// Takes keys as they are pressed and the whole screen, while `body` runs; gives both back also when a signal ends
    /// the process.
    static func fullScreen(_ body: () async throws -> Void) async rethrows {
        var before = termios()
        let saved = tcgetattr(0, &before) == 0 ? before : nil
        let signals = [SIGTERM, SIGHUP, SIGINT, SIGQUIT].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                // Nothing is drawn any more: nobody else gets the lock.
                screen.withLock { _ in
                    leave(saved)
                    _exit(128 + number)
                }
            }
            source.resume()
            return source
        }
        if var raw = saved {
            raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
            tcsetattr(0, TCSAFLUSH, &raw)
        }
        put("\u{1B}[?1049h\u{1B}[?25l")
        defer {
            screen.withLock { _ in leave(saved) }
            for source in signals { source.cancel() }
        }
        try await body()
    }

    private static func leave(_ saved: termios?) {
        write("\u{1B}[?25h\u{1B}[?1049l", to: 1)
        if var saved { tcsetattr(0, TCSAFLUSH, &saved) }
    }

    /// Replaces what the screen shows.
    static func draw(_ lines: [String], height: Int) {
        var text = "\u{1B}[H"
        for (index, line) in lines.prefix(max(1, height)).enumerated() {
            text += (index > 0 ? "\r\n" : "") + line + "\u{1B}[K"
        }
        put(text + "\u{1B}[J")
    }

    /// Waits for a key.
    ///
    /// - Returns: `nil` when none came in time. An end of the input counts as `q`.
    static func key(within milliseconds: Int32) -> UInt8? {
        var watched = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        guard poll(&watched, 1, milliseconds) > 0 else { return nil }
        var byte: UInt8 = 0
        return read(0, &byte, 1) == 1 ? byte : UInt8(ascii: "q")
    }

    /// Held by whoever writes to the screen.
    private static let screen = Mutex(())

    private static func put(_ text: String) { screen.withLock { _ in _ = write(text, to: 1) } }

    @discardableResult
    private static func write(_ text: String, to target: Int32) -> Bool {
        HostDescriptor.writeAll(Array(text.utf8)[...], to: target)
    }

    // MARK: What others write

    /// Copies what a foreign program writes until it ends; to a terminal as text that cannot steer it.
    ///
    /// - Parameter isRaw: Whether a terminal, too, gets every byte as it is.
    static func relay(_ source: HostDescriptor, to target: Int32, isRaw: Bool) async {
        await withoutBlocking {
            var text = !isRaw && isatty(target) == 1 ? TerminalText() : nil
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(source.raw, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                let shown = text?.fit(buffer[..<count])[...] ?? buffer[..<count]
                guard HostDescriptor.writeAll(shown, to: target) else { return }
            }
            if let rest = text?.end() { _ = HostDescriptor.writeAll(rest[...], to: target) }
        }
    }
}
