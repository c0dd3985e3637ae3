// What the lab's application consists of, release by release: the content of its repository, and nothing else of git.

/// The application's files.
enum LabApplication {
    static let branch = "main"

    /// How many releases there are. The first is older than the first backup.
    static let releases = 4

    /// The whole tree of one release, by path.
    ///
    /// - Parameter release: 1 to ``releases``.
    static func files(release: Int) -> [String: String] {
        [
            "README.md": """
            # domainscope

            Watches domains: who holds them, when they end, what their servers say.

            """,
            "VERSION": "1.\(release).0\n",
            ".env.example": LabConfiguration.required.map { "\($0)=\n" }.joined(),
        ]
    }
}
