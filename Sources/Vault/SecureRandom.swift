import COpenSSL
package import Domain

/// Random values nobody can guess.
package enum SecureRandom {
    /// - Parameter count: 0…2³¹−1.
    /// - Throws: `.internal` when the system has no randomness.
    package static func bytes(_ count: Int) throws(CodeForgeError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard count == 0 || RAND_bytes(&bytes, Int32(count)) == 1 else {
            throw CodeForgeError(.internal, "no random bytes")
        }
        return bytes
    }

    /// A random UUID (version 4, RFC 9562), lower case.
    package static func uuid() throws(CodeForgeError) -> String {
        var bytes = try bytes(16)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let hex = Array(Digests.hex(bytes))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(hex[$0]) }.joined(separator: "-")
    }
}
