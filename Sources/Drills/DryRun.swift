// `muster run --dry-run`: what would be done, from the catalogue alone.

import BackupAccess
import BackupCatalog
import DrillEngine
public import DrillModel
import Foundation
import Reports
public import ScratchHost

/// Shows each drill's choice of recovery points without fetching anything.
public struct DryRun: Sendable {
    var plans: [DrillPlan]
    var root: ScratchRoot
    /// Hears each line.
    var tell: @Sendable (String) -> Void

    public init(plans: [DrillPlan], root: ScratchRoot, tell: @escaping @Sendable (String) -> Void) {
        self.plans = plans
        self.root = root
        self.tell = tell
    }

    /// - Throws: ``ExitCode/unverified`` or ``ExitCode/failed`` where a drill could not begin.
    public func show() async throws {
        var verdicts: [Verdict] = []
        for plan in plans {
            tell("\(plan.name)  (\(plan.scenario.rawValue), profile \(plan.profile.rawValue), \(plan.file.path))")
            if let named = plan.namedEstate {
                tell("  estate     \(plan.estate.file.path), named by --estate in place of \(named.path)")
            }
            let disaster = if case .at(let date) = plan.incident { date } else { Date() }
            tell("  incident   \(Readable.time(disaster, in: plan.estate.timeZone))")
            verdicts += try await RemoteScope.with(plan.estate, in: root) { stores in
                var verdicts: [Verdict] = []
                for recovery in plan.recover { verdicts.append(await show(recovery, of: plan, disaster: disaster, stores)) }
                for recovery in plan.existing {
                    verdicts.append(await show(recovery, of: plan, disaster: disaster, stores, as: ", lives on"))
                }
                return verdicts
            }
            showSurroundings(of: plan)
            let declared = plan.checks.values.reduce(0) { $0 + $1.count }
            tell("  checks     every built-in one, and \(Readable.count(declared, "declared check"))")
            let targets = [("RTO", plan.targets.rto), ("RPO", plan.targets.rpo), ("RPO worst case", plan.targets.rpoWorstCase)]
            let declaredTargets = targets.compactMap { name, value in value.map { "\(name) < \(Readable.duration($0))" } }
            tell("  targets    \(declaredTargets.isEmpty ? "none" : declaredTargets.joined(separator: ", "))")
            for channel in plan.estate.notify {
                tell("  told       \(channel.summary) on \(channel.occasionNames.joined(separator: ", "))")
            }
        }
        let verdict = Verdict.combined(verdicts)
        if verdict != .passed { throw DrillModel.ExitCode(verdict) }
    }

    /// What is started, and what is around the steps.
    private func showSurroundings(of plan: DrillPlan) {
        if let outage = plan.outage {
            let cut = outage.commands.map { ", cut off by \($0.cut.run[0])" } ?? ", which must be out of reach already"
            let lost = outage.lost.map(\.name) + plan.lostPrimaries.map { "the primary of \($0)" } + plan.lostServers.map(\.title)
            tell("  lost       zone \(outage.zone): \(lost.joined(separator: ", "))\(cut)")
        }
        for cache in plan.caches {
            let how = cache.repopulation.map { "repopulated by \($0.run[0].text), \(Readable.duration($0.timeout)) at the most" }
            tell(
                "  \(cache.service.padding(toLength: 10, withPad: " ", startingAt: 0)) \(how ?? "empty: the application must be well so")")
        }
        if let application = plan.application.flatMap({ plan.estate.applications[$0] }) {
            let probes = application.health.probes.map(\.name).joined(separator: ", ")
            tell(
                "  starts     \(application.name): \(application.start.map(\.text).joined(separator: " ")); well when \(probes) "
                    + "hold for \(Readable.duration(application.health.hold))")
        }
        for step in Step.allCases {
            for moment in Hook.Moment.allCases {
                guard let hook = plan.hooks[step]?[moment] else { continue }
                tell(
                    "  hook       \(moment.rawValue) \(step.rawValue): \(hook.run[0]), \(Readable.duration(hook.timeout)) at the most")
            }
            for manual in plan.manual where manual.step == step {
                tell("  manual     \(step.rawValue): \(manual.name), allowed \(Readable.duration(manual.allowance))")
            }
        }
    }

    private func show(
        _ recovery: Recovery, of plan: DrillPlan, disaster: Date, _ stores: RemoteStores, as role: String = ""
    ) async -> Verdict {
        if recovery.isFailover(in: plan.estate) {
            tell(
                "  \(recovery.service.padding(toLength: 10, withPad: " ", startingAt: 0)) a clone of its \(recovery.backup), which the drill asks for its lag"
            )
            return .passed
        }
        if let living = plan.estate.living(of: recovery) {
            tell(
                "  \(recovery.service.padding(toLength: 10, withPad: " ", startingAt: 0)) the living server in \(living.host), which is only read\(role)"
            )
            return .passed
        }
        guard let set = plan.estate.services[recovery.service]?.backups[recovery.backup] else { return .error }
        do throws(DrillFailure) {
            let source = ServiceBackups(estate: plan.estate, set: set, stores: stores)
            let all = try await source.identify(before: disaster).points
            let target = recovery.target ?? RecoveryTarget(.end)
            let moments = target.goal == .moment ? try await SealedMoments(source: source).usable(before: disaster) : []
            let targeted = TargetedPoints(source: source, target: target, moments: moments)
            let points = try await targeted.choose(all).points
            let sample = Sample(recovery, of: recovery.service, seed: plan.seed, disaster: disaster)
            let drawn = recovery.selection.isSample ? sample.choose(from: points, recovery.selection) : points.first
            guard let point = drawn else {
                tell("  \(recovery.service): none of \(Readable.count(points.count, "recovery point")) is young enough to be drawn")
                return points.isEmpty ? .error : .failed
            }
            if recovery.selection == .random, plan.seed == nil {
                tell(
                    "  \(recovery.service.padding(toLength: 10, withPad: " ", startingAt: 0)) one of "
                        + "\(Readable.count(Set(points.map(\.path)).count, "backup")), drawn at random (--seed N says which)")
                return .passed
            }
            let sealed = if case .valid = point.sealState { "sealed" } else { "not sealed" }
            tell(
                "  \(recovery.service.padding(toLength: 10, withPad: " ", startingAt: 0)) \(point.path), "
                    + "\(Readable.bytes(point.size)), of \(Readable.time(point.time, in: plan.estate.timeZone)), \(sealed), "
                    + "in \(point.store)\(role)")
            // A seal vouches for a database; what files and code hold is asked by their own checks.
            let needsQuestions = [.pgDump, .rdb, .aof].contains(set.kind) && role.isEmpty
            if needsQuestions, case .missing = point.sealState, plan.checks[recovery.service, default: []].isEmpty, plan.application == nil
            {
                tell(
                    "  \(recovery.service): no check is declared and no seal holds: nothing would be verified, and the run would end in error\n"
                        + "    hint: declare a check of it in \(plan.file.lastPathComponent), or let muster seal make its backups")
                return .error
            }
            return .passed
        } catch {
            tell("  \(recovery.service): \(error.finding.message)\n    hint: \(error.finding.hint)")
            return error.verdict
        }
    }
}
