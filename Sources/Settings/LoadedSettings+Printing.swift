extension LoadedSettings {
    /// The effective configuration as YAML that can be read back, secrets masked, with the origin of each value.
    package func printRedacted() -> String {
        var out = ""
        var open: [Substring] = []
        for key in LoadedSettings.grouped {
            let parts = key.name.split(separator: ".")
            let sections = parts.dropLast()
            let shared = zip(open, sections).prefix { $0 == $1 }.count
            for depth in shared..<max(shared, sections.count) {
                out += indent(depth) + sections[depth] + ":\n"
            }
            open = Array(sections)
            let value = key.yaml(in: settings)
            out += indent(sections.count) + "\(parts[parts.count - 1]): \(value)"
            out += "  # " + (origins[key.name]?.text ?? "default").replacing("\n", with: " ") + "\n"
        }
        return out
    }

    /// Keys of one section together, so that no section is opened twice.
    private static let grouped: [SettingKey] = {
        var order: [Substring] = []
        var groups: [Substring: [SettingKey]] = [:]
        for key in SettingKey.all {
            let top = key.name.prefix { $0 != "." }
            if groups[top] == nil { order.append(top) }
            groups[top, default: []].append(key)
        }
        return order.flatMap { groups[$0] ?? [] }
    }()

    private func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
}

extension SettingKey {
    /// The value as YAML, masked when secret.
    func yaml(in settings: Settings) -> String {
        let text = text(in: settings)
        if isSecret { return text.isEmpty ? "\"\"" : "\"***\"" }
        switch slot {
        case .integer, .bytes, .number, .boolean: return text
        case .list(let path): return SettingKey.flow(settings[keyPath: path])
        case .optionalList(let path): return settings[keyPath: path].map(SettingKey.flow) ?? "null"
        case .map: return text
        case .optionalText(let path) where settings[keyPath: path] == nil: return "null"
        case .text, .optionalText, .duration:
            guard let userInfo = SettingText.userInfo(ofURL: text), !userInfo.isEmpty else {
                return RawSetting.quoted(text)
            }
            return RawSetting.quoted(text.replacing(userInfo + "@", with: "***@"))
        }
    }

    private static func flow(_ list: [String]) -> String {
        "[" + list.map(RawSetting.quoted).joined(separator: ", ") + "]"
    }
}
