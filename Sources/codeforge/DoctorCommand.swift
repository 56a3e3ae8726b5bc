import ArgumentParser
import Client
import Domain
import Glibc
import HostProcess
import Sandboxing
import Settings

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show each isolation layer, whether this host has it, and what to do if not.",
        discussion: """
            Then starts a sandbox under each profile, with the image's /bin/true. Exits 1 when a layer is missing that is \
            required, a part of the installation or the image is not there, or a sandbox does not start.

            Examples:
              codeforge doctor
              codeforge doctor --json | jq '.layers[] | select(.state != "ok")'
            """)

    @Flag(help: "Print JSON.")
    var json = false
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let loaded = try options.loadAllForTools()
        let layers = await HostLayers.probe()
        let report = HostReport(loaded, layers: layers, launches: try await launches(loaded))
        if json { printJSON(report.json) } else { for line in report.lines { print(line) } }
        if !report.isHealthy { throw ExitCode(1) }
    }

    /// What became of a sandbox under each profile; empty without an image or the shim, which are missing parts then.
    private func launches(_ loaded: LoadedSettings) async throws -> [(profile: String, problem: String?)] {
        let settings = loaded.settings
        let images = ImageStore(directory: settings.sandbox.imageDirectory)
        guard images.image(settings.sandbox.image) != nil, access(Installation.shim, X_OK) == 0 else { return [] }
        var launches: [(profile: String, problem: String?)] = []
        for (name, profile) in loaded.profiles.profiles.sorted(by: { $0.key < $1.key }) {
            let problem = await SandboxTrial.problem(
                profile, image: images.root(of: settings.sandbox.image), directory: settings.tasks.workspaceBase,
                .init(
                    shim: Installation.shim, require: try SandboxLayer.named(settings.sandbox.require),
                    allowMissing: try SandboxLayer.named(settings.sandbox.allowMissing)))
            launches.append((name, problem))
        }
        return launches
    }
}

/// What `doctor` found.
struct HostReport {
    enum State: String {
        case ok
        /// Not there, and nothing needs it.
        case absent
        /// Not there, and needed.
        case missing
    }

    struct Finding {
        var name: String
        var state: State
        /// What stands behind it: a kernel feature, a file.
        var behind: String
        var detail: String
        var remedy = ""
    }

    private let settings: Settings
    private let statuses: [LayerStatus]
    private let required: Set<SandboxLayer>
    private let launches: [(profile: String, problem: String?)]

    /// - Parameter launches: What kept a sandbox of each profile from running; `nil`: nothing did.
    init(_ loaded: LoadedSettings, layers: [LayerStatus], launches: [(profile: String, problem: String?)]) {
        settings = loaded.settings
        statuses = layers
        required = Installation.requiredLayers(of: loaded.settings, loaded.profiles)
        self.launches = launches
    }

    var isHealthy: Bool { (layers + parts + sandboxes).allSatisfy { $0.state != .missing } }

    /// A sandbox under each profile.
    private var sandboxes: [Finding] {
        launches.map { launch in
            // What to do follows the first semicolon.
            let parts = (launch.problem ?? "starts and ends").split(separator: "; ", maxSplits: 1).map(String.init)
            return Finding(
                name: launch.profile, state: launch.problem == nil ? .ok : .missing,
                behind: "a sandbox under profile \(launch.profile)", detail: parts.first ?? "",
                remedy: parts.count > 1 ? parts[1] : "")
        }
    }

    private var layers: [Finding] {
        statuses.map { status in
            let state: State = status.isPresent ? .ok : required.contains(status.layer) ? .missing : .absent
            return Finding(
                name: status.layer.rawValue, state: state, behind: status.layer.feature, detail: status.detail,
                remedy: status.isPresent ? "" : status.remedy)
        }
    }

