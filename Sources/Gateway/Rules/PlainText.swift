/// What the audit may show of a text that the client chose.
enum PlainText {
    /// - Parameters:
    ///   - limit: Bytes that are kept.
    ///   - more: Bytes that stay what they are besides letters, digits and what paths are made of.
    static func start(of text: some StringProtocol, _ limit: Int, keeping more: StaticString = "") -> String {
        let more = Array("\(more)".utf8)
        return String(
            decoding: text.utf8.prefix(limit).map { byte -> UInt8 in
                switch byte {
                case _ where more.contains(byte): byte
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x25, 0x2D, 0x2E, 0x2F, 0x3A, 0x5B, 0x5D, 0x5F, 0x7E: byte
                default: UInt8(ascii: "?")
                }
            },
            as: UTF8.self
        )
    }
}
