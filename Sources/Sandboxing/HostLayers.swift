/// What this host can give a sandbox.
package enum HostLayers {
    /// Tries each layer and reports it, in the order of `SandboxLayer.allCases`.
    package static func probe() async -> [LayerStatus] { [] }
}
