import Domain
import FoundationEssentials
import Glibc
import Sandboxing
import Settings

/// Where the parts of this installation are.
enum Installation {
    /// Directory of the running executable; its companions are beside it.
    static let directory: String = {
        guard let path = realpath("/proc/self/exe", nil) else { return "." }
        defer { free(path) }
        let text = String(cString: path)
        return text.lastIndex(of: "/").map { String(text[..<$0]) } ?? "."
    }()

    static var supervisor: String { directory + "/codeforge-supervisor" }
    static var shim: String { directory + "/codeforge-sandbox" }

    /// The script that builds images: of the source tree the executable was built in, or of an installation.
    static var imageBuilder: String? {
        var candidates = [directory + "/../share/codeforge/images/build"]
        var folder = directory
        while let slash = folder.lastIndex(of: "/"), slash != folder.startIndex {
            folder = String(folder[..<slash])
            candidates.append(folder + "/images/build")
        }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Layers that may not be missing: what `sandbox.require` names, else what the profiles require and neither
    /// `sandbox.allow_missing` nor being an ordinary user excuses.
    static func requiredLayers(of settings: Settings, _ profiles: ProfileCatalog) -> Set<SandboxLayer> {
        if let names = settings.sandbox.require { return Set(names.compactMap(SandboxLayer.init(rawValue:))) }
        let all = profiles.profiles.values.reduce(into: Set<SandboxLayer>()) { $0.formUnion($1.required) }
        let excused = Set((settings.sandbox.allowMissing ?? []).compactMap(SandboxLayer.init(rawValue:)))
        var chosen = all.subtracting(excused)
        if workspaceForm(of: settings) == .directory { chosen.remove(.diskLimit) }
        return geteuid() == 0 ? chosen : chosen.subtracting(SandboxLayer.rootOnly)
    }

    /// How new workspaces are kept.
    static func workspaceForm(of settings: Settings) -> WorkspaceForm {
        WorkspaceForm(rawValue: settings.sandbox.disk) ?? .volume
    }
}
