package import Domain
import HostProcess

/// What operators see of a running sandbox and do to it. None of it holds the payload up, but for `pause`.
extension RunningSandbox {
    /// Layers in force.
    package var layers: [SandboxLayer] {
        let missing = Set(missingLayers.map(\.layer))
        return SandboxLayer.allCases.filter { !missing.contains($0) && profile.asks(for: $0) }
    }

    /// What it used so far, as far as this host counts: the members about output, disk and gateway are left to others.
    package func usage() async -> SandboxStatus.Usage {
        await withoutBlocking { [groups, profile, pid] in
            var usage = groups.gauges()
            if !groups.countsProcessorTime || usage.processes.now == nil {
                let entries = (groups.processIDs() ?? ProcessTable.members(of: pid)).compactMap(ProcessTable.entry)
                let ticks = entries.reduce(0) { $0 + $1.ownTicks + $1.childrenTicks }
                if !groups.countsProcessorTime { usage.cpuSeconds = Double(ticks) / ProcessTable.ticksPerSecond }
                if usage.processes.now == nil {
                    usage.processes.now = Int64(entries.reduce(0) { $0 + $1.threads })
                }
            }
            if usage.readBytes == nil {
                let pids = groups.processIDs() ?? ProcessTable.members(of: pid)
                (usage.readBytes, usage.writtenBytes) = ProcessTable.storageTraffic(pids)
            }
            if HostLayers.limitsProcessesPerUser(groups) { usage.processes.limit = Int64(profile.limits.processes) }
            if groups.layers.contains(.cpuLimit) { usage.cpuLimit = profile.limits.cpus }
            usage.refusedCalls = Int64(self.refusedCalls)
            return usage
        }
    }

    /// Every process inside, parents before their children; pid 1 first.
    package func processes() async -> [SandboxProcess] {
        await withoutBlocking { [groups, pid] in
            ProcessTable.describe(groups.processIDs() ?? ProcessTable.members(of: pid))
        }
    }

    /// Whether `pause` stopped it.
    package var isPaused: Bool { session.isPaused }

    /// How long it was paused, all times together.
    package var pausedTime: Duration { session.pausedTime }

    /// Stops every process inside until `resume`; killing works meanwhile.
    ///
    /// - Throws: `.unavailable` when this host has no freezer, when something does not stop, or when it is over.
    package func pause() async throws(CodeForgeError) { try await setPaused(true) }

    /// Undoes `pause`; does nothing to a sandbox that runs.
    ///
    /// - Throws: as `pause`.
    package func resume() async throws(CodeForgeError) { try await setPaused(false) }

    private func setPaused(_ paused: Bool) async throws(CodeForgeError) {
        try await withoutBlocking { [session, groups] () throws(CodeForgeError) in
            try session.setPaused(paused) { () throws(CodeForgeError) in try groups.setFrozen(paused) }
        }
    }
}
