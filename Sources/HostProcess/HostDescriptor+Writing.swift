import Glibc

extension HostDescriptor {
    /// Writes all of it, however often that is interrupted; blocks.
    ///
    /// - Returns: Whether all of it could be written; `errno` says why not.
    package static func writeAll(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
