package import Domain

/// Profiles as text.
package enum ProfileText {
    /// The profile as a file that reads back as the same profile.
    package static func yaml(_ profile: SandboxProfile) -> String {
        var out = ""
        var section: Substring = ""
        for key in ProfileKey.all {
            let parts = key.name.split(separator: ".")
            if parts.count > 1, parts[0] != section { out += parts[0] + ":\n" }
            section = parts.count > 1 ? parts[0] : ""
            out += (parts.count > 1 ? "  " : "") + (parts.last ?? "") + ": " + key.yaml(in: profile) + "\n"
        }
        return out
    }

    /// `4 GiB`, `1536 MiB`, `1000 KiB`; bytes where nothing else is exact.
    package static func size(_ bytes: Int64) -> String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] as [(String, Int64)]
        where bytes > 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift) \(unit)"
        }
        return "\(bytes)"
    }
}

extension ProfileKey {
    func yaml(in profile: SandboxProfile) -> String {
        switch slot {
        case .bytes(let path, _), .byteCeiling(let path, _): return ProfileText.size(profile[keyPath: path])
        case .count(let path, _), .ceiling(let path, _): return String(profile[keyPath: path])
        case .largeCount(let path, _): return String(profile[keyPath: path])
        case .seconds(let path): return profile[keyPath: path] == 0 ? "0" : "\(profile[keyPath: path])s"
        case .number(let path, _):
            let number = profile[keyPath: path]
            return Int(exactly: number).map(String.init) ?? String(number)
        case .boolean(let path): return String(profile[keyPath: path])
        case .word(let word): return word.get(profile)
        case .words(let words):
            let chosen = words.get(profile)
            return "[" + words.allowed.filter(chosen.contains).joined(separator: ", ") + "]"
        case .hosts(let path):
            return "[" + profile[keyPath: path].map(RawSetting.quoted).joined(separator: ", ") + "]"
        case .mounts(let path):
            let mounts = profile[keyPath: path].map {
                "{source: \(RawSetting.quoted($0.source)), target: \(RawSetting.quoted($0.target))}"
            }
            return "[" + mounts.joined(separator: ", ") + "]"
        }
    }
}
