import CLinux
package import Domain
import Glibc
import HostProcess

/// The disk of one task: an ext4 file system of fixed size and inode count in one file, mounted for this process alone.
///
/// The file is the hard limit, whatever the kernel knows of quotas. Its lock goes with the loop device that reads it: it
/// lasts exactly as long as the file system is mounted anywhere.
package final class DiskVolume: Sendable {
    /// Of a new volume. The file system's own tables are part of it: 256 bytes for each inode, and little else.
    package struct Size: Sendable, Hashable {
        package let bytes: Int64
        package let inodes: Int64

        /// - Parameter mostInodes: More than one for each block of 4 KiB are of no use, and not made.
        package init(bytes: Int64, mostInodes: Int64) {
            self.bytes = bytes
            inodes = min(mostInodes, bytes / 4096)
        }
    }

    /// Where it is mounted.
    package let directory: String
    /// Size of the file.
    package let bytes: Int64
    private let file: HostDescriptor

    private init(directory: String, bytes: Int64, file: HostDescriptor) {
        self.directory = directory
        self.bytes = bytes
        self.file = file
    }

    /// Why this process can mount no volumes, in words for the operator; `nil` when it can, as far as can be seen.
    package static func obstacle() -> String? {
        guard geteuid() == 0 else { return "not root: no file system can be mounted" }
        for tool in ["mke2fs", "e2fsck"] where VolumeFile.tool(tool) == nil {
            return "\(tool) is not installed (package e2fsprogs)"
        }
        let control = HostDescriptor(open("/dev/loop-control", O_RDWR | O_CLOEXEC))
        guard control.raw >= 0 else { return "no loop devices: cannot open /dev/loop-control: \(describe(errno))" }
        let number = clinux_loop_free(control.raw)
        guard number >= 0 else { return "no loop device is free: \(describe(errno))" }
        return access("/dev/loop\(number)", F_OK) == 0 ? nil : "/dev/loop\(number) is missing"
    }

    /// Mounts the volume at `path`; blocks.
    ///
    /// - Parameters:
    ///   - size: Makes it anew, empty, whatever was there; `nil`: it must be there.
    ///   - directory: An empty directory of ours.
    /// - Returns: `nil` while it is mounted elsewhere.
    /// - Throws: `.notFound` when it is not there; `.unavailable` when a step failed, which the message names.
    package static func mount(
        _ path: String, fresh size: Size?, at directory: String, in namespace: MountNamespace
    ) throws(CodeForgeError) -> DiskVolume? {
        guard let file = try VolumeFile.claim(path, create: size != nil) else { return nil }
        if let size {
            try VolumeFile.fill(file, size, beside: path)
        } else {
            try VolumeFile.repair(file, path)
        }
        let device = try attach(file, path)
        // Neither flushes of the device nor its tables' first zeroing: the file is sparse, and a sandbox's fsync is no
        // order to the host's disk. After a crash of the host `VolumeFile.repair` sees to it.
        let flags = clinux_MS_NOSUID | clinux_MS_NODEV | clinux_MS_NOATIME
        guard
            clinux_mount(device.path, directory, "ext4", flags, "errors=remount-ro,barrier=0,noinit_itable") == 0
        else { throw failure("mount \(device.path) (\(path)) on \(directory)") }
        var status = stat()
        _ = fstat(file.raw, &status)
        return DiskVolume(directory: directory, bytes: Int64(status.st_size), file: file)
    }

    /// A loop device that reads `file`, to be held open until it is mounted: it is free again with its last user.
    private static func attach(
        _ file: HostDescriptor, _ path: String
    ) throws(CodeForgeError) -> (path: String, descriptor: HostDescriptor) {
        let control = HostDescriptor(open("/dev/loop-control", O_RDWR | O_CLOEXEC))
        guard control.raw >= 0 else { throw failure("open /dev/loop-control") }
        // Somebody else may take the device between the two calls.
        for _ in 0..<64 {
            let number = clinux_loop_free(control.raw)
            guard number >= 0 else { throw failure("find a free loop device") }
            let device = HostDescriptor(open("/dev/loop\(number)", O_RDWR | O_CLOEXEC))
            guard device.raw >= 0 else { throw failure("open /dev/loop\(number)") }
            if clinux_loop_attach(device.raw, file.raw) == 0 { return ("/dev/loop\(number)", device) }
            guard errno == EBUSY else { throw failure("attach \(path) to /dev/loop\(number)") }
        }
        throw CodeForgeError(.unavailable, "cannot attach \(path): every loop device was taken by somebody else")
    }

    /// What is used, and what there is to use, without the file system's own tables.
    package func usage() -> DiskUsage? {
        guard let status = statistics() else { return nil }
        return DiskUsage(
            bytes: Int64(status.f_blocks - status.f_bfree) * Int64(status.f_frsize),
            byteLimit: Int64(status.f_blocks) * Int64(status.f_frsize),
            inodes: Int64(status.f_files - status.f_ffree), inodeLimit: Int64(status.f_files))
    }

    /// Whether something cannot be written any more.
    package enum Fault: Sendable, Equatable {
        case noSpace, noInodes
        /// The kernel gave it up: the host's disk is full or failing.
        case readOnly
    }

    package func fault() -> Fault? {
        guard let status = statistics() else { return nil }
        if status.f_flag & UInt(ST_RDONLY) != 0 { return .readOnly }
        if status.f_favail == 0 { return .noInodes }
        // A large write is refused as a whole: up to what one takes may be left.
        return status.f_bavail < min((4 << 20) / status.f_frsize, status.f_blocks / 100) ? .noSpace : nil
    }

    private func statistics() -> statvfs? {
        var status = statvfs()
        return statvfs(directory, &status) == 0 ? status : nil
    }

    /// Gives the host back what was deleted inside, when it is worth it; blocks.
    package func trim() {
        var status = stat()
        guard let used = usage()?.bytes, fstat(file.raw, &status) == 0,
            Int64(status.st_blocks) * 512 > used + (64 << 20)
        else { return }
        let directory = HostDescriptor(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        // A host file system without holes keeps the space: no harm.
        _ = clinux_trim(directory.raw, 1 << 20)
    }

    private static func failure(_ action: String) -> CodeForgeError {
        CodeForgeError(.unavailable, "cannot \(action): \(describe(errno))")
    }
}
