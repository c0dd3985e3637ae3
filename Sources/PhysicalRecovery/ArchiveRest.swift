// What an archive holds behind the place where recovery ended: the difference between an end and a stop.

import ArtifactFormats
import DrillModel
import Foundation

/// The answer, for a recovery to the end, or to a target that was not reached.
struct ArchiveRest: Sendable {
    /// What stopped the replay before the archive's end.
    var early: Finding?
    /// Why the archive's end was not reached, where that has a finding already.
    var explained: String?
    var lost: Finding?
    /// Whether timelines were asked for at all.
    var timelinesAsked = false
    /// What only shows once nothing came from the archive.
    var nothing: Finding?
    var unproven: [String] = []

    static let question = "nothing but the archive's end stopped the replay"

    /// How many files behind the end a declared command is asked for.
    static let depth: UInt64 = 8

    func cases(service: String) -> [CaseResult] {
        var cases: [CaseResult] = []
        if timelinesAsked {
            cases.append(
                .judged(
                    .backup, service: service, name: "every timeline in the archive can be found", findings: [lost].compactMap { $0 }))
        }
        if let nothing {
            cases.append(.judged(.backup, service: service, name: "the archive goes on behind the base backup", findings: [nothing]))
        }
        return cases
    }

    /// - Parameters:
    ///   - plan: nil where only a declared command knows what the archive holds.
    ///   - end: nil where the server's log doesn't tell.
    ///   - known: What has been found already.
    static func ask(
        _ feeder: WALFeeder?, plan: WALPlan?, end: ReplayEnd?, log: RecoveryLog, target: RecoveryTarget,
        beginning: PointInTimeRecovery.Beginning,
        known: [Finding]
    ) async throws -> ArchiveRest {
        var rest = ArchiveRest()
        guard let feeder else { return rest }
        let isReached = target.goal != .end && log.stopped != nil
        if let plan {
            rest.timelinesAsked = target.timeline == .latest
            if let lost = plan.lost {
                let isBefore = isReached && lost.left.map { left in log.replayedTo.map { $0 < left } ?? false } ?? false
                rest.lost = lost.finding(isNeeded: !isBefore)
            }
            guard !isReached, let end else { return rest }
            rest.early = end.finding(segments: plan.segments, newest: plan.newest, absent: feeder.absent)
            if let newest = plan.newest { try await rest.lookAgain(at: newest, feeder, end: end) }
            rest.settle(end, known: known, later: plan.segments)
            return rest
        }
        guard !isReached, let end else { return rest }
        try await rest.probe(feeder, end: end, target: target, beginning: beginning)
        rest.settle(end, known: known, later: [])
        return rest
    }

    /// What is told once needs no second finding: a segment that is missing or damaged, where replay ended for it.
    private mutating func settle(_ end: ReplayEnd, known: [Finding], later: [WALSegmentName]) {
        guard early != nil, early?.rule == .endedEarly else { return }
        // Where a record goes on behind the segment, the next one is at fault.
        let cause = known.first { finding in
            guard finding.severity == .critical, let name = WALSegmentName(String(finding.object.prefix(24))) else { return false }
            let number = name.number(size: end.segmentSize)
            return number == end.number || number == end.number + 1
        }
        guard let cause else { return }
        let count = later.filter { $0.number(size: end.segmentSize) > end.number }.count
        explained =
            "it ended at \(WALPosition.text(end.position)) for what is found of \(cause.object)"
            + (count > 0 ? "; \(count) segments of the archive lie behind that place" : "")
        early = nil
    }

    private mutating func lookAgain(at newest: WALSegmentName, _ feeder: WALFeeder, end: ReplayEnd) async throws {
        guard early == nil, end.lacks(newest), let copy = try await feeder.again(newest.text) else { return }
        early = end.damaged(newest, in: copy)
        try? FileManager.default.removeItem(at: copy)
    }

    // MARK: A declared command

    /// Nobody can list what only a command reads: so it is asked for what would come next.
    private mutating func probe(_ feeder: WALFeeder, end: ReplayEnd, target: RecoveryTarget, beginning: PointInTimeRecovery.Beginning)
        async throws
    {
        let size = end.segmentSize
        if feeder.delivered == 0 {
            nothing = WALPlan.nothing(
                from: WALSegmentName(timeline: beginning.timeline, number: beginning.position / size, size: size), beginning.position,
                bundled: true)
        }
        // A server asks for each segment by the newest timeline's name first: only what it had by none of them is missing.
        let missed = feeder.absent.filter { $0.number(size: size) >= end.number && !feeder.gave($0.number(size: size) * size) }
        let timeline: UInt32 =
            switch target.timeline {
            case .number(let number): number
            case .current: beginning.timeline
            case .latest: max(beginning.timeline, feeder.newestHistory ?? 0)
            }
        let first = missed.map { $0.number(size: size) }.max()
        let behind = (first ?? end.number) + 1
        let names = (behind..<behind + Self.depth).map { WALSegmentName(timeline: timeline, number: $0, size: size).text }
        if let next = try await feeder.probe(names).first {
            if let first {
                let gap = WALSegmentName(timeline: timeline, number: first, size: size).text
                early = Finding(
                    .walGap, object: gap, expected: "every segment up to the newest", actual: "not there, and \(next) is",
                    message: "recovery ended at a gap: fetch-wal finds no \(gap), and finds \(next)",
                    hint:
                        "find the missing file on the source or in another store; until then nothing behind it can be recovered from this "
                        + "base backup, so take a new one now")
            } else {
                early = end.early(end.segment(of: timeline), behind: "fetch-wal also finds \(next), which was not replayed")
            }
        } else {
            if first == nil {
                let last = end.segment(of: timeline)
                early = end.damaged(last)
                try await lookAgain(at: last, feeder, end: end)
            }
            unproven.append(
                "whether the write-ahead log goes on behind \(names.last ?? ""): only the declared command reads the archive, and it has none of "
                    + "the \(Self.depth) segments behind the end.")
        }
        guard target.timeline == .latest else { return }
        timelinesAsked = true
        let numbers = [end.number, end.number + 1, end.number + 2]
        let younger = [timeline + 1, timeline + 2]
        let held = try await feeder.probe(
            younger.flatMap { number in
                numbers.map { WALSegmentName(timeline: number, number: $0, size: size).text }
                    + (number == timeline + 1 ? [] : [WALFileName.history(number).plain])
            })
        guard !held.isEmpty else { return }
        let segments = Set(held.compactMap(WALSegmentName.init))
        let histories = held.compactMap { name in
            if case .history(let number) = WALFileName(stored: name) { TimelineHistory(timeline: number) } else { nil }
        }
        lost = LostTimeline(
            behind: timeline, segments: segments, histories: Dictionary(histories.map { ($0.timeline, $0) }) { first, _ in first },
            size: size
        )?.finding()
    }
}
