import Synchronization

/// Keeps the first or the last bytes of a stream.
final class ByteKeeper: Sendable {
    private let limit: Int
    private let keepEnd: Bool
    private let kept = Mutex<[UInt8]>([])

    init(limit: Int, keepEnd: Bool) {
        self.limit = limit
        self.keepEnd = keepEnd
    }

    func add(_ chunk: UnsafeRawBufferPointer) {
        kept.withLock { kept in
            if !keepEnd {
                kept.append(contentsOf: chunk.prefix(limit - kept.count))
            } else {
                kept.append(contentsOf: chunk.suffix(limit))
                // Cut in bulk only: a byte-wise ring is not worth it for an error message.
                if kept.count > 2 * limit { kept.removeFirst(kept.count - limit) }
            }
        }
    }

    var bytes: [UInt8] { kept.withLock { keepEnd ? Array($0.suffix(limit)) : $0 } }
}
