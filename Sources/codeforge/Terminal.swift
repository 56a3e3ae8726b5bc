import Glibc

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

    /// The whole line of text set off, where that can be seen.
    static func bold(_ text: String) -> String { hasColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

    static func show(_ lines: [String]) {
        for (index, line) in lines.enumerated() { print(index == 0 ? bold(line) : line) }
    }

    /// Takes keys as they are pressed and the whole screen, while `body` runs.
    static func fullScreen(_ body: () async throws -> Void) async rethrows {
        var saved = termios()
        let isKeyboard = tcgetattr(0, &saved) == 0
        if isKeyboard {
            var raw = saved
            raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
            tcsetattr(0, TCSAFLUSH, &raw)
        }
        put("\u{1B}[?1049h\u{1B}[?25l")
        defer {
            put("\u{1B}[?25h\u{1B}[?1049l")
            if isKeyboard { tcsetattr(0, TCSAFLUSH, &saved) }
        }
        try await body()
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

    private static func put(_ text: String) {
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            offset += count
        }
    }
}
