import CLinux
import Domain
import Glibc
import HostProcess

/// The file of a `DiskVolume`, while nothing is mounted from it.
enum VolumeFile {
    /// Opens and locks it.
    ///
    /// - Returns: `nil` while somebody has it locked.
    /// - Throws: `.notFound`; `.conflict` when what is there cannot be ours; `.unavailable`.
    static func claim(_ path: String, create: Bool) throws(CodeForgeError) -> HostDescriptor? {
        while true {
            let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (create ? O_CREAT : 0)
            let file = HostDescriptor(open(path, flags, 0o600))
            guard file.raw >= 0 else {
                throw CodeForgeError(
                    errno == ENOENT ? .notFound : .unavailable, "cannot open \(path): \(describe(errno))")
            }
            guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
                if errno == EWOULDBLOCK { return nil }
                throw CodeForgeError(.unavailable, "cannot lock \(path): \(describe(errno))")
            }
            var status = stat()
            _ = fstat(file.raw, &status)
            if status.st_nlink == 0 { continue }  // deleted between the two
            guard isOurs(status) else {
                throw CodeForgeError(.conflict, "\(path) must be a file that only this user may read or write")
            }
            return file
        }
    }

    private static func isOurs(_ status: stat) -> Bool {
        status.st_mode & S_IFMT == S_IFREG && status.st_uid == geteuid() && status.st_mode & 0o077 == 0
    }

    // MARK: New

    /// Makes it an empty file system, by copying the few blocks of a formatted one: a tenth of a millisecond, where
    /// formatting takes twenty.
    static func fill(_ file: HostDescriptor, _ size: DiskVolume.Size, beside path: String) throws(CodeForgeError) {
        let template = try template(size, beside: path)
        guard ftruncate(file.raw, 0) == 0, ftruncate(file.raw, off_t(size.bytes)) == 0 else {
            throw CodeForgeError(.unavailable, "cannot size \(path): \(describe(errno))")
        }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var position = lseek(template.raw, 0, clinux_SEEK_DATA)
        while position >= 0 {
            let end = lseek(template.raw, position, clinux_SEEK_HOLE)
            while position < end {
                let count = pread(template.raw, &buffer, min(buffer.count, Int(end - position)), position)
                guard count > 0, pwrite(file.raw, &buffer, count, position) == count else {
                    throw CodeForgeError(.unavailable, "cannot write \(path): \(describe(errno))")
                }
                position += off_t(count)
            }
            position = lseek(template.raw, end, clinux_SEEK_DATA)
        }
    }

    /// A formatted, empty volume of that size, made when it is not there.
    private static func template(_ size: DiskVolume.Size, beside path: String) throws(CodeForgeError) -> HostDescriptor
    {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        // The number is that of the format below.
        let name = "\(folder)/.template-1-\(size.bytes)-\(size.inodes).ext4"
        for _ in 0..<2 {
            let file = HostDescriptor(open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW))
            if file.raw >= 0 {
                var status = stat()
                _ = fstat(file.raw, &status)
                guard isOurs(status), status.st_size == size.bytes else {
                    throw CodeForgeError(.conflict, "\(name) is no volume template: remove it")
                }
                return file
            }
            guard errno == ENOENT else { break }
            try format(size, name)
        }
        throw CodeForgeError(.unavailable, "cannot open \(name): \(describe(errno))")
    }

    private static func format(_ size: DiskVolume.Size, _ name: String) throws(CodeForgeError) {
        let draft = name + ".\(getpid())"
        defer { unlink(draft) }
        let file = HostDescriptor(open(draft, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600))
        guard file.raw >= 0, ftruncate(file.raw, off_t(size.bytes)) == 0 else {
            throw CodeForgeError(.unavailable, "cannot make \(draft): \(describe(errno))")
        }
        // No journal: a process that dies unmounts in order, and after a crash of the host the volume is checked. All
        // tables at the front, none written that is zero anyway: the template is some hundred kilobytes.
        let code = try run(
            "mke2fs",
            [
                "-q", "-F", "-b", "4096", "-m", "0", "-I", "256", "-N", "\(size.inodes)", "-G", "128", "-O",
                "none,ext_attr,dir_index,filetype,extent,flex_bg,sparse_super2,large_file,huge_file,dir_nlink,"
                    + "extra_isize,metadata_csum,64bit",
                "-E",
                "nodiscard,lazy_itable_init=1,assume_storage_prezeroed=1,packed_meta_blocks=1,num_backup_sb=0", draft,
            ])
        guard code == .exited(code: 0) else {
            throw CodeForgeError(
                .unavailable,
                "cannot format a volume of \(size.bytes) bytes with \(size.inodes) inodes: mke2fs ended with \(code); "
                    + "an inode takes 256 bytes of it")
        }
        guard rename(draft, name) == 0 else {
            throw CodeForgeError(.unavailable, "cannot make \(name): \(describe(errno))")
        }
    }

    // MARK: Old

    /// Checks it when the host went down since it was written to: by its own account, or by the clock, since what it
    /// says may have reached the disk before what it is about.
    static func repair(_ file: HostDescriptor, _ path: String) throws(CodeForgeError) {
        // The superblock is at 1024; its magic number and state are at 0x38. Source: kernel, ext4/super.rst.
        var fields = [UInt8](repeating: 0, count: 4)
        guard pread(file.raw, &fields, 4, 1024 + 0x38) == 4, fields[0] == 0x53, fields[1] == 0xef else {
            throw CodeForgeError(.conflict, "\(path) holds no file system: its task was interrupted while it was made")
        }
        let wasUnmounted = fields[2] == 1 && fields[3] == 0
        var status = stat()
        _ = fstat(file.raw, &status)
        if wasUnmounted, status.st_mtim.tv_sec > bootTime() { return }
        // Everything is answered with yes: nobody is here to ask, and what it holds can be cloned again.
        let exit = try run("e2fsck", ["-f", "-y", path])
        guard case .exited(let code) = exit, code <= 2 else {
            throw CodeForgeError(.unavailable, "cannot repair \(path) after a crash of the host: e2fsck: \(exit)")
        }
    }

    /// In seconds of the epoch.
    private static func bootTime() -> Int {
        var now = timespec()
        var sinceBoot = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
        return now.tv_sec - sinceBoot.tv_sec
    }

    // MARK: Programs

    static func tool(_ name: String) -> String? {
        ["/usr/sbin/", "/sbin/", "/usr/bin/"].map { $0 + name }.first { access($0, X_OK) == 0 }
    }

    private static func run(_ name: String, _ arguments: [String]) throws(CodeForgeError) -> HostProcess.Exit {
        guard let path = tool(name) else {
            throw CodeForgeError(.unavailable, "\(name) is not installed: install e2fsprogs")
        }
        // Only what is asked for here: not what this host has made the default.
        return try HostProcess.start(path, [name] + arguments, environment: ["MKE2FS_CONFIG": "/dev/null"])
            .waitBlocking()
    }
}
