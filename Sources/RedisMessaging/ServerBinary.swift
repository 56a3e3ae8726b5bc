import Domain
import HostProcess

#if canImport(Glibc)
    import Glibc
#endif

/// Finding, asking and starting `redis-server`.
enum ServerBinary {
    /// Everything a private server is told besides `--dir`, which must come first: the other paths are relative to it.
    /// No file anyone could edit; Redis quotes each argument before it reads it as configuration (since 7.0).
    private static let options = [
        "--port", "0", "--unixsocket", "redis.sock", "--unixsocketperm", "700", "--appendonly", "yes",
        "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction", "--databases", "1",
        "--daemonize", "no", "--logfile", "redis.log", "--loglevel", "notice", "--always-show-logo", "no",
        "--enable-debug-command", "no", "--enable-module-command", "no",
    ]

    /// - Returns: Absolute path of an executable file.
    static func find(_ name: String) -> String? {
        if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        for folder in path.split(separator: ":") where folder.hasPrefix("/") {
            let candidate = "\(folder)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        return nil
    }

    /// Asks `redis-server --version`: `Redis server v=7.0.15 sha=… …`.
    static func version(of executable: String) throws(CodeForgeError) -> (major: Int, text: String) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw failure("pipe", errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let process: HostProcess
        do {
            defer { close(ends[1]) }
            process = try HostProcess.start(
                executable,
                [executable, "--version"],
                descriptors: [.null, .inherit(ends[1]), .null]
            )
        }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 512)
        while output.count < 4096 {
            let count = read(ends[0], &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            output += chunk.prefix(count)
        }
        _ = process.waitBlocking()
        let words = String(decoding: output, as: UTF8.self).split(separator: " ")
        guard let text = words.first(where: { $0.hasPrefix("v=") })?.dropFirst(2),
            let major = text.split(separator: ".").first.flatMap({ Int($0) })
        else { throw CodeForgeError(.unavailable, "\(executable) --version says no version") }
        return (major, String(text))
    }

    /// Starts a server in a session of its own.
    ///
    /// - Parameter lock: Descriptor with the directory's lock; the server keeps it as its descriptor 3.
    static func spawn(_ executable: String, in directory: String, lock: Int32) throws(CodeForgeError) -> Int32 {
        try HostProcess.start(
            executable,
            [executable, "--dir", directory] + options,
            environment: ["LC_ALL": "C"],
            descriptors: [.null, .null, .null, .inherit(lock)],
            newSession: true
        ).pid
    }

    /// The last line of a text file, at most 512 bytes of it.
    static func tail(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let size = lseek(file, 0, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = pread(file, &bytes, bytes.count, max(0, size - off_t(bytes.count)))
        guard count > 0 else { return nil }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).last.map(String.init)
    }

    private static func failure(_ step: String, _ number: Int32) -> CodeForgeError {
        CodeForgeError(.unavailable, "\(step): \(String(cString: strerror(number)))")
    }
}

/// Directories nobody else may look into.
enum PrivateDirectory {
    /// Makes it with mode 0700, or takes that mode from everybody else if it is there and ours.
    ///
    /// - Throws: `.unavailable` when it is a link, someone else's, or can't be made.
    static func make(_ path: String) throws(CodeForgeError) {
        if mkdir(path, 0o700) != 0 && errno != EEXIST { throw failure(path, String(cString: strerror(errno))) }
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { throw failure(path, String(cString: strerror(errno))) }
        defer { close(folder) }
        var info = stat()
        guard fstat(folder, &info) == 0, info.st_uid == geteuid() else {
            throw failure(path, "belongs to another user")
        }
        if info.st_mode & 0o077 != 0, fchmod(folder, 0o700) != 0 {
            throw failure(path, String(cString: strerror(errno)))
        }
    }

    private static func failure(_ path: String, _ reason: String) -> CodeForgeError {
        CodeForgeError(.unavailable, "directory \(path): \(reason)")
    }
}
