import Foundation
import Glibc
import Sandboxing

extension Arena {
    /// A directory that goes with the running arena.
    static func folder(_ name: String) -> String { (current?.directory ?? NSTemporaryDirectory()) + "/" + name }
}

/// A directory with a file that only host id 1000 may read.
enum SameID {
    static func bind() -> SandboxRequest.Bind {
        let folder = Arena.folder("same-id")
        mkdir(folder, 0o755)
        _ = FileManager.default.createFile(atPath: folder + "/file", contents: Data("x".utf8))
        chmod(folder + "/file", 0o600)
        chown(folder + "/file", 1000, 1000)
        return .init(source: folder, target: "/mnt/same-id")
    }
}

/// A directory with a set-id copy of `id`.
enum SetID {
    static func bind() -> SandboxRequest.Bind {
        let folder = Arena.folder("set-id")
        mkdir(folder, 0o755)
        try? FileManager.default.copyItem(atPath: "/usr/bin/id", toPath: folder + "/id")
        chmod(folder + "/id", 0o4755)
        return .init(source: folder, target: "/mnt/set-id")
    }
}
