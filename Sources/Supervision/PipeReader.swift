import Glibc
import HostProcess
import Sandboxing

/// Reads pipes on threads of their own: a pipe blocks, and the cooperative pool must not.
enum PipeReader {
    /// Calls `body` with each chunk until the pipe ends; returns then.
    ///
    /// - Parameter body: Runs on the reader's thread; may block it, which holds the writer up.
    static func read(
        _ descriptor: HostDescriptor, chunkBytes: Int = 64 * 1024, name: String,
        _ body: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) async {
        await withoutBlocking {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 16)
            defer { buffer.deallocate() }
            while true {
                let count = Glibc.read(descriptor.raw, buffer.baseAddress, buffer.count)
                if count > 0 {
                    body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                } else if count == 0 || errno != EINTR {
                    break
                }
            }
            descriptor.close()
        }
    }

    /// Reads everything and keeps the beginning or the end of it.
    ///
    /// - Parameters:
    ///   - limit: Bytes kept; what is beyond is read and thrown away, so that the writer never stalls.
    ///   - keepEnd: Keep the last bytes instead of the first.
    static func collect(_ descriptor: HostDescriptor, limit: Int, keepEnd: Bool, name: String) async -> [UInt8] {
        let kept = ByteKeeper(limit: limit, keepEnd: keepEnd)
        await read(descriptor, name: name) { kept.add($0) }
        return kept.bytes
    }
}
