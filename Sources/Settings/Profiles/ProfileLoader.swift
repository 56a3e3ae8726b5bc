import Domain
import FoundationEssentials
import Glibc

/// Makes the profiles in force: the built-in ones, an operator's files over them, then single limits from settings; and
/// the rules that send tasks to them.
struct ProfileLoader {
    private let loaded: LoadedSettings
    private let files: [String: ProfileFile]
    private var made: [String: SandboxProfile] = [:]
    private var problems: [String] = []

    /// - Throws: `SettingsError` with one line for each problem found.
    static func catalog(_ loaded: LoadedSettings) throws(SettingsError) -> ProfileCatalog {
        var loader = ProfileLoader(loaded)
        let profiles = loader.profiles()
        let rules = loader.rules(Set(profiles.map(\.name)), profiles)
        guard loader.problems.isEmpty else { throw SettingsError(problems: loader.problems) }
        return ProfileCatalog(profiles, rules: rules)
    }

    /// Reads one file that stands for itself: a built-in profile's.
    static func profile(named name: String, path: String, text: String) throws(SettingsError) -> SandboxProfile {
        var loader = ProfileLoader(LoadedSettings())
        let profile = loader.apply(ProfileFile(path: path, text: text), to: .blank(name), isComplete: true)
        guard loader.problems.isEmpty else { throw SettingsError(problems: loader.problems) }
        return profile
    }

    private init(_ loaded: LoadedSettings) {
        self.loaded = loaded
        (files, problems) = ProfileDirectory.read(loaded.settings.sandbox.profilesDirectory)
    }

    // MARK: Profiles

    private mutating func profiles() -> [SandboxProfile] {
        let names = SandboxProfile.builtIn.map(\.name) + files.keys.sorted()
        var profiles = names.reduce(into: [String: SandboxProfile]()) { $0[$1] = profile($1, from: []) }
        if let file = files[SandboxProfile.git.name] {
            problems.append(
                "\(file.path): git is CodeForge's own and cannot be replaced; `sandbox.…` sets single limits")
        }
        if files[SandboxProfile.untrusted.name] != nil, let mine = profiles[SandboxProfile.untrusted.name] {
            refuseWider(mine, ProfileDirectory.shown(mine.name))
        }
        override(&profiles)
        return profiles.values.sorted { $0.name < $1.name }
    }

    /// What is narrower than strangers' code has to get may take the place of it, nothing else.
    private mutating func refuseWider(_ profile: SandboxProfile, _ place: String) {
        let wider = ProfileKey.all.filter { $0.isWider(profile, than: .untrusted) }.map(\.name)
        guard !wider.isEmpty else { return }
        problems.append(
            "\(place): \(profile.name) allows more than the built-in untrusted in \(wider.joined(separator: ", ")); "
                + "code of unknown origin may get less, never more")
    }

    /// - Parameter path: Names on the way here, for a profile that extends itself.
    private mutating func profile(_ name: String, from path: [String]) -> SandboxProfile? {
        if let known = made[name] { return known }
        let builtIn = SandboxProfile.named(name)
        var profile = builtIn
        if let file = files[name] {
            var base: SandboxProfile?
            if let extended = file.base {
                if extended.name == name, let builtIn {
                    base = builtIn
                } else if (path + [name]).contains(extended.name) {
                    problems.append("\(file.path):\(extended.line): extends: \(extended.name) extends this one")
                    return builtIn
                } else if let other = self.profile(extended.name, from: path + [name]) {
                    base = other
                } else if files[extended.name] == nil {
                    problems.append(
                        "\(file.path):\(extended.line): extends: " + unknown(extended.name))
                }
            }
            profile = apply(file, to: base ?? .blank(name), isComplete: file.base == nil)
            profile?.name = name
        }
        if name == SandboxProfile.code.name {
            let more = egress(besides: profile?.egress ?? [])
            profile?.egress += more
        }
        made[name] = profile
        return profile
    }

    private mutating func egress(besides known: [String]) -> [String] {
        let more = loaded.settings.gateway.egress.filter { !known.contains($0) }
        for host in more where (try? EgressList([host])) == nil {  // said in our own words
            problems.append(
                "gateway.egress: \(RawSetting.quoted(host)) (from \(origin("gateway.egress"))) is not allowed; it must be "
                    + "a name or an address, `*.` in front of a name for all below, with `:port` if you like")
        }
        return more
    }

    private mutating func apply(_ file: ProfileFile, to base: SandboxProfile, isComplete: Bool) -> SandboxProfile {
        var profile = base
        problems += file.problems
        let data = loaded.settings.dataDirectory
        for entry in file.entries {
            guard let key = ProfileKey.byName[entry.key] else { continue }
            do {
                try key.store(entry.value, in: &profile, hidden: data.isEmpty ? [] : [data])
            } catch {
                problems.append(
                    "\(file.path):\(entry.line): \(key.name): \(entry.value.shown) is not allowed; it must be "
                        + key.allowed)
            }
        }
        let missing = Set(ProfileKey.all.map(\.name)).subtracting(file.entries.map(\.key))
        if isComplete, file.problems.isEmpty, !missing.isEmpty {
            problems.append(
                "\(file.path): without `extends` every key is needed; missing: "
                    + missing.sorted().joined(separator: ", "))
        }
        return profile
    }

