// Options that PostgreSQL keeps for itself among those that a user sets.

/// What no dump should hold, no seal compares, and no server without it takes.
public enum ServersOwnOption {
    /// `pg_attver` counts the changes of a column since the minor releases of November 2026 (14.25, 15.20, 16.16, 17.12). A pg_dump that
    /// doesn't know it takes it for a user's and writes it into the dump.
    public static let all: Set<String> = ["pg_attver"]
}
