import ArgumentParser
import FoundationEssentials
import HostProcess
import Sandboxing
import Workspaces

struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Build, list and remove sandbox images.",
        discussion: """
            Examples:
              codeforge image build
              codeforge image ls
            """,
        subcommands: [Build.self, List.self, Remove.self])

    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Build an image from its recipe; does nothing when it is current.",
            discussion: """
                Examples:
                  codeforge image build
                  codeforge image build base --set data_dir=/srv/codeforge
                """)

        @Argument(help: "Name of a recipe under images/.")
        var name = "base"
        @OptionGroup var options: SettingsOptions

        func run() async throws {
            let settings = try options.loadForTools()
            guard ImageStore.isName(name) else { throw ValidationError("'\(name)' is not an image name") }
            guard let builder = Installation.imageBuilder else {
                complain("images/build was not found beside this installation")
                throw ExitCode(1)
            }
            var environment = ProcessInfo.processInfo.environment
            environment["CODEFORGE_DATA_DIR"] = settings.dataDirectory
            let process = try HostProcess.start(
                builder, [builder, name], environment: environment, descriptors: [.null, .inherit(1), .inherit(2)])
            guard await process.waitForExit() == .exited(code: 0) else { throw ExitCode(1) }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the images.",
            discussion: """
                Name, time of building and the CLIs inside, with their versions.

                Examples:
                  codeforge image ls
                  codeforge image ls --json | jq -r '.[].name'
                """)

        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: SettingsOptions

        func run() async throws {
            let images = ImageStore(directory: try options.loadForTools().sandbox.imageDirectory).images()
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
                print(String(decoding: try encoder.encode(images), as: UTF8.self))
                return
            }
            for image in images {
                let agents = image.agents.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.version)" }
                print("\(image.name)\t\(image.created)\t\(agents.joined(separator: ", "))")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove an image. Tasks that run in it keep what they have open.",
            discussion: "Examples:\n  codeforge image rm old")

        @Argument(help: "Name of the image.")
        var name: String
        @OptionGroup var options: SettingsOptions

        func run() async throws {
            let store = ImageStore(directory: try options.loadForTools().sandbox.imageDirectory)
            guard ImageStore.isName(name), HostTree.isDirectory("\(store.directory)/\(name)") else {
                complain("image '\(name)' not found in \(store.directory)")
                throw ExitCode(3)
            }
            try await HostTree.remove("\(store.directory)/\(name)")
        }
    }
}
