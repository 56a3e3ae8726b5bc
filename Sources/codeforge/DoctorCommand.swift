import ArgumentParser
import Glibc
import Sandboxing

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show each isolation layer, whether this host has it, and what to do if not.",
        discussion: "Exits 1 when a layer is missing that the built-in profiles require.")

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try options.loadForTools()
        let images = ImageStore(directory: settings.sandbox.imageDirectory)
        var healthy = true
        let required = Installation.requiredLayers(of: settings)
        print("user: \(geteuid() == 0 ? "root" : "uid \(geteuid()) (rootless)")")
        print("")
        for status in await HostLayers.probe() {
            let needed = required.contains(status.layer)
            if needed, !status.isPresent { healthy = false }
            let mark = status.isPresent ? "ok     " : needed ? "MISSING" : "absent "
            print("\(mark) \(padded(status.layer.rawValue)) \(status.detail)")
            if !status.isPresent, !status.remedy.isEmpty { print("        \(padded("")) → \(status.remedy)") }
        }
        let image = settings.sandbox.image
        if let found = images.image(image) {
            let agents = found.agents.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.version)" }
            print("ok      \(padded("image " + image)) \(agents.joined(separator: ", "))")
        } else {
            healthy = false
            print("MISSING \(padded("image " + image)) not found in \(images.directory)")
            print("        \(padded("")) → run `codeforge image build \(image)`")
        }
        for (name, path) in [("supervisor", Installation.supervisor), ("sandbox shim", Installation.shim)] {
            let present = access(path, X_OK) == 0
            if !present { healthy = false }
            print("\(present ? "ok     " : "MISSING") \(padded(name)) \(path)")
        }
        if !healthy { throw ExitCode(1) }
    }

    private func padded(_ text: String) -> String {
        text + String(repeating: " ", count: max(0, 18 - text.count))
    }
}
