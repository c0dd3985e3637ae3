// Which of a server's errors speak of its files, and not of the question.

extension PostgresError {
    /// The server met a page, an index or a file of its own data folder that is damaged or not there.
    ///
    /// An input or output error (58030) and a file that may not be opened (42501) are the machine's and don't count, nor does a library that
    /// isn't installed: `could not access file "$libdir/…"` has the code of a missing relation file, too.
    public var isStorageDamage: Bool {
        switch sqlState {
        case "XX001", "XX002": true
        case "58P01": message.contains(Self.dataFile) || message.contains(Self.transactionStatus)
        // The file of a transaction's status is there and too short.
        case "XX000": message.contains(Self.transactionStatus) || message.contains("read too few bytes")
        default: false
        }
    }

    private static let transactionStatus = "could not access status of transaction"

    private static var dataFile: Regex<(Substring, Substring)> {
        /(base|global|pg_tblspc|pg_xact|pg_multixact|pg_commit_ts)\/[0-9A-Fa-f]/
    }
}
