// A cache that is not restored: it is filled again by its application, or does without.

/// What a drill does about a Redis whose loss is declared to be no loss.
public struct LostCache: Sendable, Hashable {
    public var service: String
    /// nil: the application must be well with an empty cache.
    public var repopulation: Repopulation?

    /// The command that fills it, from what else is back.
    public struct Repopulation: Sendable, Hashable {
        /// Program and arguments, run beside the application's files, with its environment and inside its quarantine.
        public var run: [Template]
        /// After that it is ended, and has failed.
        public var timeout: Duration

        public init(run: [Template], timeout: Duration) {
            self.run = run
            self.timeout = timeout
        }
    }

    public init(service: String, repopulation: Repopulation?) {
        self.service = service
        self.repopulation = repopulation
    }
}