    /// Settings named as a limit's key takes its place in every profile: `sandbox.pids` for `limits.pids`.
    private mutating func override(_ profiles: inout [String: SandboxProfile]) {
        for key in ProfileKey.all where key.name.hasPrefix("limits.") {
            let name = "sandbox." + key.name.dropFirst("limits.".count)
            guard let text = SettingKey.byName[name]?.text(in: loaded.settings), text != "0" else { continue }
            do {
                for (profileName, was) in profiles {
                    var profile = was
                    try key.store(.text(text), in: &profile)
                    profiles[profileName] = profile
                }
            } catch {
                problems.append(
                    "\(name): \(RawSetting.quoted(text)) (from \(origin(name))) is not allowed; it must be 0 or "
                        + key.allowed)
            }
        }
    }

    // MARK: Rules

    private mutating func rules(_ names: Set<String>, _ profiles: [SandboxProfile]) -> ProfileCatalog.Rules {
        var rules = ProfileCatalog.Rules()
        let sandbox = loaded.settings.sandbox
        for (type, name) in sandbox.taskTypeProfiles.sorted(by: { $0.key < $1.key }) {
            let setting = "sandbox.profiles.task_types"
            check(name, setting, names)
            guard let type = TaskType(rawValue: type) else {
                let known = TaskType.allCases.map(\.rawValue).joined(separator: ", ")
                problems.append(
                    "\(setting): \(RawSetting.quoted(type)) (from \(origin(setting))) is no task type; there are \(known)"
                )
                continue
            }
            rules.taskTypes[type] = name
            if type == .prReview, let profile = made[name] {
                refuseWider(profile, "\(setting) (from \(origin(setting)))")
            }
        }
        for (text, name) in sandbox.repositoryProfiles.sorted(by: { $0.key < $1.key }) {
            let setting = "sandbox.profiles.repositories"
            check(name, setting, names)
            guard let pattern = RepositoryPattern(text) else {
                problems.append(
                    "\(setting): \(RawSetting.quoted(text)) (from \(origin(setting))) is no pattern; it must be "
                        + "host/owner/repository, in which * stands for any text in its part and a last ** for the rest"
                )
                continue
            }
            rules.repositories[pattern] = name
        }
        for (key, name) in sandbox.keyProfiles.sorted(by: { $0.key < $1.key }) {
            check(name, "sandbox.profiles.keys", names)
            rules.keys[key] = name
        }
        return rules
    }

    private mutating func check(_ name: String, _ setting: String, _ names: Set<String>) {
        guard !names.contains(name) else { return }
        problems.append("\(setting): (from \(origin(setting))) \(unknown(name))")
    }

    private func unknown(_ name: String) -> String {
        let names = Set(files.keys).union(SandboxProfile.builtIn.map(\.name)).sorted()
        let nearest = Nearest.name(to: name, among: names).map { "; did you mean \($0)?" }
        return "there is no profile \(RawSetting.quoted(name))"
            + (nearest ?? "; there are \(names.joined(separator: ", "))")
    }

    private func origin(_ name: String) -> String { loaded.origins[name]?.text ?? "default" }
}

/// The operator's profile files: `NAME.yaml` each.
enum ProfileDirectory {
    private static let most = 256

    /// How messages name the file of a profile.
    static func shown(_ name: String) -> String { "\(name).yaml" }

    /// Reads every profile in a directory; none when it is empty. Links are followed, as container platforms need.
    static func read(_ directory: String) -> (files: [String: ProfileFile], problems: [String]) {
        if directory.isEmpty { return ([:], []) }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            return ([:], ["sandbox.profiles_dir: \(directory) can't be read; it must be a directory"])
        }
        var files: [String: ProfileFile] = [:]
        var problems: [String] = []
        for file in names.sorted() where !file.hasPrefix(".") {
            let path = directory + "/" + file
            if file.hasSuffix(".yml") { problems.append("\(path): profiles are files whose name ends in .yaml") }
            guard file.hasSuffix(".yaml") else { continue }
            let name = String(file.dropLast(".yaml".count))
            guard isName(name) else {
                problems.append("\(path): a profile's name is 1 to 32 of a-z 0-9 -, beginning with a letter")
                continue
            }
            guard files.count < most else { return ([:], ["\(directory): more than \(most) profiles"]) }
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                status.st_size <= ProfileFile.longest, let data = FileManager.default.contents(atPath: path),
                let text = String(validating: data, as: UTF8.self)
            else {
                problems.append("\(path): must be a readable UTF-8 file of at most \(ProfileFile.longest / 1024) KiB")
                continue
            }
            if status.st_mode & 0o022 != 0 {
                problems.append("\(path): must not be writable by others; chmod go-w")
                continue
            }
            files[name] = ProfileFile(path: path, text: text)
        }
        return (files, problems)
    }

    private static func isName(_ name: String) -> Bool {
        (1...32).contains(name.utf8.count) && ("a"..."z").contains(name.first ?? "-")
            && name.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "-" }
    }
}

extension ProfileFile.Value {
    /// For error lines: hardly more than the start of it.
    var shown: String {
        let text =
            switch self {
            case .text(let text): text
            case .list(let list): "[" + list.joined(separator: ", ") + "]"
            case .maps(let maps): "[" + maps.map(RawSetting.json).joined(separator: ", ") + "]"
            }
        return RawSetting.quoted(text.count > 120 ? String(text.prefix(120)) + "…" : text)
    }
}

extension SandboxProfile {
    /// Allows nothing; what a complete file fills in.
    fileprivate static func blank(_ name: String) -> SandboxProfile {
        SandboxProfile(
            name: name, workspace: .readOnly,
            limits: Limits(
                memoryBytes: 0, processes: 0, cpus: 0, overlayBytes: 0, temporaryBytes: 0, sharedMemoryBytes: 0,
                homeBytes: 0, openFiles: 0, fileSizeBytes: 0, lockedMemoryBytes: 0),
            syscalls: [], gatewayRoutes: [], required: SandboxLayer.fixed)
    }
}
