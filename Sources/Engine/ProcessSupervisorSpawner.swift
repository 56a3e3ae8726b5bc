package import Domain
import FoundationEssentials
import HostProcess

/// Starts `codeforge-supervisor` processes.
///
/// Each gets a session of its own and inherits nothing but `/dev/null`, its log file and the descriptor with its spec,
/// so that it neither holds this process's files open nor dies with its terminal.
package struct ProcessSupervisorSpawner: SupervisorSpawner {
    private let executable: String

    /// - Parameter executable: Path of `codeforge-supervisor`.
    package init(executable: String) { self.executable = executable }

    package func spawn(_ spec: JobSpec) async throws(CodeForgeError) -> any SupervisorHandle {
        let json: Data
        do {
            json = try JSONEncoder().encode(spec)
        } catch {
            throw CodeForgeError(.internal, "cannot encode the job: \(error)")
        }
        return try await withoutBlocking { () throws(CodeForgeError) in try start(spec, json) }
    }

    private func start(_ spec: JobSpec, _ json: Data) throws(CodeForgeError) -> Child {
        do {
            try FileManager.default.createDirectory(
                atPath: spec.paths.state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CodeForgeError(.unavailable, "cannot create the directory \(spec.paths.state): \(error)")
        }
        // A file without a name rather than a pipe: the whole spec is there at once, however slow its reader.
        let file = try HostDescriptor.memoryFile("codeforge-job", Array(json))
        let log = spec.paths.state + "/supervisor.log"
        // argv shows whose supervisor it is; the environment has nothing of the server's.
        let process = try HostProcess.start(
            executable, ["codeforge-supervisor", spec.taskID],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"],
            descriptors: [.null, .log(log), .log(log), .inherit(file.raw)], newSession: true)
        file.close()  // it has to live until here
        return Child(process: process)
    }

    private struct Child: SupervisorHandle {
        let process: HostProcess
        var pid: Int32 { process.pid }

        func waitForExit() async -> String { await process.waitForExit().description }
    }
}
