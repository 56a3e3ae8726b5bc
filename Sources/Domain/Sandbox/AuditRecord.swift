/// Something worth knowing that a sandbox did, tried or had done to it.
///
/// Holds no secret and no free text of unlimited length: whoever writes one cuts and cleans what came from inside.
///
/// | `kind` | `name` | `verdict` | members of `detail` |
/// |---|---|---|---|
/// | `sandbox` | `start` | `noted` | `profile` (its name), `phase`, `image`, `pid`, `layers`, `missing` |
/// | `sandbox` | `end` | `noted` | `exit_code`, `signal` or `killed`; `seconds`, `cpu_seconds`, `memory_peak_bytes` … |
/// | `syscall` | the call | `refused` | `errno`, `pid`, `command`, `arguments` |
/// | `gateway` | the route | `allowed`, `refused` | `method`, `target`, `reason`, `status`, bytes, tokens |
/// | `mcp` | the server, empty for all | `allowed`, `refused` | `transport`, `reason` |
/// | `limit`, `watchdog` | raw value of a `SandboxLimit` | `refused`, `noted` when it went on | `limit`, … |
/// | `operator` | `exec`, or raw value of a `SandboxAction` | `noted` | `actor`, for `exec` also its arguments |
///
/// The first record of a sandbox is its `start`; after its `end` only limits may come, which are known by then. A record
/// without a sandbox counts, in `suppressed`, records of its kind and name that were too many for the run.
public struct AuditRecord: Sendable, Codable, Hashable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// Start and end of a sandbox: profile, layers, exit.
        case sandbox
        /// A refused system call.
        case syscall
        /// A decision of the gateway.
        case gateway
        /// An MCP server of the run: whether its CLI is told of it.
        case mcp
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
