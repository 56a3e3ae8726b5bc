import Domain

/// One key of a profile file: where it lands, what is allowed, what it is for and who enforces it. Reading, printing and
/// the documentation all come from these.
struct ProfileKey: Sendable {
    typealias Path<Value> = any WritableKeyPath<SandboxProfile, Value> & Sendable

    /// Where a value lands, and with it what kind of value it is.
    enum Slot: Sendable {
        case bytes(Path<Int64>, ClosedRange<Int64>)
        case count(Path<Int>, ClosedRange<Int>)
        case largeCount(Path<Int64>, ClosedRange<Int64>)
        /// Likewise, and 0 means no ceiling.
        case ceiling(Path<Int>, ClosedRange<Int>)
        /// Likewise in bytes, where 0 means the setting's.
        case byteCeiling(Path<Int64>, ClosedRange<Int64>)
        /// Whole seconds up to a day; 0: no ceiling but the settings'.
        case seconds(Path<Int>)
        case number(Path<Double>, ClosedRange<Double>)
        /// True is the narrower.
        case boolean(Path<Bool>)
        case word(Word)
        case words(Words)
        case hosts(Path<[String]>)
        case mounts(Path<[SandboxProfile.Mount]>)
    }

    /// One of some words.
    struct Word: Sendable {
        /// From the narrowest to the widest.
        let allowed: [String]
        let get: @Sendable (SandboxProfile) -> String
        let set: @Sendable (inout SandboxProfile, String) -> Void

        init<Value: RawRepresentable<String> & Sendable>(_ path: Path<Value>, narrowToWide: [Value]) {
            allowed = narrowToWide.map(\.rawValue)
            get = { $0[keyPath: path].rawValue }
            set = { profile, word in
                if let value = Value(rawValue: word) { profile[keyPath: path] = value }
            }
        }
    }

    /// A set of some words.
    struct Words: Sendable {
        let allowed: [String]
        /// Words that may not be left out.
        let fixed: Set<String>
        /// Whether more of them allow more; else they demand more.
        let permits: Bool
        let get: @Sendable (SandboxProfile) -> Set<String>
        let set: @Sendable (inout SandboxProfile, Set<String>) -> Void
    }

    /// Levels joined by a dot.
    let name: String
    let slot: Slot
    let summary: String
    /// What puts it into effect.
    let layer: String

    init(_ name: String, _ slot: Slot, _ layer: String, _ summary: String) {
        self.name = name
        self.slot = slot
        self.layer = layer
        self.summary = summary
    }

    /// What is allowed, in words, for error lines and the documentation.
    var allowed: String {
        switch slot {
        case .bytes(_, let range):
            "a size from \(ProfileText.size(range.lowerBound)) to \(ProfileText.size(range.upperBound))"
        case .count(_, let range): "an integer\(SettingText.describe(range))"
        case .largeCount(_, let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
        case .ceiling(_, let range): "an integer\(SettingText.describe(range)), 0 for no ceiling"
        case .byteCeiling(_, let range):
            "a size from \(ProfileText.size(range.lowerBound)) to \(ProfileText.size(range.upperBound)); 0: the setting's"
        case .seconds: "a duration in whole seconds such as 90s or 10m, up to 24h; 0: the setting's"
        case .number(_, let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        case .word(let word): "one of " + word.allowed.joined(separator: ", ")
        case .words(let words):
            "a list of " + words.allowed.joined(separator: ", ")
                + (words.fixed.isEmpty
                    ? "" : "; always with " + words.allowed.filter(words.fixed.contains).joined(separator: ", "))
        case .hosts: "a list of names and addresses, `*.` in front of a name for all below, with `:port` if you like"
        case .mounts:
            "a list of `{source: PATH, target: PATH}`, both absolute, none of them a part of the sandbox or of the host "
                + "that must not be seen"
        }
    }

    /// Whether `profile` is wider here than `base`: allows something that `base` does not.
    func isWider(_ profile: SandboxProfile, than base: SandboxProfile) -> Bool {
        switch slot {
        case .bytes(let path, _), .largeCount(let path, _): return profile[keyPath: path] > base[keyPath: path]
        case .count(let path, _): return profile[keyPath: path] > base[keyPath: path]
        case .ceiling(let path, _), .seconds(let path):
            let (mine, other) = (profile[keyPath: path], base[keyPath: path])
            return other != 0 && (mine == 0 || mine > other)
        case .byteCeiling(let path, _):
            let (mine, other) = (profile[keyPath: path], base[keyPath: path])
            return other != 0 && (mine == 0 || mine > other)
        case .number(let path, _): return profile[keyPath: path] > base[keyPath: path]
        case .boolean(let path): return !profile[keyPath: path] && base[keyPath: path]
        case .word(let word):
            let rank = { word.allowed.firstIndex(of: word.get($0)) ?? 0 }
            return rank(profile) > rank(base)
        case .words(let words):
            let (mine, other) = (words.get(profile), words.get(base))
            return words.permits ? !mine.isSubset(of: other) : !mine.isSuperset(of: other)
        case .hosts(let path): return !Set(profile[keyPath: path]).isSubset(of: base[keyPath: path])
        case .mounts(let path): return !Set(profile[keyPath: path]).isSubset(of: base[keyPath: path])
        }
    }
}
