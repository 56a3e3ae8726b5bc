import Domain
import FoundationEssentials

/// Reads settings from their sources, later ones winning: defaults, YAML file, environment, flags.
package struct SettingsLoader: Sendable {
    /// A value given on the command line.
    package struct Override: Sendable {
        /// Key name, such as `server.port`.
        package var key: String
        package var value: String
        /// The flag as the user typed it, for messages: `--port`.
        package var flag: String

        package init(key: String, value: String, flag: String = "--set") {
            self.key = key
            self.value = value
            self.flag = flag
        }

        /// Splits `key=value`; `nil` without a `=`.
        package init?(pair: String) {
            guard let equals = pair.firstIndex(of: "=") else { return nil }
            self.init(key: String(pair[..<equals]), value: String(pair[pair.index(after: equals)...]))
        }
    }

    package var environment: [String: String]
    package var overrides: [Override]
    /// Absolute; where `codeforge.yaml` is looked for and relative paths start.
    package var workingDirectory: String
    package var isRoot: Bool
    /// Whether settings the service can't do without may be missing: for commands that serve nobody.
    package var isForTools = false

    package init(
        environment: [String: String],
        overrides: [Override] = [],
        workingDirectory: String,
        isRoot: Bool
    ) {
        self.environment = environment
        self.overrides = overrides
        self.workingDirectory = workingDirectory
        self.isRoot = isRoot
    }

    /// - Throws: `SettingsError` with one line for each problem found.
    package func load() throws(SettingsError) -> LoadedSettings {
        var problems: [String] = []
        var layers: [[Entry]] = []
        let config = environment["CODEFORGE_CONFIG"]?.filled
        let path = SettingText.absolute(config ?? "codeforge.yaml", in: workingDirectory)
        if config != nil || FileManager.default.fileExists(atPath: path) {
            layers.append(YAMLSettings.read(path: path, shownAs: config ?? "codeforge.yaml", problems: &problems))
        }
        layers.append(environmentEntries(problems: &problems))
        layers.append(overrides.map { Entry(name: $0.key, raw: .text($0.value), origin: .flag($0.flag)) })

        var loaded = LoadedSettings()
        loaded.settings.inherited = Settings.InheritedKeys(environment: environment)
        for layer in layers { apply(layer, to: &loaded, problems: &problems) }
        for key in SettingKey.all where key.isRequired && !isForTools && key.text(in: loaded.settings).isEmpty {
            let failed = problems.contains { $0.hasPrefix(key.name + ":") }
            if !failed {
                problems.append(
                    "\(key.name): required but not set; set \(key.environmentName) to \(key.allowed)"
                )
            }
        }
        derive(&loaded, problems: &problems)
        do {
            loaded.profiles = try ProfileLoader.catalog(loaded)
        } catch {
            problems += error.problems
        }
        guard problems.isEmpty else { throw SettingsError(problems: problems) }
        return loaded
    }

    /// One value of one source.
    struct Entry {
        var name: String
        var raw: RawSetting
        var origin: SettingOrigin
    }

    private func environmentEntries(problems: inout [String]) -> [Entry] {
        var entries: [Entry] = []
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("CODEFORGE_") {
            if SettingsLoader.reserved.contains(name) || SettingsLoader.isServiceLink(name) { continue }
            let path = name.dropFirst("CODEFORGE_".count).split(separator: "__", omittingEmptySubsequences: false)
                .joined(separator: ".").lowercased()
            entries.append(Entry(name: path, raw: .text(value), origin: .environment(name)))
        }
        return entries
    }

    /// Names that are ours, but no settings: where the file is, and what client commands read.
    private static let reserved: Set<String> = [
        "CODEFORGE_CONFIG", "CODEFORGE_URL", "CODEFORGE_TOKEN", "CODEFORGE_TOKEN_FILE", "CODEFORGE_ACCESS_TOKEN",
        "CODEFORGE_ACCESS_TOKEN_FILE", "CODEFORGE_AI_API_KEY", "CODEFORGE_AI_API_KEY_FILE",
    ]

    /// Container platforms put addresses of a service named "codeforge" into the environment under these names.
    ///
    /// Source: Kubernetes documentation, "Accessing the Service"; Docker's legacy links use the same form.
    private static func isServiceLink(_ name: String) -> Bool {
        if name.contains("__") { return false }
        let rest = name.dropFirst("CODEFORGE_".count)
        return rest == "PORT" || rest == "SERVICE_HOST" || rest == "SERVICE_PORT" || rest.hasPrefix("SERVICE_PORT_")
            || (rest.hasPrefix("PORT_") && rest.dropFirst(5).first?.isNumber == true)
    }

    private func apply(_ entries: [Entry], to loaded: inout LoadedSettings, problems: inout [String]) {
        var seen: [String: SettingOrigin] = [:]
        let given = Set(entries.map(\.name))
        for var entry in entries {
            if let key = SettingKey.all.first(where: { $0.alias == entry.name }) {
                if given.contains(key.name) || loaded.namedByOwnName.contains(key.name) { continue }
                entry.name = key.name
            } else if SettingKey.byName[entry.name] != nil {
                loaded.namedByOwnName.insert(entry.name)
            }
            if entry.name.hasSuffix("_file"),
                let key = SettingKey.byName[String(entry.name.dropLast("_file".count))], key.isSecret
            {
                guard let text = readSecret(entry, of: key, problems: &problems) else { continue }
                entry = Entry(name: key.name, raw: .text(text.value), origin: .file(text.path, entry.origin.text))
            }
            guard let key = SettingKey.byName[entry.name] else {
                problems.append(SettingsLoader.unknown(entry))
                continue
            }
            if case .flag = entry.origin {
            } else if let other = seen[key.name] {
                problems.append(
                    "\(key.name): set twice, by \(other.text) and by \(entry.origin.text); keep one of them"
                )
                continue
            }
            seen[key.name] = entry.origin
            do {
                try key.store(entry.raw, in: &loaded.settings, directory: workingDirectory)
                loaded.origins[key.name] = entry.origin
            } catch {
                let shown = key.isSecret ? "***" : SettingsLoader.shown(entry.raw, of: key)
                problems.append(
                    "\(key.name): \(shown) (from \(entry.origin.text)) is not allowed; it must be "
                        + (error.allowed ?? key.allowed)
                )
            }
        }
    }

    private func readSecret(
        _ entry: Entry,
        of key: SettingKey,
        problems: inout [String]
    ) -> (value: String, path: String)? {
        guard case .text(let given) = entry.raw, !given.isEmpty else {
            problems.append("\(entry.name): (from \(entry.origin.text)) must name a file that holds \(key.name)")
            return nil
        }
        let path = SettingText.absolute(given, in: workingDirectory)
        guard let data = FileManager.default.contents(atPath: path), data.count <= 65_536,
            let text = String(validating: data, as: UTF8.self)
        else {
            problems.append(
                "\(entry.name): \(RawSetting.quoted(given)) (from \(entry.origin.text)) can't be read as a text file "
                    + "of at most 64 KiB; it must hold \(key.name)"
            )
            return nil
        }
        return (text.trimming(\.isNewline), path)
    }

    private func derive(_ loaded: inout LoadedSettings, problems: inout [String]) {
        func fill(_ path: WritableKeyPath<Settings, String>, _ value: String) {
            if loaded.settings[keyPath: path].isEmpty { loaded.settings[keyPath: path] = value }
        }
        if loaded.settings.dataDirectory.isEmpty {
            if isRoot {
                loaded.settings.dataDirectory = "/var/lib/codeforge"
            } else if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
                loaded.settings.dataDirectory = state + "/codeforge"
            } else if let home = environment["HOME"], home.hasPrefix("/") {
                loaded.settings.dataDirectory = home + "/.local/state/codeforge"
            } else {
                problems.append(
                    "data_dir: not set, and neither XDG_STATE_HOME nor HOME says where it could be; set "
                        + SettingKey.environmentName("data_dir")
                )
            }
        }
        let base = loaded.settings.dataDirectory
        fill(\.sqlite.path, base + "/codeforge.db")
        fill(\.tasks.workspaceBase, base + "/workspaces")
        fill(\.sandbox.imageDirectory, base + "/images")
        fill(\.server.docsAssets, base + "/docs")
        fill(\.sandbox.disk, isRoot ? "volume" : "directory")
        if loaded.settings.sandbox.allowMissing == nil {
            // An ordinary user has these only where a control group was delegated.
            let names = SandboxLayer.allCases.filter(SandboxLayer.delegated.contains).map(\.rawValue)
            loaded.settings.sandbox.allowMissing = isRoot ? [] : names
        }
    }

    private static func shown(_ raw: RawSetting, of key: SettingKey) -> String {
        var text = raw.shown
        if let userInfo = SettingText.userInfo(ofURL: text), !userInfo.isEmpty {
            text = text.replacing(userInfo + "@", with: "***@")
        }
        return RawSetting.quoted(text.count > 80 ? String(text.prefix(80)) + "…" : text)
    }

    private static func unknown(_ entry: Entry) -> String {
        var line = "\(RawSetting.shownName(entry.name)): unknown setting (from \(entry.origin.text))"
        if let nearest = Nearest.name(to: entry.name, among: SettingKey.all.map(\.name)) {
            line += "; did you mean \(nearest)"
            if case .environment = entry.origin { line += " (\(SettingKey.environmentName(nearest)))" }
            line += "?"
        } else {
            line += "; `codeforge config check` lists the known ones"
        }
        return line
    }
}

extension RawSetting {
    /// A key as a user wrote it, made fit for one line.
    static func shownName(_ name: String) -> String {
        let quoted = quoted(name.count > 80 ? String(name.prefix(80)) + "…" : name)
        return quoted == "\"\(name)\"" ? name : quoted
    }
}
