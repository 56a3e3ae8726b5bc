import Domain
import FoundationEssentials
internal import Yams

/// A profile file as read: keys and values that are not looked at yet, each with its line.
struct ProfileFile: Sendable {
    /// A value before its key's rules.
    enum Value: Sendable, Equatable {
        case text(String)
        case list([String])
        case maps([[String: String]])
    }

    struct Entry: Sendable {
        var key: String
        var value: Value
        var line: Int
    }

    /// As shown in messages.
    let path: String
    /// The profile it starts from, and the line that says so.
    private(set) var base: (name: String, line: Int)?
    private(set) var entries: [Entry] = []
    private(set) var problems: [String] = []

    /// Longest file, in bytes.
    static let longest = 65_536

    init(path: String, text: String) {
        self.path = path
        do {
            guard let root = try Yams.compose(yaml: text) else {
                problems.append("\(path): is empty")
                return
            }
            guard case .mapping(let mapping) = root else {
                problems.append("\(path): must be a mapping of profile keys")
                return
            }
            read(mapping, under: "")
        } catch let error as YamlError {
            problems.append("\(path): \(YAMLSettings.describe(error))")
        } catch {
            problems.append("\(path): is not YAML")
        }
    }

    private mutating func read(_ mapping: Node.Mapping, under section: String) {
        for (name, node) in mapping {
            let line = name.mark?.line ?? 1
            guard let part = name.string, case .scalar = name else {
                problems.append("\(path):\(line): a key must be a text")
                continue
            }
            let key = section + part
            if key == "extends", case .scalar(let scalar) = node, !scalar.string.isEmpty {
                base = (scalar.string, line)
            } else if ProfileKey.byName[key] != nil {
                if let value = value(of: node) {
                    entries.append(Entry(key: key, value: value, line: line))
                } else {
                    problems.append("\(path):\(line): \(key): must have a value, or a list of plain ones")
                }
            } else if ProfileKey.all.contains(where: { $0.name.hasPrefix(key + ".") }) {
                if case .mapping(let inner) = node {
                    read(inner, under: key + ".")
                } else {
                    problems.append("\(path):\(line): \(key): must be a mapping")
                }
            } else {
                var text = "\(path):\(line): \(RawSetting.shownName(key)): unknown key"
                if let nearest = Nearest.name(to: key, among: ProfileKey.all.map(\.name) + ["extends"]) {
                    text += "; did you mean \(nearest)?"
                }
                problems.append(text)
            }
        }
    }

    private func value(of node: Node) -> Value? {
        switch node {
        case .scalar(let scalar):
            let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            return isNull ? nil : .text(scalar.string)
        case .sequence(let sequence):
            let texts = sequence.compactMap { $0.scalar?.string }
            if texts.count == sequence.count { return .list(texts) }
            let maps = sequence.compactMap(map)
            return maps.count == sequence.count ? .maps(maps) : nil
        case .mapping, .alias: return nil
        }
    }

    private func map(_ node: Node) -> [String: String]? {
        guard case .mapping(let mapping) = node else { return nil }
        var map: [String: String] = [:]
        for (name, value) in mapping {
            guard let name = name.scalar?.string, let value = value.scalar?.string else { return nil }
            map[name] = value
        }
        return map
    }
}

extension ProfileKey {
    /// Stores a value in a profile.
    ///
    /// - Parameter hidden: Absolute host directories no mount may show.
    func store(
        _ value: ProfileFile.Value, in profile: inout SandboxProfile, hidden: [String] = []
    ) throws(SettingText.Refused) {
        func text() throws(SettingText.Refused) -> String {
            guard case .text(let text) = value else { throw SettingText.Refused() }
            return text
        }
        func list() throws(SettingText.Refused) -> [String] {
            guard case .list(let list) = value, Set(list).count == list.count else { throw SettingText.Refused() }
            return list
        }
        func inRange<T: Comparable>(_ value: T, _ range: ClosedRange<T>) throws(SettingText.Refused) -> T {
            guard range.contains(value) else { throw SettingText.Refused() }
            return value
        }
        switch slot {
        case .bytes(let path, let range):
            profile[keyPath: path] = try inRange(Int64(SettingText.bytes(text())), range)
        case .byteCeiling(let path, let range):
            profile[keyPath: path] = try inRange(Int64(SettingText.bytes(text())), range)
        case .count(let path, let range), .ceiling(let path, let range):
            profile[keyPath: path] = try inRange(SettingText.integer(text()), range)
        case .seconds(let path):
            let duration = try SettingText.duration(text())
            guard duration.components.attoseconds == 0 else { throw SettingText.Refused() }
            profile[keyPath: path] = try inRange(Int(duration.components.seconds), 0...86_400)
        case .largeCount(let path, let range):
            profile[keyPath: path] = try inRange(Int64(SettingText.integer(text())), range)
        case .number(let path, let range):
            profile[keyPath: path] = try inRange(SettingText.number(text()), range)
        case .boolean(let path): profile[keyPath: path] = try SettingText.boolean(text())
        case .word(let word):
            let chosen = try text()
            guard word.allowed.contains(chosen) else { throw SettingText.Refused() }
            word.set(&profile, chosen)
        case .words(let words):
            let chosen = Set(try list())
            guard chosen.isSubset(of: words.allowed), chosen.isSuperset(of: words.fixed) else {
                throw SettingText.Refused()
            }
            words.set(&profile, chosen)
        case .hosts(let path):
            let hosts = try list()
            guard (try? EgressList(hosts)) != nil else { throw SettingText.Refused() }  // which says `allowed` instead
            profile[keyPath: path] = hosts
        case .mounts(let path):
            if case .list(let none) = value, none.isEmpty {
                profile[keyPath: path] = []
                return
            }
            guard case .maps(let maps) = value else { throw SettingText.Refused() }
            var mounts: [SandboxProfile.Mount] = []
            for map in maps {
                guard map.count == 2, let source = map["source"], let target = map["target"],
                    MountRule.allows(source: source, hidden: hidden), MountRule.allows(target: target),
                    !mounts.contains(where: { MountRule.overlap($0.target, target) })
                else { throw SettingText.Refused() }
                mounts.append(.init(source: source, target: target))
            }
            profile[keyPath: path] = mounts
        }
    }
}

/// What a profile may mount, and where.
enum MountRule {
    /// Parts of the host that are nobody's toolchain: devices, kernel files, sockets of services, private files.
    private static let hidden = ["/proc", "/sys", "/dev", "/run", "/var/run", "/root", "/etc", "/boot"]
    /// Parts of the sandbox that are its own.
    private static let own = [
        "/proc", "/sys", "/dev", "/run", "/etc", "/tmp", "/workspace", "/home", "/git", "/opt/codeforge", "/bin",
        "/sbin",
        "/lib", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib",
    ]

    static func allows(source: String, hidden more: [String]) -> Bool {
        isPlain(source) && !(hidden + more).contains { overlap($0, source) }
    }

    static func allows(target: String) -> Bool { isPlain(target) && !own.contains { overlap($0, target) } }

    /// Whether one is the other, or lies in it.
    static func overlap(_ a: String, _ b: String) -> Bool {
        a == b || a.hasPrefix(b + "/") || b.hasPrefix(a + "/")
    }

    /// Absolute, not `/`, no empty part, no `.` and no `..`.
    private static func isPlain(_ path: String) -> Bool {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else { return false }
        return path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && $0 != "." && $0 != ".."
        }
    }
}
