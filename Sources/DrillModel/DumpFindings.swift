// What recoveries and restores say alike of dumps that are not what pg_dump alone wrote.

extension Finding {
    /// A job's standard error has gone into its dump.
    ///
    /// - Parameter object: The file, or the place in it.
    public static func messagesInDump(_ object: String, actual: String) -> Finding {
        Finding(
            Rule("dump-with-messages"), object: object, expected: "what pg_dump writes, and nothing else", actual: actual,
            message: "pg_dump's own messages stand in the dump: the backup job writes its standard error (2>&1) into the same file",
            hint: """
                leave 2>&1 out, or send it elsewhere: pg_dump … > FILE 2>> LOG; a script comes back once the lines that begin with pg_dump: \
                are taken out and none stands among rows, an archive may not; read them first: an error may be all that there is
                """)
    }
}
