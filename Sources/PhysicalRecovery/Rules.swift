// The findings that physical recovery can give.

public import DrillModel

extension Rule {
    public static let manifestMissing = Rule("manifest-missing")
    public static let manifestDamaged = Rule("manifest-damaged")
    public static let baseFileDamaged = Rule("base-file-damaged")
    public static let baseFileMissing = Rule("base-file-missing")
    public static let baseFileExtra = Rule("base-file-extra")
    public static let pageChecksums = Rule("page-checksums-differ")
    public static let walMissing = Rule("wal-missing")
    public static let walGap = Rule("wal-gap")
    public static let walSegmentDamaged = Rule("wal-segment-damaged")
    public static let walUnread = Rule("wal-unread")
    public static let walForeign = Rule("wal-segment-foreign")
    public static let timelineWithoutSegments = Rule("timeline-without-segments")
    public static let walTimeline = Rule("wal-timeline-broken")
    public static let endedEarly = Rule("recovery-ended-early")
    public static let walPartial = Rule("wal-partial")
    public static let fetchFailed = Rule("fetch-wal-failed")
    public static let targetNotReached = Rule("recovery-target-not-reached")
    public static let targetBeforeBackup = Rule("recovery-target-before-backup")
    public static let recoveryFailed = Rule("recovery-failed")
    public static let momentUnusable = Rule("moment-unusable")
    public static let momentNotArchived = Rule("moment-not-archived")
    public static let momentInterleaved = Rule("moment-interleaved")
}

extension DrillFailure {
    /// The backup fell short.
    static func broken(
        _ rule: Rule, _ object: String, expected: String = "", actual: String = "", _ message: String, hint: String
    ) -> DrillFailure {
        .failed(Finding(rule, object: object, expected: expected, actual: actual, message: message, hint: hint))
    }
}
