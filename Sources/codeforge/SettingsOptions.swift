import ArgumentParser
import Domain
import FoundationEssentials
import Glibc
import Sandboxing
import Settings

/// Flags every command that reads the configuration takes.
struct SettingsOptions: ParsableArguments {
    @Option(
        name: .customLong("set"), help: "Override one setting; may be repeated.",
        transform: { pair in
            guard SettingsLoader.Override(pair: pair) != nil else {
                throw ValidationError("'\(pair)' is not of the form key=value")
            }
            return pair
        })
    var pairs: [String] = []

    /// Reads the configuration for a service that serves.
    ///
    /// - Throws: `ExitCode` 1 after one line for each problem.
    func load(_ extra: [SettingsLoader.Override] = []) throws -> LoadedSettings {
        try load(extra, isForTools: false)
    }

    /// Reads the configuration for a command that serves nobody: the service's secrets may be missing.
    func loadForTools() throws -> Settings { try loadAllForTools().settings }

    /// Likewise, with the origin of each value and the profiles in force.
    func loadAllForTools() throws -> LoadedSettings { try load([], isForTools: true) }

    /// Reads the configuration of a service that serves once more.
    func loadAgain(_ extra: [SettingsLoader.Override]) throws(SettingsError) -> LoadedSettings {
        try loader(extra).load()
    }

    private func loader(_ extra: [SettingsLoader.Override]) -> SettingsLoader {
        SettingsLoader(
            environment: ProcessInfo.processInfo.environment,
            overrides: pairs.compactMap(SettingsLoader.Override.init(pair:)) + extra,
            workingDirectory: FileManager.default.currentDirectoryPath, isRoot: geteuid() == 0)
    }

    private func load(_ extra: [SettingsLoader.Override], isForTools: Bool) throws -> LoadedSettings {
        var loader = loader(extra)
        loader.isForTools = isForTools
        do {
            let loaded = try loader.load()
            try checkLayers(loaded)
            return loaded
        } catch let error as SettingsError {
            complain(error.description)
            throw ExitCode(1)
        }
    }

    /// A misspelt layer would be one less that is required.
    private func checkLayers(_ loaded: LoadedSettings) throws {
        let sandbox = loaded.settings.sandbox
        for (key, names) in [("sandbox.require", sandbox.require), ("sandbox.allow_missing", sandbox.allowMissing)] {
            for name in names ?? [] where SandboxLayer(rawValue: name) == nil {
                let origin = loaded.origins[key]?.text ?? "default"
                let allowed = SandboxLayer.allCases.map(\.rawValue).joined(separator: ", ")
                complain("\(key): '\(name)' (from \(origin)) is no layer; allowed: \(allowed)")
                throw ExitCode(1)
            }
        }
    }
}
