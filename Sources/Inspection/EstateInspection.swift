// One inspection of one estate, told as events: every promise a case.

public import BackupCatalog
import BackupPolicy
public import DrillEngine
public import DrillModel
public import Foundation
import Reports
public import ScratchHost

extension Rule {
    static let noBackups = Rule("no-recovery-point")
}

/// Judges an estate.
public struct EstateInspection: Sendable {
    var estate: Estate
    /// The instant that is judged for.
    var now: Date
    /// Where artifacts are read through; nil: they are not.
    var deep: ScratchRoot?
    /// Where what is packed is looked into.
    var scratch: ScratchRoot
    var stores: RemoteStores
    /// Whether the drills that the estate promises were drilled; nil: nobody asks.
    var drills: DrillsKept?

    public init(
        estate: Estate, now: Date, deep: ScratchRoot? = nil, scratch: ScratchRoot = ScratchRoot(nil), stores: RemoteStores,
        drills: DrillsKept? = nil
    ) {
        self.drills = drills
        self.scratch = scratch
        self.estate = estate
        self.now = now
        self.deep = deep
        self.stores = stores
    }

    /// What has come of it so far.
    private struct Memory {
        var cases: [CaseResult] = []
        var unproven: [String] = []
    }

    /// - Throws: `CancellationError`, and ``CommandFailure`` where no scratch folder can be had.
    public func run(hub: EventHub) async throws -> Verdict {
        let started = ContinuousClock.now
        hub.emit(.drillStarted(.inspection(of: estate, name: "inspection of \(estate.name)", asOf: now)))
        var memory = Memory()
        do {
            try await judge(&memory, hub)
        } catch {
            hub.emit(
                .drillFinished(
                    DrillOutcome(
                        verdict: .error, duration: ContinuousClock.now - started, steps: [], objectives: nil,
                        unproven: ["The inspection was interrupted: nothing that it had not answered by then was proven."])))
            throw error
        }
        let verdict = Verdict.combined(memory.cases.map(\.verdict))
        // Nothing but skipped questions: nothing was promised, so nothing was proven.
        let final = verdict == .skipped ? .error : verdict
        if deep != nil { hub.emit(.fact(.deepInspection)) }
        hub.emit(.fact(.peakMemory))
        hub.emit(
            .drillFinished(
                DrillOutcome(
                    verdict: final, duration: ContinuousClock.now - started, steps: [], objectives: nil, unproven: memory.unproven)))
        return final
    }

    private func judge(_ memory: inout Memory, _ hub: EventHub) async throws {
        func record(_ result: CaseResult) {
            memory.cases.append(result)
            hub.emit(.caseFinished(result))
        }
        record(BackupPolicy.judge(keys: keyFiles))
        var surveys = SurveysAhead(of: estate, asOf: now, stores: stores)
        for service in estate.services.values.sorted(by: { $0.name < $1.name }) {
            var gaps: [(points: [RecoveryPoint], retention: Retention?)] = []
            var whole = true
            for set in service.backups.values.sorted(by: { $0.name < $1.name }) {
                let (cases, survey) = try await judge(set, &surveys, hub)
                cases.forEach(record)
                whole = whole && survey != nil
                guard let survey else { continue }
                if !survey.unproven.isEmpty { memory.unproven.append(survey.unproven) }
                if deep == nil, survey.isPacked {
                    memory.unproven.append(
                        "\(service.name)/\(set.name): its artifacts are compressed, and nobody looked at what is in them: --deep reads them."
                    )
                }
                let recent = now.addingTimeInterval(-Double(WorstCaseLoss.window + 1) * 86_400)
                // And the newest of those before: a gap may have begun long ago.
                let moments = survey.series.moments.drop { $0.time <= recent }
                let older = survey.series.moments.last { $0.time <= recent }
                gaps.append((([older].compactMap { $0 } + moments).compactMap { $0.copies.first?.point }, set.retention))
                tell(survey, hub)
            }
            guard whole else { continue }
            let worst = WorstCaseLoss.compute(gaps, until: now, openEnded: true)
            if let worst { hub.emit(.fact(Fact("\(service.name).worst-case-loss-seconds", String(worst.loss.components.seconds)))) }
            record(
                BackupPolicy.judge(
                    worstCase: worst, target: service.worstCaseTarget, service: service.name, timeZone: estate.timeZone))
        }
        for result in await drills?.ask(of: estate, now: now) ?? [] { record(result) }
        for (name, reason) in estate.byHand.sorted(by: { $0.key < $1.key }) {
            record(.skipped(.policy, name: name, reason: "asked by hand: \(reason)"))
        }
        for result in memory.cases where result.verdict == .skipped {
            let object = result.service.map { "\($0), " } ?? ""
            memory.unproven.append("\(object)\(result.name): \(result.reason).")
        }
    }

