import Domain

#if canImport(Glibc)
    import Glibc
#endif

/// Chunks in a file, first in, first out. Belongs to the writer's thread.
struct EventSpool: Sendable {
    private let path: String
    private let descriptor: Int32
    private let limitBytes: Int
    private var readOffset = 0
    private var writeOffset = 0
    private static let headerBytes = 16

    /// - Throws: `.unavailable` when the file can't be made.
    init(path: String, limitBytes: Int) throws(CodeForgeError) {
        self.path = path
        self.limitBytes = limitBytes
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw CodeForgeError(.unavailable, "create the event spool \(path): \(String(cString: strerror(errno)))")
        }
    }

    var isEmpty: Bool { readOffset == writeOffset }

    /// - Returns: `false` when there is no room; the spool is then as before.
    mutating func append(_ chunk: EventChunk) -> Bool {
        let size = EventSpool.headerBytes + chunk.bytes.count
        guard writeOffset + size <= limitBytes else { return false }
        var record: [UInt8] = []
        record.reserveCapacity(size)
        withUnsafeBytes(of: UInt32(chunk.bytes.count).littleEndian) { record.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt32(chunk.count).littleEndian) { record.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt64(chunk.first).littleEndian) { record.append(contentsOf: $0) }
        record.append(contentsOf: chunk.bytes)
        var done = 0
        while done < record.count {
            let written = record.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                return pwrite(descriptor, rest.baseAddress, rest.count, off_t(writeOffset + done))
            }
            if written < 0 && errno == EINTR { continue }
            // A full disk: what was written of this record is overwritten by the next.
            guard written > 0 else { return false }
            done += written
        }
        writeOffset += size
        return true
    }

    /// The oldest chunk; it is then gone from the spool, and the file is emptied with the last one.
    mutating func next() -> EventChunk? {
        guard !isEmpty, let header = read(EventSpool.headerBytes, at: readOffset) else { return nil }
        let (size, count, first) = header.withUnsafeBytes { bytes in
            (
                Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))),
                Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))),
                Int(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
            )
        }
        guard let body = read(size, at: readOffset + EventSpool.headerBytes) else { return nil }
        var chunk = EventChunk(first: first)
        chunk.count = count
        chunk.bytes = body
        readOffset += EventSpool.headerBytes + size
        if isEmpty {
            readOffset = 0
            writeOffset = 0
            _ = ftruncate(descriptor, 0)
        }
        return chunk
    }

    /// Ends the use of the spool.
    func remove() {
        close(descriptor)
        unlink(path)
    }

    /// Forgets what can't be read back, so that one bad sector does not end the log.
    mutating func clear() {
        readOffset = 0
        writeOffset = 0
    }

    private func read(_ count: Int, at offset: Int) -> [UInt8]? {
        var done = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, size in
            while done < count {
                let got = pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(offset + done))
                if got < 0 && errno == EINTR { continue }
                if got <= 0 { break }
                done += got
            }
            size = done
        }
        return done == count ? bytes : nil
    }
}
