import Domain
import Sandboxing

/// One way to break out, break down or lie: what is tried, what stops it, and what shows that it would work otherwise.
struct Attack: Sendable, CustomStringConvertible {
    enum Category: String, Sendable, CaseIterable {
        case escape = "Escapes"
        case socket = "Sockets of every family"
        case bomb = "Resource bombs"
        case survivor = "Survivors"
        case secret = "Secrets"
        case network = "Network"
        case gateway = "Gateway"
        case repository = "Hostile repositories"
        case output = "Hostile output"
    }

    /// What stands in the way, as the table names it.
    enum Wall: String, Sendable, CaseIterable {
        case seccomp
        case capabilities = "no capabilities"
        case noNewPrivileges = "no_new_privs, nosuid"
        case userNamespace = "user namespace"
        case uidRange = "uid range"
        case mounts = "own root"
        case masks = "/proc masks"
        case devices = "own /dev"
        case pidNamespace = "pid namespace"
        case initProcess = "closed pid 1"
        case ipcNamespace = "ipc namespace"
        case networkNamespace = "network namespace"
        case descriptors = "close_range"
        case session = "own session"
        case landlock
        case cgroup = "control group"
        case tmpfs = "sized tmpfs"
        case rlimits
        case disk = "disk volume"
        case gateway
        case addresses = "address rule"
        case validation = "request validation"
        case git = "git script"
        case hostGit = "host-owned git directory"
        case fsck = "git fsck"
        case relay = "output relay"
        case environment = "empty environment"
        case scrubber
    }

    /// What must be on record afterwards.
    enum Record: Sendable {
        /// The errno is all there is: such a call also fails in honest programs, so nobody writes it down.
        case errno
        /// A refused call of this name.
        case syscall(String)
        /// A refusal of the gateway whose reason has this text.
        case gateway(String)
        /// A limit that is reported with the exit.
        case limit(SandboxLimit)
        /// A task error, an event or an answer of the API; asserted by the attack itself.
        case told(String)
    }

    /// How it is shown that the attack works when its wall is gone.
    enum Control: Sendable {
        /// The same launch, with every system call let through.
        case anyCall
        /// The same launch without Landlock.
        case noLandlock
        /// The same launch without these options of the shim.
        case without(Set<String>)
        /// The same launch, changed.
        case changed(String, @Sendable (inout SandboxRequest) -> Void)
        /// The same program outside any sandbox, below these words (`unshare -m` where it would change something).
        case outside([String])
        /// As before, but it takes root to succeed there.
        case outsideAsRoot([String])
        /// The gateway replaced by a plain relay to the upstream.
        case relay
        /// Part of the attack: it is first let loose where nothing stops it.
        case within(String)
        /// The kernel under test lacks it or it would harm the host.
        case unsafe(String)
    }

    enum Body: Sendable {
        /// Python that raises when it is refused and returns when it is not.
        case probe(String)
        /// Anything else: with a server, its own expectations.
        case scene(@Sendable (Attack, Arena) async throws -> Void)
    }

    var name: String
    var category: Category
    /// What it tries, for the table.
    var tries: String
    var walls: [Wall]
    /// CVE, man page or section of a standard.
    var reference: String
    var body: Body
    /// The verdict's text has one of these; empty: any.
    var refusal: [String] = []
    var record: Record = .errno
    var control: Control
    /// Only where the launcher is root: the wall is one that only root can build.
    var rootOnly = false
    /// Limits and mounts of this attack.
    var change: (@Sendable (inout SandboxRequest) -> Void)?
    /// Also tried as a `shell` task of a real server.
    var isTask = true
    /// Families and devices this kernel may not have: then the control fails with one of these.
    var mayBeMissing: [String] = []

    var description: String { name }
}
