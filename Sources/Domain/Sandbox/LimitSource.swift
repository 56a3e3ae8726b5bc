extension JobSpec {
    /// Says whose a limit of the run is, for the errors that name it.
    ///
    /// - Parameters:
    ///   - ofProfile: The profile's own value; 0: it has none.
    ///   - value: In force.
    public func source(setting: String, profileKey: String, ofProfile: Int64, value: Int64) -> String {
        ofProfile > 0 && ofProfile == value ? "\(profileKey) of profile \(profile.name)" : setting
    }
}

extension SandboxProfile.Limits {
    /// The shorter of the task's timeout and the profile's, in seconds.
    public func timeout(_ asked: Int) -> Int { timeoutSeconds > 0 ? min(asked, timeoutSeconds) : asked }

    /// The smaller of the settings' ceiling of output and the profile's, in bytes.
    public func output(_ configured: Int) -> Int {
        outputBytes > 0 ? Int(min(Int64(configured), outputBytes)) : configured
    }
}
