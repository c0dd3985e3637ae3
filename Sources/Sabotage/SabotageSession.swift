// Damages copies of a drill's newest backup, one way at a time, and runs the drill on each.

import BackupAccess
import BackupCatalog
import Cryptography
import DrillEngine
public import DrillModel
import Drills
import FileRecovery
import Foundation
import PostgresClient
import PostgresRecovery
import RedisClient
import RedisRecovery
import Reports
public import ScratchHost
import Seals

/// How one damage fared.
public struct SabotageResult: Sendable {
    public var service: String
    public var damage: String
    public var verdict: Verdict
    public var explanation: String

    public init(service: String, damage: String, verdict: Verdict, explanation: String) {
        self.service = service
        self.damage = damage
        self.verdict = verdict
        self.explanation = explanation
    }

    public var title: String { "\(service) \(damage)" }

    public var sign: String {
        switch verdict {
        case .passed: "✓"
        case .failed: "✗"
        case .error: "!"
        case .skipped: "-"
        }
    }
}

/// One sabotage of one drill.
public struct SabotageSession: Sendable {
    var plan: DrillPlan
    var damages: [Damage]
    var root: ScratchRoot
    /// Hears what happens in each drill on a damaged copy; nil: nobody wants to know.
    var show: (@Sendable (Event) async -> Void)?

    public init(plan: DrillPlan, damages: [Damage], root: ScratchRoot, show: (@Sendable (Event) async -> Void)? = nil) {
        self.plan = plan
        self.damages = damages
        self.root = root
        self.show = show
    }

    public func run() async throws -> [SabotageResult] {
        var results: [SabotageResult] = []
        // Told where nothing else was tried: who names damages means those that they fit.
        var unfit: [SabotageResult] = []
        for recovery in plan.recover {
            guard let service = plan.estate.services[recovery.service], let set = service.backups[recovery.backup] else { continue }
            let fitting = damages.filter { $0.fits(service.engine) && Way(of: $0).fits(set) && (set.isCluster || !$0.isOfClusters) }
            if let reason = whyNot(set, fitting) {
                let result = SabotageResult(service: recovery.service, damage: set.name, verdict: .skipped, explanation: reason)
                if set.holdsData { unfit.append(result) } else { results.append(result) }
                continue
            }
            // The copy that a damage is done to must be green as it is: otherwise a red one proves nothing.
            for way in Way.allCases {
                let damages = fitting.filter { Way(of: $0) == way }
                if damages.isEmpty { continue }
                let control = try await attempt(nil, by: way, recovery: recovery, set: set)
                results.append(control)
                guard control.verdict == .passed else { continue }
                for damage in damages {
                    try Task.checkCancellation()
                    results.append(try await attempt(damage, by: way, recovery: recovery, set: set))
                }
            }
        }
        return results.allSatisfy { $0.verdict == .skipped } ? results + unfit : results
    }

    /// Why nothing of a backup set can be damaged; nil where something can.
    private func whyNot(_ set: BackupSet, _ fitting: [Damage]) -> String? {
        if !set.holdsData { return "configuration and code have no seal that a damaged copy could be held against" }
        guard fitting.isEmpty else { return nil }
        if damages.allSatisfy({ Way(of: $0) == .series }) { return "the estate promises neither a schedule nor a retention of it" }
        return set.isPhysical ? "none of the named damages is one of physical backups" : "none of the named damages is one of its engine's"
    }

    /// - Parameter damage: nil for the untouched copy, which must be green.
    private func attempt(_ damage: Damage?, by way: Way, recovery: Recovery, set: BackupSet) async throws -> SabotageResult {
        var result = SabotageResult(
            service: recovery.service, damage: damage?.name ?? way.untouched, verdict: .error, explanation: "")
        let host = try await ScratchHost.prepare(in: root, purpose: "sabotage \(plan.name)", view: plan.estate.view)
        do {
            // A copy is restored to be damaged.
            if let finding = await host.unmet(plan.quarantine).first?.findings.first { throw DrillFailure.error(finding) }
            let copy: DamagedCopy.Made?
            switch way {
            case .copy: copy = try await DamagedCopy(plan: plan, recovery: recovery, set: set, host: host).make(damage)
            case .cluster: copy = try await DamagedCluster(plan: plan, recovery: recovery, set: set, host: host).make(damage)
            case .archive: copy = try await DamagedArchive(plan: plan, recovery: recovery, set: set, host: host).make(damage)
            case .series:
                copy = nil
                let series = try await DamagedSeries(of: set, in: plan.estate, stores: RemoteStores(plan.estate, host: host))
                if let judged = series.judge(damage) {
                    (result.verdict, result.explanation) = Self.judge(series: judged.cases, harm: judged.harm)
                } else {
                    result.verdict = .skipped
                    result.explanation = "the estate promises nothing that this would break, or too few backups are there"
                }
            }
            if let copy {
                let report = try await drill(on: copy, recovery: recovery)
                (result.verdict, result.explanation) = Self.judge(report.drills.flatMap(\.cases), harm: copy.harm)
            } else if way != .series {
                result.verdict = .skipped
                result.explanation = "this backup holds nothing to damage so"
            }
        } catch let error as CancellationError {
            try? await host.remove()
            throw error
        } catch let failure as DrillFailure {
            result.explanation = "\(failure.finding.message) (\(failure.finding.hint))"
        } catch let error as ScratchError {
            result.explanation = error.description
        } catch let error as RedisError {
            result.explanation = "\(error.message) (\(error.hint))"
        } catch {
            result.explanation = "the copy could not be made: \(error.localizedDescription)"
        }
        try await host.remove()
        return result
    }

