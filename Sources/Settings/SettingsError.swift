package import Domain

/// Settings that can't be used: one line for each problem, secrets masked.
package struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    package let problems: [String]
    package var description: String { problems.joined(separator: "\n") }
}

/// Where a value came from.
package enum SettingOrigin: Sendable, Equatable {
    case yaml(file: String, line: Int)
    /// The variable's name.
    case environment(String)
    /// The flag as typed.
    case flag(String)
    /// A secret's file, and what named it.
    case file(String, String)

    package var text: String {
        switch self {
        case .yaml(let file, let line): "\(file):\(line)"
        case .environment(let name): name
        case .flag(let flag): flag
        case .file(let path, let source): "\(path), named by \(source)"
        }
    }
}

/// Settings with the origin of each value that is not a default.
package struct LoadedSettings: Sendable {
    package var settings = Settings()
    /// By key name.
    package var origins: [String: SettingOrigin] = [:]
    /// Keys set by their own name, which wins over an alias in any layer.
    var namedByOwnName: Set<String> = []
    /// The profiles in force, and which task gets which.
    package var profiles = ProfileCatalog.builtIn
}

enum Nearest {
    /// The nearest of `names`, if it is near enough to be a slip: at most a third of it differs.
    static func name(to text: String, among names: [String]) -> String? {
        guard text.count <= 80 else { return nil }
        let best = names.map { (name: $0, distance: distance($0, text)) }.min { $0.distance < $1.distance }
        if let best, best.distance <= max(2, best.name.count / 3) { return best.name }
        // A right last part under a wrong or missing section.
        let last = text.split(separator: ".").last.map(String.init) ?? text
        return names.first { $0 == last || $0.hasSuffix("." + last) }
    }

    /// Levenshtein's.
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8)
        let b = Array(b.utf8)
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let cost = a[i] == b[j] ? diagonal : min(diagonal, row[j], row[j + 1]) + 1
                diagonal = row[j + 1]
                row[j + 1] = cost
            }
        }
        return row[b.count]
    }
}
