import ArgumentParser
import Domain
import FoundationEssentials
import Glibc
import HostProcess
import Sandboxing
import Workspaces

extension SandboxCommand {
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run one command in a sandbox, the same way tasks do.",
            discussion: """
                Without a gateway: nothing outside can be reached. A workspace directory must belong to the service's \
                storage user; one that does not exist is created. Exit status: the command's own, 128 + signal, 137 \
                when the sandbox was killed, 125 when it could not be started.

                Examples:
                  codeforge sandbox run -- id
                  codeforge sandbox run --profile readonly --workspace /tmp/w -- ls -la /workspace
                """)

        @Option(help: "Sandbox profile, of those `codeforge sandbox profiles` lists.")
        var profile = "code"
        @Option(help: "Image; default: the configured one.")
        var image: String?
        @Option(help: "Host directory shown as /workspace.")
        var workspace: String?
        @Flag(
            help: "Print every byte as it is, also on a terminal, where unprintable characters are else shown as `?`.")
        var raw = false
        @Argument(parsing: .postTerminator, help: "Command and its arguments.")
        var command: [String]
        @OptionGroup var options: SettingsOptions

        func run() async throws {
            let loaded = try options.loadAllForTools()
            let settings = loaded.settings
            guard var profile = loaded.profiles.profiles[profile] else {
                throw ValidationError("unknown profile '\(profile)'")
            }
            // A directory that somebody names is as large as its file system.
            profile.required.remove(.diskLimit)
            let images = ImageStore(directory: settings.sandbox.imageDirectory)
            let name = image ?? settings.sandbox.image
            guard images.image(name) != nil else {
                complain("image '\(name)' not found in \(images.directory): run `codeforge image build \(name)`")
                throw ExitCode(125)
            }
            var request = SandboxRequest(
                id: "run-\(getpid())", profile: profile, image: images.root(of: name), arguments: command,
                environment: [
                    "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/home/agent", "LANG": "C.UTF-8", "TERM": "dumb",
                ],
                workingDirectory: workspace == nil ? "/" : GitScript.workTree)
            do {
                if let workspace {
                    let path = absolute(workspace)
                    try WorkspaceOwner.current.makeDirectory(path)
                    request.workspace = path
                }
                request.standardInput = 0
                let launcher = SandboxLauncher(
                    .init(
                        shim: Installation.shim, require: try SandboxLayer.named(settings.sandbox.require),
                        allowMissing: try SandboxLayer.named(settings.sandbox.allowMissing)))
                let sandbox = try await launcher.launch(request)
                async let output: Void = Terminal.relay(sandbox.standardOutput, to: 1, isRaw: raw)
                async let errors: Void = Terminal.relay(sandbox.standardError, to: 2, isRaw: raw)
                let exit = await sandbox.wait()
                _ = await (output, errors)
                for (call, count) in exit.refusedSyscalls.sorted(by: { $0.key < $1.key }) {
                    complain("refused: \(call) (\(count)×)")
                }
                if exit.oomKilled { complain("killed: the memory limit of \(profile.limits.memoryBytes) bytes") }
                throw ExitCode(exit.shellCode)
            } catch let exit as ExitCode {
                throw exit
            } catch {
                complain("\(error)")
                throw ExitCode(125)
            }
        }

        private func absolute(_ path: String) -> String {
            path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        }
    }
}
