import Glibc

/// Directories of the host.
package enum HostDirectory {
    /// What is in it, without `.` and `..`, in no order; `nil` with `errno` when it cannot be read. Blocks as long as its
    /// file system does.
    package static func names(_ path: String) -> [String]? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
