/// Fields of an event log entry: one letter each, as both are stored with every entry.
enum EventField {
    static let event = UInt8(ascii: "e")
    static let done = UInt8(ascii: "d")
}

/// Some entries on their way to the log: what one script call appends, and one record of the spool.
struct EventChunk: Sendable {
    /// Number of the first entry, from 1.
    var first: Int
    var count = 0
    /// For each entry: its field, its length (4 bytes, little-endian), its value.
    var bytes: [UInt8] = []

    /// Large enough to make a round trip cheap, small enough not to hold Redis up for more than a few milliseconds.
    static let maxEntries = 1024
    static let maxBytes = 256 << 10
    static let headerBytes = 5

    init(first: Int) { self.first = first }

    var isFull: Bool { count >= EventChunk.maxEntries || bytes.count >= EventChunk.maxBytes }

    var last: Int { first + count - 1 }

    mutating func append(_ value: UnsafeRawBufferPointer, kind: UInt8) {
        bytes.append(kind)
        withUnsafeBytes(of: UInt32(value.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: value)
        count += 1
    }

    /// Calls `body` with each entry in order.
    func forEach(_ body: (_ kind: UInt8, _ value: UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset + EventChunk.headerBytes <= buffer.count {
                let size = buffer.loadUnaligned(fromByteOffset: offset + 1, as: UInt32.self)
                let length = Int(UInt32(littleEndian: size))
                let start = offset + EventChunk.headerBytes
                guard start + length <= buffer.count else { return }
                body(buffer[offset], UnsafeRawBufferPointer(rebasing: buffer[start..<start + length]))
                offset = start + length
            }
        }
    }
}

/// What callers of an `EventWriter` and its thread share.
struct EventWriterState {
    struct Flush {
        let target: Int
        let deadline: Deadline?
        let continuation: CheckedContinuation<Bool, Never>
    }

    var chunks: [EventChunk] = []
    var queuedBytes = 0
    /// Number of the last entry appended, and of the last one known to be in the log.
    var appended = 0
    var sent = 0
    var flushes: [Flush] = []
    /// The thread has nothing to do and must be woken.
    var senderWaits = false
    /// No more entries are taken.
    var isClosed = false
    /// The thread is to end.
    var isAbandoned = false
    var hasEnded = false

    mutating func append(_ value: UnsafeRawBufferPointer, kind: UInt8) {
        if chunks.last?.isFull ?? true { chunks.append(EventChunk(first: appended + 1)) }
        chunks[chunks.count - 1].append(value, kind: kind)
        queuedBytes += value.count + EventChunk.headerBytes
        appended += 1
    }

    mutating func takeChunk() -> EventChunk? {
        guard !chunks.isEmpty else { return nil }
        let chunk = chunks.removeFirst()
        queuedBytes -= chunk.bytes.count
        return chunk
    }

    mutating func putBack(_ chunk: EventChunk) {
        chunks.insert(chunk, at: 0)
        queuedBytes += chunk.bytes.count
    }

    /// Takes out the flushes that are complete, too late, or can't be any more; to be answered outside the lock.
    mutating func settledFlushes() -> [(flush: Flush, isComplete: Bool)] {
        var settled: [(Flush, Bool)] = []
        flushes.removeAll { flush in
            let isComplete = flush.target <= sent
            guard isComplete || hasEnded || flush.deadline?.hasPassed == true else { return false }
            settled.append((flush, isComplete))
            return true
        }
        return settled
    }
}
