/// Cuts a byte stream into lines, with a ceiling on the length of one.
package struct LineSplitter {
    /// A line, without its end.
    package enum Line: Equatable {
        case whole([UInt8])
        /// A line longer than the ceiling was dropped; only its length is known.
        case dropped(bytes: Int)
    }

    private let limit: Int
    private var partial: [UInt8] = []
    /// Bytes of an over-long line seen so far; 0 while none is being dropped.
    private var dropping = 0

    /// - Parameter limit: Longest line in bytes, ≥ 1.
    package init(limit: Int) { self.limit = limit }

    /// Calls `body` for each line completed by `chunk`, in order. LF ends a line; a CR before it belongs to the end.
    package mutating func feed(_ chunk: UnsafeRawBufferPointer, _ body: (Line) -> Void) {
        var start = 0
        while start < chunk.count {
            let rest = UnsafeRawBufferPointer(rebasing: chunk[start...])
            guard let end = rest.firstNewline else {
                keep(rest)
                return
            }
            let piece = UnsafeRawBufferPointer(rebasing: rest[..<end])
            start += end + 1
            if dropping == 0, partial.isEmpty, piece.count <= limit {
                body(.whole(LineSplitter.trimmed(Array(piece))))
            } else {
                keep(piece)
                flush(body)
            }
        }
    }

    /// Calls `body` for a last line without an end.
    package mutating func finish(_ body: (Line) -> Void) {
        if dropping > 0 || !partial.isEmpty { flush(body) }
    }

    private mutating func keep(_ piece: UnsafeRawBufferPointer) {
        if dropping > 0 {
            dropping += piece.count
        } else if partial.count + piece.count > limit {
            dropping = partial.count + piece.count
            partial = []
        } else {
            partial.append(contentsOf: piece)
        }
    }

    private mutating func flush(_ body: (Line) -> Void) {
        if dropping > 0 {
            body(.dropped(bytes: dropping))
            dropping = 0
        } else {
            let line = partial
            partial = []
            body(.whole(LineSplitter.trimmed(line)))
        }
    }

    private static func trimmed(_ line: [UInt8]) -> [UInt8] {
        guard line.last == UInt8(ascii: "\r") else { return line }
        return line.dropLast()
    }
}
