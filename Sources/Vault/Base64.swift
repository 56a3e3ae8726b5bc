import COpenSSL

/// Standard base64 (RFC 4648 §4), strict: with padding, without white space.
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        guard !bytes.isEmpty else { return "" }
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }

    /// `nil` for anything `encode` would not write.
    static func decode(_ text: String) -> [UInt8]? {
        let input = Array(text.utf8)
        guard !input.isEmpty, input.count % 4 == 0, input.count <= Int(Int32.max) else { return nil }
        let padding = input.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
        var bytes = [UInt8](repeating: 0, count: input.count / 4 * 3)
        let count = EVP_DecodeBlock(&bytes, input, Int32(input.count))
        guard count >= padding else { return nil }
        let decoded = Array(bytes.prefix(Int(count) - padding))
        // OpenSSL trims white space and takes stray bits; comparing is simpler than checking for each.
        return encode(decoded) == text ? decoded : nil
    }
}