    /// - Returns: The set's cases; no survey where nothing of it could be listed.
    private func judge(_ set: BackupSet, _ surveys: inout SurveysAhead, _ hub: EventHub) async throws -> (
        cases: [CaseResult], survey: SetSurvey?
    ) {
        let name = "\(set.name): the stores can be listed"
        let started = ContinuousClock.now
        var survey: SetSurvey
        do throws(DrillFailure) {
            survey = try await surveys.take()
        } catch {
            return ([.unasked(.policy, service: set.service, name: name, finding: error.finding)], nil)
        }
        var findings = survey.problems.map(\.finding) + survey.passedOver.map { $0.finding() }
        if findings.isEmpty, survey.series.moments.isEmpty {
            findings.append(
                Finding(
                    .noBackups, object: "\(set.service)/\(set.name)", expected: "at least one backup", actual: "none",
                    message: "nothing in \(set.stores.joined(separator: ", ")) matches \(set.match)",
                    hint: "check the backup job, then match and path in \(estate.file.lastPathComponent)"))
        }
        let took = ContinuousClock.now - started
        // A key or a tool that is missing here says nothing about the backups.
        let listed =
            if let error = survey.problems.first(where: { $0.verdict == .error }), survey.problems.allSatisfy({ $0.verdict == .error }) {
                CaseResult.unasked(.policy, service: set.service, name: name, duration: took, finding: error.finding)
            } else {
                CaseResult.judged(.policy, service: set.service, name: name, duration: took, findings: findings)
            }
        guard !survey.series.moments.isEmpty else { return ([listed], nil) }
        try await survey.lookInside(from: scratch, in: stores)
        let refused = survey.refused()
        let total = Int64(survey.series.moments.count)
        try await survey.compareCopies(in: stores) { done in
            hub.emit(
                .progress(
                    DrillModel.Progress(
                        step: .retrieve, service: set.service, label: "comparing copies of \(set.name)", completed: Int64(done),
                        total: total, unit: .files)))
        }
        var broken = BrokenArtifacts()
        var cases = [listed]
        if let (point, item) = refused.first {
            for (point, _) in refused { broken.insert(point) }
            cases.append(
                .unasked(
                    .policy, service: set.service, name: "\(set.name): this user may read every artifact",
                    finding: .accessDenied("\(point.store):\(point.path)", item, others: refused.count - 1)))
        }
        cases += kept(from: survey, &broken)
        cases += BackupPolicy.judge(artifacts: survey.series, known: &broken)
        let inspection = deep.map { DeepInspection(estate: estate, survey: survey, root: $0, hub: hub, stores: stores) }
        // Before the promises are asked: what doesn't read keeps none of them.
        if let inspection { cases.append(try await inspection.run(known: &broken)) }
        cases += BackupPolicy.judge(whole: survey.series, known: &broken)
        if let archive = set.wal, let listings = survey.wal {
            let moments = survey.series.backups(except: broken).moments
            cases += WALPromises(
                set: set, archive: archive, listings: listings, oldestBase: moments.first?.time, newestBase: moments.last?.time,
                now: now
            ).ask()
        }
        cases += PgBackRestPromises(estate: estate, set: set, stores: survey.series.stores).ask()
        if let read = try await inspection?.readWAL() { cases.append(read) }
        cases += try await FileBackupPromises(estate: estate, survey: survey, now: now, root: deep, stores: stores).ask(except: broken)
        // What follows counts recovery points, and what was found to be none is none.
        survey.series = survey.series.backups(except: broken)
        return (cases, survey)
    }

