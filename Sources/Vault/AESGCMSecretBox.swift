import COpenSSL
package import Domain

/// AES-256-GCM: standard base64 of `nonce(12) ‖ ciphertext ‖ tag(16)`, no associated data; empty text ↔ empty.
///
/// Nonces are random, so one key must not seal more than 2³² texts (NIST SP 800-38D, 8.3).
package struct AESGCMSecretBox: SecretBox {
    private let key: [UInt8]
    private static let nonceBytes = 12
    private static let tagBytes = 16

    /// - Parameters:
    ///   - base64Key: Standard base64 of exactly 32 bytes.
    ///   - name: The setting it came from, for the message.
    /// - Throws: `.invalidArgument`; the message does not repeat the key.
    package init(base64Key: String, name: String = "encryption.key") throws(CodeForgeError) {
        guard let key = Base64.decode(base64Key), key.count == 32 else {
            throw CodeForgeError(
                .invalidArgument,
                "\(name) must be standard base64 of exactly 32 bytes (try: openssl rand -base64 32)"
            )
        }
        self.key = key
    }

    package func seal(_ text: String) throws(CodeForgeError) -> String {
        guard !text.isEmpty else { return "" }
        let plain = Array(text.utf8)
        let nonce = try SecureRandom.bytes(AESGCMSecretBox.nonceBytes)
        guard plain.count <= Int(Int32.max), let context = EVP_CIPHER_CTX_new() else { throw sealFailure }
        defer { EVP_CIPHER_CTX_free(context) }
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1 else { throw sealFailure }
        var cipher = [UInt8](repeating: 0, count: plain.count)
        var tag = [UInt8](repeating: 0, count: AESGCMSecretBox.tagBytes)
        var count: Int32 = 0
        var rest: Int32 = 0
        var block = [UInt8](repeating: 0, count: 16)
        guard EVP_EncryptUpdate(context, &cipher, &count, plain, Int32(plain.count)) == 1,
            EVP_EncryptFinal_ex(context, &block, &rest) == 1, Int(count) == plain.count, rest == 0,
            codeforge_gcm_get_tag(context, &tag, Int32(tag.count)) == 1
        else { throw sealFailure }
        return Base64.encode(nonce + cipher + tag)
    }

    /// - Throws: `.invalidArgument` for what this key did not seal, or what was changed since.
    package func open(_ sealed: String) throws(CodeForgeError) -> String {
        guard !sealed.isEmpty else { return "" }
        let overhead = AESGCMSecretBox.nonceBytes + AESGCMSecretBox.tagBytes
        guard let bytes = Base64.decode(sealed), bytes.count > overhead, bytes.count <= Int(Int32.max) else {
            throw openFailure
        }
        let nonce = Array(bytes.prefix(AESGCMSecretBox.nonceBytes))
        let cipher = Array(bytes.dropFirst(nonce.count).dropLast(AESGCMSecretBox.tagBytes))
        let tag = Array(bytes.suffix(AESGCMSecretBox.tagBytes))
        guard let context = EVP_CIPHER_CTX_new() else { throw openFailure }
        defer { EVP_CIPHER_CTX_free(context) }
        var plain = [UInt8](repeating: 0, count: cipher.count)
        var count: Int32 = 0
        var rest: Int32 = 0
        var block = [UInt8](repeating: 0, count: 16)
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_DecryptUpdate(context, &plain, &count, cipher, Int32(cipher.count)) == 1,
            codeforge_gcm_set_tag(context, tag, Int32(tag.count)) == 1,
            EVP_DecryptFinal_ex(context, &block, &rest) == 1, Int(count) == cipher.count, rest == 0,
            let text = String(validating: plain, as: UTF8.self)
        else { throw openFailure }
        return text
    }

    private var sealFailure: CodeForgeError { CodeForgeError(.internal, "AES-256-GCM failed to seal") }

    private var openFailure: CodeForgeError {
        CodeForgeError(.invalidArgument, "a stored secret can't be opened: other encryption key, or it was changed")
    }
}

extension AESGCMSecretBox: CustomStringConvertible, CustomReflectable {
    package var description: String { "AESGCMSecretBox(***)" }
    /// Keeps the key out of `dump`.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