    private func drill(on copy: DamagedCopy.Made, recovery: Recovery) async throws -> RunReport {
        let hub = EventHub()
        let show = copy.harm == nil ? nil : show
        let listener = Task {
            var report = RunReport()
            for await event in hub.events {
                report.apply(event)
                await show?(event)
            }
            return report
        }
        // What surrounds a backup is not what is proved here.
        var plan = copy.plan
        (plan.application, plan.caches, plan.existing, plan.outage) = (nil, [], [], nil)
        (plan.hooks, plan.manual) = ([:], [])
        let outcome: Result<Verdict, any Error>
        do {
            // The copy's estate knows its own store alone.
            outcome = .success(try await DrillRun(root: root, hidden: self.plan.estate.view.hidden).run(plan, hub: hub))
        } catch {
            outcome = .failure(error)
        }
        hub.finish()
        let report = await listener.value
        _ = try outcome.get()
        return report
    }

    /// Green means: an untouched copy without a finding, or a damaged one with exactly its own.
    static func judge(_ asked: [CaseResult], harm: Harm?) -> (Verdict, String) {
        let cases = asked.filter { $0.group != .step && $0.group != .objective }
        // Without a seal that holds nothing is left to be compared with: that follows from a damaged seal, and is no trouble of ours.
        let unasked = cases.first { unasked in
            let follows = harm != nil && unasked.findings.map(\.rule.name) == ["nothing-verified"]
            return unasked.verdict == .error && !follows
        }
        if let unasked {
            return (.error, "\(unasked.name): \(unasked.reason)")
        }
        let findings = cases.filter { $0.verdict == .failed }.flatMap(\.findings).filter { $0.severity == .critical }
        guard let harm else {
            guard let first = findings.first else {
                let answered = cases.filter { $0.verdict == .passed }.count
                return answered > 0 ? (.passed, "green: \(answered) checks passed") : (.error, "nothing was checked")
            }
            return (.failed, "false red: \(first.rule) \(first.object)")
        }
        func matches(_ finding: Finding) -> Bool {
            finding.rule == harm.rule && (harm.object.isEmpty || finding.object.contains(harm.object))
        }
        guard let found = findings.first(where: matches) else {
            let instead = findings.map { "\($0.rule) \($0.object)" }.joined(separator: "; ")
            return (.failed, "missed: \(harm.rule) \(harm.object) was expected, \(instead.isEmpty ? "nothing was found" : instead)")
        }
        let others = findings.filter { !matches($0) && !harm.consequences.contains($0.rule) }
        guard others.isEmpty else {
            return (.failed, "found, and more than that: \(others.map { "\($0.rule) \($0.object)" }.joined(separator: "; "))")
        }
        return (.passed, "caught: \(found.rule) \(found.object)")
    }
}

extension SabotageSession {
    /// A regime that is not kept as it is proves nothing here, and is no fault of the checks: `muster inspect` has found it.
    static func judge(series cases: [CaseResult], harm: Harm?) -> (Verdict, String) {
        let first = cases.flatMap(\.findings).first { $0.severity == .critical }
        guard harm == nil, let first else { return judge(cases, harm: harm) }
        return (.skipped, "red as it is: \(first.rule) \(first.object); muster inspect says more")
    }
}

/// What is copied, to be damaged.
private enum Way: CaseIterable {
    /// One artifact.
    case copy
    /// What a physical backup recovers to.
    case cluster
    /// A base backup, and what it is rolled forward by.
    case archive
    /// Nothing: what was listed of all the backups is judged anew.
    case series

    init(of damage: Damage) {
        self =
            switch damage.means {
            case .artifact, .content, .seal, .sealed, .postgres, .script, .redis: .copy
            case .tableFile: .cluster
            case .archive: .archive
            case .series: .series
            }
    }

    /// The name of the copy that nothing is done to.
    var untouched: String {
        switch self {
        case .copy, .cluster: "untouched"
        case .archive: "untouched archive"
        case .series: "untouched series"
        }
    }

    /// Whether such a copy can be made.
    func fits(_ set: BackupSet) -> Bool {
        switch self {
        case .copy: !set.isPhysical
        case .cluster: set.isPhysical
        case .archive: DamagedArchive.fits(set)
        case .series: DamagedSeries.fits(set)
        }
    }
}