    /// What a store doesn't hand out, now or at all: it is a backup, and nothing more can be said of it.
    private func kept(from survey: SetSurvey, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        var cases: [CaseResult] = []
        let (set, withheld, archived) = (survey.set, survey.withheld(), survey.archived)
        if let (point, first) = withheld.first {
            for (point, _) in withheld { broken.insert(point) }
            var finding = first
            finding.object = "\(point.store):\(point.path)"
            if withheld.count > 1 { finding.actual += ", and \(withheld.count - 1) more" }
            cases.append(
                .unasked(.policy, service: set.service, name: "\(set.name): the store lets every artifact be read", finding: finding))
        }
        guard let finding = archived.first?.obstacle?.finding else { return cases }
        for point in archived { broken.insert(point) }
        let name = "\(set.name): every artifact can be fetched at once"
        // In a disaster it is the newest that is wanted first.
        if let newest = survey.series.moments.last, newest.copies.allSatisfy(\.point.isArchived), let point = newest.copies.first?.point,
            let finding = point.obstacle?.finding
        {
            return cases + [.unasked(.policy, service: set.service, name: name, finding: finding)]
        }
        let tiers = Set(archived.compactMap { $0.obstacle?.finding.actual }).sorted().joined(separator: " and ")
        let all = survey.series.moments.reduce(0) { $0 + $1.copies.count }
        let dated = archived.count { $0.timeSource == .modificationTime }
        return cases + [
            .skipped(
                .policy, service: set.service, name: name,
                reason: "\(archived.count) of \(all) \(archived.count == 1 ? "is" : "are") archived in \(tiers), among them "
                    + "\(finding.object): nobody looked at what is in them, and each must be restored first, which takes hours and counts "
                    + "into RTO" + (dated > 0 ? "; \(dated) dated by when it was stored (LastModified), and maybe older than it seems" : "")
            )
        ]
    }

    private func tell(_ survey: SetSurvey, _ hub: EventHub) {
        let prefix = "\(survey.set.service).\(survey.set.name)"
        let moments = survey.series.moments
        hub.emit(.fact(Fact("\(prefix).recovery-points", String(moments.count))))
        if let first = moments.first, let last = moments.last {
            hub.emit(.fact(Fact("\(prefix).oldest", Readable.time(first.time, in: estate.timeZone))))
            hub.emit(.fact(Fact("\(prefix).newest", Readable.time(last.time, in: estate.timeZone))))
            let seen = DaysSeen(moments.map(\.time), until: now, in: estate.timeZone)
            hub.emit(.fact(Fact("\(prefix)\(DaysSeen.suffix)", seen.text)))
        }
    }

    /// The files that the estate's secrets lie in.
    private var keyFiles: [BackupPolicy.KeyFile] {
        var references = estate.keys.sorted { $0.key < $1.key }.map { ("key \($0.key)", $0.value) }
        if let signing = estate.seals.signingKey { references.append(("the key that seals are signed with", signing)) }
        if let evidence = estate.evidence { references.append(("the key that the ledger is signed with", evidence.signingKey)) }
        let walk = FolderWalk()
        return references.compactMap { name, reference in
            guard case .file(let url) = reference else { return nil }
            return BackupPolicy.KeyFile(name: name, permissions: ContentProbe.permissions(of: url), reach: walk.reach(url))
        }
    }
}
