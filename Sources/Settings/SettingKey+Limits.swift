extension SettingKey {
    /// One for each limit of a profile, by the same name: `sandbox.pids` for `limits.pids`.
    static let limits: [SettingKey] = [
        SettingKey(
            "sandbox.memory_bytes",
            .bytes(\.sandbox.memoryBytes, 0...1_099_511_627_776),
            "Memory of a sandbox, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.pids",
            .integer(\.sandbox.pids, 0...4_194_304),
            "Processes and threads of a sandbox, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.cpus",
            .number(\.sandbox.cpus, 0...1024),
            "Processors' worth of time of a sandbox, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.cpu_weight",
            .integer(\.sandbox.cpuWeight, 0...10_000),
            "Share of a sandbox when processors are short; 100 is usual, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.disk_bytes",
            .bytes(\.sandbox.diskBytes, 0...70_368_744_177_664),
            "Workspace, home and clone of a task together, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.disk_inodes",
            .integer(\.sandbox.diskInodes, 0...4_000_000_000),
            "Files and directories of these, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.overlay_bytes",
            .bytes(\.sandbox.overlayBytes, 0...1_099_511_627_776),
            "What a sandbox may write over its image, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.tmp_bytes",
            .bytes(\.sandbox.temporaryBytes, 0...1_099_511_627_776),
            "`/tmp` of a sandbox, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.shm_bytes",
            .bytes(\.sandbox.sharedMemoryBytes, 0...1_099_511_627_776),
            "`/dev/shm` of a sandbox, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.home_bytes",
            .bytes(\.sandbox.homeBytes, 0...1_099_511_627_776),
            "`/home/agent` where it is not kept, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.tmpfs_inodes",
            .integer(\.sandbox.temporaryInodes, 0...1_000_000_000),
            "Files and directories in each tmpfs, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.open_files",
            .integer(\.sandbox.openFiles, 0...1_048_576),
            "Open files of one process, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.file_bytes",
            .bytes(\.sandbox.fileBytes, 0...70_368_744_177_664),
            "The largest single file, in place of what every profile says; 0: the profile's."
        ),
        SettingKey(
            "sandbox.locked_memory_bytes",
            .bytes(\.sandbox.lockedMemoryBytes, 0...1_099_511_627_776),
            "Memory one process may lock, in place of what every profile says; 0: the profile's."
        ),
    ]
}
