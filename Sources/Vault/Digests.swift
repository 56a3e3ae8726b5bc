import COpenSSL

/// Hashes and comparisons for secrets.
package enum Digests {
    /// 32 bytes.
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let status = EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha256(), nil)
        precondition(status == 1 && count == 32, "SHA-256 failed")
        return digest
    }

    /// 32 bytes.
    package static func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let result = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &count)
        precondition(result != nil && count == 32, "HMAC-SHA256 failed")
        return digest
    }

    /// Lower-case hex.
    package static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// HMAC-SHA256 as lower-case hex.
    package static func hmacSHA256Hex(key: String, _ message: [UInt8]) -> String {
        hex(hmacSHA256(key: Array(key.utf8), message))
    }

    /// HMAC-SHA256 as base64.
    package static func hmacSHA256Base64(key: String, _ message: [UInt8]) -> String {
        Base64.encode(hmacSHA256(key: Array(key.utf8), message))
    }

    /// Compares in a time that says nothing about where the two differ. Both are hashed first, so the comparison itself
    /// is always of 32 bytes.
    package static func equal(_ a: some Sequence<UInt8>, _ b: some Sequence<UInt8>) -> Bool {
        CRYPTO_memcmp(sha256(Array(a)), sha256(Array(b)), 32) == 0
    }
}