    /// Image, CLIs, and the programs beside this one.
    private var parts: [Finding] {
        let images = ImageStore(directory: settings.sandbox.imageDirectory)
        let image = settings.sandbox.image
        let found = images.image(image)
        let agents = (found?.agents ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.version)" }
        var parts = [
            Finding(
                name: "image", state: found == nil ? .missing : .ok, behind: images.directory + "/" + image,
                detail: found == nil ? "not found" : agents.joined(separator: ", "),
                remedy: found == nil ? "run `codeforge image build \(image)`" : "")
        ]
        for cli in CLICatalogue.entries(settings) {
            // Only the default one has to be there: a task may name another.
            let state: State = cli.isAvailable ? .ok : cli.isDefault ? .missing : .absent
            parts.append(
                Finding(
                    name: "cli " + cli.name, state: state, behind: cli.binaryPath,
                    detail: cli.isAvailable ? (cli.isDefault ? "the default" : "available") : "not found",
                    remedy: cli.isAvailable ? "" : "put it into the image, or set cli.\(settingName(cli.name)).path"))
        }
        for (name, path) in [("supervisor", Installation.supervisor), ("sandbox shim", Installation.shim)] {
            let isPresent = access(path, X_OK) == 0
            parts.append(
                Finding(
                    name: name, state: isPresent ? .ok : .missing, behind: path, detail: isPresent ? "" : "not found",
                    remedy: isPresent ? "" : "install it beside `codeforge`"))
        }
        return parts
    }

    private func settingName(_ cli: String) -> String { cli.replacing("-", with: "_") }

    /// Which version of control groups each purpose has, such as `memory: v1`.
    private var controlGroups: [(name: String, version: String)] {
        [("memory", .memoryLimit), ("pids", .processLimit), ("cpu", .cpuLimit), ("kill and pause", .cgroupKill)].map {
            (name: String, layer: SandboxLayer) in
            let status = statuses.first { $0.layer == layer }
            guard let status, status.isPresent else { return (name, "none") }
            return (name, ["v1", "v2"].first { status.detail.hasPrefix("cgroup \($0)") } ?? "none")
        }
    }

    /// Bytes left for tasks where the data directory is, or will be.
    private var freeBytes: Int64? {
        var path = settings.dataDirectory
        while !path.isEmpty {
            var status = statvfs()
            if statvfs(path, &status) == 0 { return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize)) }
            path = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        }
        return nil
    }

    private var kernel: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown" }
        return withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    // MARK: Output

    var lines: [String] {
        let user = geteuid() == 0 ? "root" : "uid \(geteuid()) (rootless)"
        let groups = controlGroups.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
        var lines = [
            "user            \(user)", "kernel          \(kernel)", "control groups  \(groups)",
            "data            \(settings.dataDirectory), \(freeBytes.map(Units.bytes) ?? "?") free", "",
        ]
        for finding in layers + parts + sandboxes {
            let mark = finding.state == .missing ? "MISSING" : finding.state.rawValue
            let detail = finding.detail.isEmpty ? "" : ": " + finding.detail
            lines.append("\(padded(mark, 7))  \(padded(finding.name, 17))  \(finding.behind)\(detail)")
            if !finding.remedy.isEmpty { lines.append("\(padded("", 7))  \(padded("", 17))  → \(finding.remedy)") }
        }
        return lines
    }

    var json: JSONValue {
        func object(_ finding: Finding) -> [String: JSONValue] {
            var object: [String: JSONValue] = [
                "state": .string(finding.state.rawValue), "detail": .string(finding.detail),
                "behind": .string(finding.behind),
            ]
            if !finding.remedy.isEmpty { object["remedy"] = .string(finding.remedy) }
            return object
        }
        return [
            "healthy": .bool(isHealthy), "rootless": .bool(geteuid() != 0), "uid": .int(Int64(geteuid())),
            "kernel": .string(kernel),
            "control_groups": .object(
                Dictionary(controlGroups.map { ($0.name.replacing(" ", with: "_"), .string($0.version)) }) { $1 }),
            "data_dir": .string(settings.dataDirectory), "free_bytes": freeBytes.map { .int($0) } ?? .null,
            "layers": .array(
                zip(statuses, layers).map { status, finding in
                    .object(
                        object(finding).merging([
                            "layer": .string(status.layer.rawValue), "required": .bool(required.contains(status.layer)),
                        ]) { $1 })
                }),
            "sandboxes": .array(
                sandboxes.map { .object(object($0).merging(["profile": .string($0.name)]) { $1 }) }),
            "parts": .array(parts.map { .object(object($0).merging(["name": .string($0.name)]) { $1 }) }),
        ]
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
