// The table of the checks: each is one file and one line here.

public import DrillModel
import Foundation

/// Judges one series of backups against what the estate promises of it.
public enum BackupPolicy {
    /// One promise, asked.
    struct Check: Sendable {
        /// Whether it asks of backups alone: what was found to be none counts for it as if it weren't there.
        var isOfBackups = false
        /// - Parameter broken: The artifacts that an earlier check has found broken: one mistake is told once. Those that it finds are added.
        var ask: @Sendable (BackupSeries, inout BrokenArtifacts) -> [CaseResult]
    }

    /// What is wrong with an artifact itself, in this order.
    static let ofArtifacts: [Check] = [
        Check(ask: TimesHaveBeen.ask), Check(ask: ReallyEncrypted.ask), Check(ask: LooksLikeItsKind.ask), Check(ask: SealsHold.ask),
        Check(ask: ChangesNoticed.ask), Check(ask: CopiesAgree.ask),
    ]

    /// What follows from it.
    static let ofSeries: [Check] = [
        Check(isOfBackups: true, ask: GlobalsKept.ask), Check(isOfBackups: true, ask: SizesFit.ask),
        Check(isOfBackups: true, ask: ScheduleKept.ask), Check(isOfBackups: true, ask: RetentionKept.ask),
        Check(ask: FilePermissions.ask),
    ]

    /// One case for each promise, with a finding for each date or artifact that breaks it.
    public static func judge(_ series: BackupSeries) -> [CaseResult] {
        var broken = BrokenArtifacts()
        return judge(artifacts: series, known: &broken) + judge(whole: series, known: &broken)
    }

    /// What shows that a stored file is not encrypted as the estate says; nil where nothing does.
    public static func judge(_ content: StoredContent, as declared: Encryption.Format, object: String) -> Finding? {
        ReallyEncrypted.judge(content, as: declared, object: object)
    }

    /// The part of ``judge(_:)`` that asks of each artifact by itself.
    ///
    /// - Parameter known: Artifacts that are known to be broken; those that are found are added.
    public static func judge(artifacts series: BackupSeries, known broken: inout BrokenArtifacts) -> [CaseResult] {
        judge(series, ofArtifacts, &broken)
    }

    /// The part that asks of the series: what was found to be no backup by then, here or elsewhere, counts for nothing in it.
    public static func judge(whole series: BackupSeries, known broken: inout BrokenArtifacts) -> [CaseResult] {
        judge(series, ofSeries, &broken)
    }

    /// The part that asks of nothing but when the backups were made.
    public static func judge(regime series: BackupSeries) -> [CaseResult] {
        var broken = BrokenArtifacts()
        return judge(series, [Check(ask: ScheduleKept.ask), Check(ask: RetentionKept.ask)], &broken)
    }

    private static func judge(_ series: BackupSeries, _ checks: [Check], _ broken: inout BrokenArtifacts) -> [CaseResult] {
        checks.flatMap { $0.ask($0.isOfBackups ? series.backups(except: broken) : series, &broken) }
    }
}

/// Artifacts that have a finding of their own.
public struct BrokenArtifacts: Sendable, Hashable {
    private struct Place: Hashable {
        var store: String
        var path: String
    }
    private var places: Set<Place> = []
    private var noBackups: Set<Place> = []

    public init() {}

    /// - Parameter isBackup: Whether there is something to recover from all the same: it then counts for schedule, retention and losses.
    public mutating func insert(_ point: RecoveryPoint, isBackup: Bool = true) {
        let place = Place(store: point.store, path: point.path)
        places.insert(place)
        if !isBackup { noBackups.insert(place) }
    }

    /// Whether it was found to be no backup at all.
    public func isNoBackup(_ point: RecoveryPoint) -> Bool {
        noBackups.contains(Place(store: point.store, path: point.path))
    }

    public func contains(_ point: RecoveryPoint) -> Bool {
        places.contains(Place(store: point.store, path: point.path))
    }
}

extension BackupSeries {
    /// A case of this series.
    func judged(_ name: String, _ findings: [Finding]) -> CaseResult {
        .judged(.policy, service: set.service, name: "\(set.name): \(name)", findings: Self.capped(findings, object: self.name))
    }

    func skipped(_ name: String, _ reason: String) -> CaseResult {
        .skipped(.policy, service: set.service, name: "\(set.name): \(name)", reason: reason)
    }

    /// A question that looked at nothing.
    func unasked(_ name: String, _ finding: Finding) -> CaseResult {
        .unasked(.policy, service: set.service, name: "\(set.name): \(name)", finding: finding)
    }

    /// `store:path of 2026-11-03 02:00`: what a finding on one artifact speaks of.
    func object(_ point: RecoveryPoint) -> String {
        "\(point.store):\(point.path) of \(text(point.time))"
    }

    /// A store of a hundred thousand wrong files is one mistake: nobody reads all of them.
    static let mostFindings = 100

    static func capped(_ findings: [Finding], object: String) -> [Finding] {
        guard findings.count > mostFindings else { return findings }
        let critical = findings.filter { $0.severity == .critical }
        let shown = (critical + findings.filter { $0.severity != .critical }).prefix(mostFindings)
        return shown + [
            Finding(
                .moreOfTheSame, critical.count > mostFindings ? .critical : .warning, object: object, expected: "none",
                actual: "\(findings.count)", message: "there are \(findings.count - mostFindings) more of these",
                hint: "mend what the ones above have in common, then inspect again")
        ]
    }
}

extension Rule {
    /// More findings of one case than are worth writing down.
    static let moreOfTheSame = Rule("more-of-the-same")
}
