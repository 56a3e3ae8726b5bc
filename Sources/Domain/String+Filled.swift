extension String {
    /// `nil` for an empty text: clients and the environment say nothing either way.
    public var filled: String? { isEmpty ? nil : self }
}
