import Glibc

extension UnsafeRawBufferPointer {
    /// Index of the first LF; `nil` when there is none.
    var firstNewline: Int? {
        guard let baseAddress, let found = memchr(baseAddress, 0x0A, count) else { return nil }
        return UnsafeRawPointer(found) - baseAddress
    }
}
