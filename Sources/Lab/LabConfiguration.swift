// The `.env` file of the lab's application.

import Foundation

/// Its text. What looks like a secret is made up for each lab.
struct LabConfiguration: Sendable {
    static let required = ["DATABASE_URL", "REDIS_URL", "SECRET_KEY"]
    /// Each release writes it, and a backup may be a release behind.
    static let mayDiffer = ["RELEASE"]

    private let password = Self.random()
    private let secretKey = Self.random()

    /// - Parameter release: Of the application.
    func text(release: Int) -> String {
        """
        # domainscope, production
        export RELEASE=1.\(release).0
        DATABASE_URL=postgres://domainscope_app:\(password)@db.internal:5432/domainscope
        REDIS_URL='redis://cache.internal:6379/0'
        SECRET_KEY="\(secretKey)"

        MAIL_FROM="DomainScope <alerts@domainscope.example>"   # what customers see
        MAIL_FOOTER="DomainScope
        Bengaluru"
        SCAN_PORTS=22,80,443
        SENTRY_DSN=

        """
    }

    private static func random() -> String {
        (0..<16).map { _ in String(UInt8.random(in: 16 ... .max), radix: 16) }.joined()
    }
}
