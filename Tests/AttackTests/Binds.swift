import Foundation
import Glibc
import Sandboxing

/// A directory with a file that only host id 1000 may read.
enum SameID {
    static func bind() -> SandboxRequest.Bind {
        let folder = "/tmp/codeforge-attack-same-id-\(getpid())"
        mkdir(folder, 0o755)
        FileManager.default.createFile(atPath: folder + "/file", contents: Data("x".utf8))
        chmod(folder + "/file", 0o600)
        chown(folder + "/file", 1000, 1000)
        return .init(source: folder, target: "/mnt/same-id")
    }
}

/// A directory with a set-id copy of `id`.
enum SetID {
    static func bind() -> SandboxRequest.Bind {
        let folder = "/tmp/codeforge-attack-set-id-\(getpid())"
        mkdir(folder, 0o755)
        try? FileManager.default.copyItem(atPath: "/usr/bin/id", toPath: folder + "/id")
        chmod(folder + "/id", 0o4755)
        return .init(source: folder, target: "/mnt/set-id")
    }
}
