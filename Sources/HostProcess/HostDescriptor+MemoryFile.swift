import CLinux
package import Domain
import Glibc

extension HostDescriptor {
    /// An open file without a name that holds `bytes`, to be read from its start; see memfd_create(2).
    ///
    /// - Parameter name: Shown in `/proc/PID/fd` only.
    /// - Throws: `.unavailable` when it can't be made or filled.
    package static func memoryFile(_ name: String, _ bytes: [UInt8]) throws(CodeForgeError) -> HostDescriptor {
        let file = HostDescriptor(clinux_memfd_create(name))
        var offset = 0
        while file.raw >= 0, offset < bytes.count {
            let written = bytes[offset...].withUnsafeBytes { pwrite(file.raw, $0.baseAddress, $0.count, off_t(offset)) }
            if written <= 0 { break }
            offset += written
        }
        guard file.raw >= 0, offset == bytes.count else {
            throw CodeForgeError(
                .unavailable, "cannot make the memory file \(name): \(String(cString: strerror(errno)))")
        }
        return file
    }
}
