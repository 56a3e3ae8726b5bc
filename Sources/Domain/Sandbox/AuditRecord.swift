/// Something worth knowing that a sandbox did, tried or had done to it.
///
/// Holds no secret and no free text of unlimited length: whoever writes one cuts and cleans what came from inside.
///
/// | `kind` | `name` | `verdict` | members of `detail` |
/// |---|---|---|---|
/// | `sandbox` | `start` | `noted` | `profile` (its name), `phase`, `image`, `layers`, `missing` |
/// | `sandbox` | `end` | `noted` | `exit` (a phrase such as `exited with code 0`), `seconds` |
/// | `syscall` | the call | `refused` | `errno`, arguments |
/// | `gateway` | the route | `allowed`, `refused` | `method`, `target`, `reason`, `status`, bytes, tokens |
/// | `limit`, `watchdog` | raw value of a `SandboxLimit` | `noted` | `limit`, `used` |
/// | `operator` | `exec`, or raw value of a `SandboxAction` | `allowed`, `refused` | `actor`, for `exec` also `argv` |
///
/// The first record of a sandbox is its `start`, the last one its `end`.
public struct AuditRecord: Sendable, Codable, Hashable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// Start and end of a sandbox: profile, layers, exit.
        case sandbox
        /// A refused system call.
        case syscall
        /// A decision of the gateway.
        case gateway
        /// A limit that was hit.
        case limit
        /// A watchdog that fired.
        case watchdog
        /// Something an operator did: exec, kill, pause, resume.
        case operation = "operator"
    }

    public enum Verdict: String, Sendable, Codable, CaseIterable {
        case allowed, refused, noted
    }

    /// 1-based within its run, in the order of writing: with the run it names the record.
    public var number: Int
    public var time: Timestamp
    /// Id of the sandbox it is about.
    public var sandbox: String
    public var kind: Kind
    /// The system call, gateway route, limit, watchdog or operation.
    public var name: String
    public var verdict: Verdict
    /// An object; members depend on `kind`.
    public var detail: JSONValue
    /// Like records left out before this one because there were too many.
    public var suppressed: Int

    public init(
        number: Int, time: Timestamp, sandbox: String, kind: Kind, name: String, verdict: Verdict, detail: JSONValue,
        suppressed: Int = 0
    ) {
        self.number = number
        self.time = time
        self.sandbox = sandbox
        self.kind = kind
        self.name = name
        self.verdict = verdict
        self.detail = detail
        self.suppressed = suppressed
    }
}
