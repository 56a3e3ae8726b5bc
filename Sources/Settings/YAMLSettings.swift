import FoundationEssentials
internal import Yams

/// Reads the YAML file into entries that know their line.
enum YAMLSettings {
    static func read(path: String, shownAs file: String, problems: inout [String]) -> [SettingsLoader.Entry] {
        guard let data = FileManager.default.contents(atPath: path) else {
            problems.append("\(file): can't be read; CODEFORGE_CONFIG must name a readable YAML file")
            return []
        }
        guard data.count <= 1_048_576, let text = String(validating: data, as: UTF8.self) else {
            problems.append("\(file): must be UTF-8 text of at most 1 MiB")
            return []
        }
        do {
            guard let root = try Yams.compose(yaml: text) else { return [] }
            var walk = Walk(file: file)
            walk.node(root, path: "")
            problems += walk.problems
            return walk.entries
        } catch let error as YamlError {
            problems.append("\(file): " + describe(error))
        } catch {
            problems.append("\(file): is not YAML")
        }
        return []
    }

    /// The place and the parser's words only: its own text quotes the line, which may hold a secret.
    static func describe(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "line \(mark.line), column \(mark.column) is not YAML: \(problem)"
        case .duplicatedKeysInMapping: "the same key is there twice in one mapping"
        default: "is not YAML"
        }
    }

    private struct Walk {
        let file: String
        var entries: [SettingsLoader.Entry] = []
        var problems: [String] = []

        mutating func node(_ node: Node, path: String) {
            let origin = SettingOrigin.yaml(file: file, line: node.mark?.line ?? 1)
            switch node {
            case .mapping(let mapping):
                if let key = SettingKey.byName[path], case .map = key.slot {
                    add(path, map(mapping), origin)
                    return
                }
                for (name, value) in mapping {
                    guard let part = name.string else {
                        problems.append("\(file):\(name.mark?.line ?? 1): a key must be a text")
                        continue
                    }
                    self.node(value, path: path.isEmpty ? part : path + "." + part)
                }
            case .sequence(let sequence):
                guard !path.isEmpty else {
                    problems.append("\(file): must be a mapping of settings at its top")
                    return
                }
                let elements = sequence.map { $0.scalar?.string }
                add(path, elements.contains(nil) ? nil : .list(elements.compactMap(\.self)), origin)
            case .scalar(let scalar):
                guard !path.isEmpty else {
                    if !scalar.string.isEmpty { problems.append("\(file): must be a mapping of settings at its top") }
                    return
                }
                // Nothing, or `null`: the key keeps what it had.
                let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
                if !isNull {
                    add(path, .text(scalar.string), origin)
                } else if SettingKey.byName[path] == nil,
                    !SettingKey.all.contains(where: { $0.name.hasPrefix(path + ".") || $0.alias == path })
                {
                    add(path, .text(""), origin)
                }
            case .alias:
                problems.append("\(origin.text): YAML aliases are not supported")
            }
        }

        private func map(_ mapping: Node.Mapping) -> RawSetting? {
            var map: [String: String] = [:]
            for (name, value) in mapping {
                guard let name = name.string, let value = value.scalar?.string else { return nil }
                map[name] = value
            }
            return .map(map)
        }

        private mutating func add(_ path: String, _ raw: RawSetting?, _ origin: SettingOrigin) {
            guard let raw else {
                problems.append("\(path): (from \(origin.text)) must hold plain values only")
                return
            }
            entries.append(SettingsLoader.Entry(name: path, raw: raw, origin: origin))
        }
    }
}
