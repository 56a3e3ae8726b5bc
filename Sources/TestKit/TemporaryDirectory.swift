package import Domain
import Foundation

/// A directory of mode 0700 that is gone with its owner.
package final class TemporaryDirectory: Sendable {
    package let path: String

    /// Under `/tmp`, short enough for a unix socket inside.
    package init() throws(CodeForgeError) {
        let template = "/tmp/codeforge-test-" + String(UInt32.random(in: .min ... .max), radix: 36)
        path = template
        do {
            try FileManager.default.createDirectory(
                atPath: template,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw CodeForgeError(.internal, "make \(template): \(error)")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }  // what stays behind is in /tmp

    package func file(_ name: String) -> String { path + "/" + name }
}
