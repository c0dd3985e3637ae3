// The stable names of what may be wrong with a restarted application.

public import DrillModel

extension Rule {
    /// It ended by itself.
    public static let applicationDied = Rule("application-died")
    /// It runs, and its probes don't hold.
    public static let applicationUnhealthy = Rule("application-unhealthy")
    /// Its files lack what it is started by.
    public static let applicationIncomplete = Rule("application-incomplete")
    /// This machine can't read or copy its files.
    public static let applicationFilesUnreadable = Rule("application-files-unreadable")
    /// This machine lacks what runs it, or what its probes take.
    public static let applicationToolMissing = Rule("application-tool-missing")
    /// A TCP port can't be told from another program's on this machine.
    public static let applicationNetworkMissing = Rule("application-network-missing")
}
