// What earlier runs of an estate's drills have restored, as their reports tell.

/// Known of a folder of runs; nothing where there is none.
public struct EarlierRuns: Sendable, Hashable {
    /// The backups, as `SERVICE/PATH`, that any drill of the estate restored.
    public var backups: Set<String>
    /// The databases that the last run of a drill found in a service's backup, by the drill's name and the service's; only where it said so.
    public var databases: [String: [String: Set<String>]]

    public init(backups: Set<String> = [], databases: [String: [String: Set<String>]] = [:]) {
        self.backups = backups
        self.databases = databases
    }

    /// The name of the fact that a drill's report lists them under, behind the service's name.
    public static let databasesFact = "databases"
}
