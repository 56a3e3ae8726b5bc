package import Domain

/// One command to run, and everything it may see.
package struct SandboxRequest: Sendable {
    /// Who owns a bound directory on disk, and so how it must be shown inside.
    package enum Ownership: Sendable, Equatable {
        /// As it is: owners outside the sandbox's uid range appear as `nobody`, so only world-readable files open.
        case asIs
        /// `WorkspaceOwner`'s ids on disk appear as uid and gid 1000.
        case workspace
        /// These ids on disk appear as uid and gid 1000: for a read-only bind of some user's private tree.
        case ids(uid: UInt32, gid: UInt32)
    }

    /// A host file or directory shown inside; sub-mounts are not followed, and device nodes and set-id bits are dead.
    package struct Bind: Sendable, Equatable {
        /// Absolute host path; its last component may not be a symbolic link.
        package var source: String
        /// Absolute path inside; created in the overlay when missing.
        package var target: String
        package var isWritable: Bool
        package var ownership: Ownership
        /// The path was looked at and allowed, and somebody else could exchange a part of it since: a link on the way is
        /// refused, and so is an owner other than that of `ownership`.
        package var isResolved: Bool

        package init(
            source: String, target: String, isWritable: Bool = false, ownership: Ownership = .asIs,
            isResolved: Bool = false
        ) {
            self.source = source
            self.target = target
            self.isWritable = isWritable
            self.ownership = ownership
            self.isResolved = isResolved
        }
    }

    /// Whether what the payload writes to workspace, home and other binds is limited in bytes and inodes.
    package enum DiskLimit: Sendable, Equatable {
        /// They lie on a `DiskVolume`.
        case volume
        /// They do not; the text says why, for people.
        case absent(String)
    }

    /// Names control groups and log lines: 1…64 of `a-z A-Z 0-9 - _`.
    package var id: String
    package var profile: SandboxProfile
    /// Host directory of the root file system; never written.
    package var image: String
    /// Host directory shown at `/workspace`, in the profile's mode; owned by `WorkspaceOwner`. `nil`: no `/workspace`.
    package var workspace: String?
    /// Host directory shown at `/home/agent`, writable; owned by `WorkspaceOwner`. `nil`: an empty tmpfs.
    package var home: String?
    package var binds: [Bind]
    package var diskLimit: DiskLimit = .absent("its directories are plain ones")
    /// The command; a name without `/` is looked up in `PATH` of `environment`.
    package var arguments: [String]
    /// The whole environment; nothing is inherited or added.
    package var environment: [String: String]
    package var workingDirectory: String
    /// Borrowed until `launch` returns; `nil`: `/dev/null`.
    package var standardInput: Int32?
    /// Port of the gateway's listener on 127.0.0.1 inside; `nil`: no listener.
    package var gatewayPort: UInt16?
    /// What the image's `/etc/hosts` calls itself.
    package var hostname: String

    /// The gateway's port unless a request says otherwise (`discard`, which nothing else serves).
    package static let defaultGatewayPort: UInt16 = 9

    package init(
        id: String,
        profile: SandboxProfile,
        image: String,
        workspace: String? = nil,
        home: String? = nil,
        binds: [Bind] = [],
        arguments: [String],
        environment: [String: String],
        workingDirectory: String = "/",
        standardInput: Int32? = nil,
        gatewayPort: UInt16? = nil,
        hostname: String = "sandbox"
    ) {
        self.id = id
        self.profile = profile
        self.image = image
        self.workspace = workspace
        self.home = home
        self.binds = binds
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.standardInput = standardInput
        self.gatewayPort = gatewayPort
        self.hostname = hostname
    }
}
