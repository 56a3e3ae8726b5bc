package import Domain
import FoundationEssentials

/// The root file systems sandboxes start from: `<directory>/<name>/{rootfs/,image.json}`.
package struct ImageStore: Sendable {
    /// One built image.
    package struct Image: Sendable, Equatable, Codable {
        /// An agent's executable inside.
        package struct Agent: Sendable, Equatable, Codable {
            package var version: String
            /// Path inside the image.
            package var path: String
        }

        package var name: String
        package var created: Timestamp
        /// Hash of the recipe it was built from.
        package var recipe: String
        package var suite: String?
        /// By CLI name.
        package var agents: [String: Agent]
    }

    package let directory: String

    package init(directory: String) { self.directory = directory }

    /// Directory of the root file system, whether or not the image is there.
    package func root(of name: String) -> String { "\(directory)/\(name)/rootfs" }

    /// Letters, digits, `.`, `_` and `-`, not beginning with `.` or `-`, at most 64.
    package static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 64 else { return false }
        return first != UInt8(ascii: ".") && first != UInt8(ascii: "-")
            && name.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
            }
    }

    /// The image of that name; `nil` when it was not built.
    package func image(_ name: String) -> Image? {
        guard ImageStore.isName(name),
            let data = FileManager.default.contents(atPath: "\(directory)/\(name)/image.json")
        else { return nil }
        return try? JSONDecoder().decode(Image.self, from: data)  // an unreadable description is no image
    }

    /// All images by name.
    package func images() -> [Image] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []  // none built yet
        return names.sorted().compactMap(image)
    }

    /// Whether `binary`, a bare name, is an executable in the image's usual directories.
    package func has(_ binary: String, in name: String) -> Bool {
        ["usr/local/bin", "usr/bin"].contains { folder in
            FileManager.default.isExecutableFile(atPath: "\(root(of: name))/\(folder)/\(binary)")
        }
    }
}
