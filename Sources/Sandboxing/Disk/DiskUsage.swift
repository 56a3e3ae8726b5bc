/// What a task's files take, and what they may take.
package struct DiskUsage: Sendable, Equatable {
    package var bytes: Int64
    package var byteLimit: Int64
    /// Files and directories.
    package var inodes: Int64
    package var inodeLimit: Int64

    package init(bytes: Int64, byteLimit: Int64, inodes: Int64, inodeLimit: Int64) {
        self.bytes = bytes
        self.byteLimit = byteLimit
        self.inodes = inodes
        self.inodeLimit = inodeLimit
    }
}
