import Glibc

/// Replaces secrets in a stream by asterisks, wherever a chunk happens to end.
///
/// The replacement is as long as the secret, so lengths stay true. Bytes are held back only while they could be the
/// beginning of a secret, so that an event is passed on as it comes.
struct Scrubber: Sendable {
    /// Shorter texts are no secrets, and replacing them would destroy answers.
    static let minimumSecretBytes = 8

    private let secrets: [[UInt8]]
    private var held: [UInt8] = []
    private(set) var replaced = 0

    init(_ secrets: [[UInt8]]) { self.secrets = secrets }

    /// - Returns: What may be passed on now; maybe empty.
    mutating func scrub(_ chunk: [UInt8]) -> [UInt8] {
        guard !secrets.isEmpty else { return chunk }
        var bytes = held.isEmpty ? chunk : held + chunk
        held = []
        replaced += mask(&bytes)
        let keep = secrets.map { Scrubber.overlap(bytes, $0) }.max() ?? 0
        if keep > 0 {
            held = Array(bytes.suffix(keep))
            bytes.removeLast(keep)
        }
        return bytes
    }

    /// What was held back, at the end of the stream.
    mutating func finish() -> [UInt8] {
        defer { held = [] }
        return held
    }

    func scrubbed(_ text: String) -> String {
        var bytes = Array(text.utf8)
        return mask(&bytes) == 0 ? text : String(decoding: bytes, as: UTF8.self)
    }

    func contains(in text: String) -> Bool {
        // Names are compared in lower case.
        let bytes = Array(text.lowercased().utf8)
        return secrets.contains { bytes.contains(Array(String(decoding: $0, as: UTF8.self).lowercased().utf8)) }
    }

    private func mask(_ bytes: inout [UInt8]) -> Int {
        var found: [Range<Int>] = []
        bytes.withUnsafeBytes { all in
            guard let start = all.baseAddress else { return }
            for secret in secrets {
                var from = 0
                while from + secret.count <= all.count,
                    let hit = memchr(start + from, Int32(secret[0]), all.count - secret.count + 1 - from)
                {
                    let at = start.distance(to: UnsafeRawPointer(hit))
                    if memcmp(hit, secret, secret.count) == 0 { found.append(at..<(at + secret.count)) }
                    // Occurrences may overlap.
                    from = at + 1
                }
            }
        }
        for range in found { for i in range { bytes[i] = UInt8(ascii: "*") } }
        return found.count
    }

    /// The longest end of `bytes` that is a beginning, but not the whole, of `secret`.
    private static func overlap(_ bytes: [UInt8], _ secret: [UInt8]) -> Int {
        for length in stride(from: min(secret.count - 1, bytes.count), to: 0, by: -1)
        where bytes[bytes.count - length] == secret[0] && bytes.suffix(length).elementsEqual(secret.prefix(length)) {
            return length
        }
        return 0
    }
}
