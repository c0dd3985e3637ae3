// What jobs of one pg_restore can come to beside each other, and one alone can't: no fault of the backup's.

import DrillModel

extension Rule {
    static let restoreDeadlock = Rule("restore-deadlock")
    static let foreignKeyTooEarly = Rule("foreign-key-too-early")
}

extension RestoreLog {
    /// As over the indexes and foreign keys of nested partitions.
    ///
    /// - Returns: nil where it tells of none.
    func race(object: String, jobs: Int) -> Finding? {
        if hasDeadlock {
            return Finding(
                .restoreDeadlock, .warning, object: object, expected: "jobs of pg_restore that don't wait for each other",
                actual: "deadlock detected",
                message: "pg_restore with \(jobs) jobs came to a deadlock, and everything was restored again with one",
                hint: "in a recovery in earnest do so too where pg_restore says so: what one of its jobs gave up is missing")
        }
        guard lacksUniqueConstraint else { return nil }
        return Finding(
            .foreignKeyTooEarly, .warning, object: object, expected: "foreign keys made behind what they point at",
            actual: "there is no unique constraint matching given keys",
            message: "pg_restore with \(jobs) jobs found nothing unique for a foreign key, and everything was restored again with one",
            hint: """
                update this server (mended in 14.25, 15.20, 16.16, 17.12 and 18.7); in a recovery in earnest restore with --jobs=1 where it \
                says so
                """)
    }
}
