// The loss of a zone: cut off before the incident, proven, and brought back on every path.

import BackupCatalog
import DrillEngine
import DrillModel
import Foundation
import ScratchHost

extension Rule {
    static let keyLostWithZone = Rule("key-lost-with-zone")
    static let lostZoneCameBack = Rule("lost-zone-came-back")
    static let zoneNotRestored = Rule("lost-zone-not-restored")
}

/// One drill's outage.
actor ZoneOutage: OutageDriver {
    private let outage: Outage
    private let plan: DrillPlan
    private let stores: RemoteStores
    private let hooks: DrillHooks
    /// From the moment at which the zone may have been touched.
    private var isCut = false

    /// - Parameter plan: Its estate is what is left.
    init(_ outage: Outage, plan: DrillPlan, stores: RemoteStores, host: ScratchHost) {
        self.outage = outage
        self.plan = plan
        self.stores = stores
        hooks = DrillHooks(plan: plan, host: host)
    }

    func begin(_ log: any StepLog) async throws {
        log.fact("lost-zone", outage.zone)
        log.fact("lost-stores", outage.lost.map(\.name).joined(separator: ", "))
        // A key that could not be had before was not lost with the zone.
        let had = outage.commands == nil ? [] : Set(neededKeys.filter { failure(ofKey: $0) == nil })
        if let commands = outage.commands {
            isCut = true
            let name = "outage: cut \(outage.zone) off"
            let finding = try await run(commands.cut, of: commands, "cut").finding(of: "command cut", timeout: commands.cut.timeout)
            try Task.checkCancellation()
            log.record(finding.map { .unasked(.step, name: name, finding: $0) } ?? .judged(.step, name: name, findings: []))
            // Half a cut is none: what would be asked now says nothing.
            if finding != nil { return }
        }
        for store in outage.lost {
            let name = "the lost zone can't be reached: \(store.name)"
            let finding = await stores.reach(of: store)
            try Task.checkCancellation()
            log.record(finding.map { .unasked(.quarantine, name: name, finding: $0) } ?? .judged(.quarantine, name: name, findings: []))
        }
        for key in neededKeys { recordKey(key, wasThere: had.contains(key), log) }
        recordTrust(log)
    }

    func confirm(_ log: any StepLog) async throws {
        for store in outage.lost {
            let name = "the lost zone stayed out of reach: \(store.name)"
            guard var finding = await stores.reach(of: store) else {
                log.record(.judged(.quarantine, name: name, findings: []))
                continue
            }
            if finding.rule.name == "lost-zone-reachable" {
                finding.rule = .lostZoneCameBack
                finding.message = "the lost zone came back while the drill ran: what was recovered may have leaned on it"
                finding.hint = "find out what brought it back (an automounter, another run's restore command), and run the drill again"
            }
            log.record(.unasked(.quarantine, name: name, finding: finding))
        }
    }

    func tearDown() async -> [Finding] {
        guard isCut, let commands = outage.commands else { return [] }
        let restore = commands.restore
        // A drill that was stopped brings the zone back too: a task of its own knows nothing of the cancellation.
        let ending = await Task { try await self.run(restore, of: commands, "restore") }.result
        guard case .success(let ending) = ending else { return [notRestored("it could not be run", commands)] }
        guard ending.finding(of: "command restore", timeout: restore.timeout) != nil else {
            isCut = false
            return []
        }
        return [notRestored(ending.words, commands)]
    }

    private func notRestored(_ how: String, _ commands: Outage.Commands) -> Finding {
        Finding(
            .zoneNotRestored, object: "zone \(outage.zone)", expected: "the restore command's exit 0", actual: how,
            message: "the command that brings the zone back did not succeed: its stores may still be cut off",
            hint: "run the command restore of zone \(outage.zone) in \(commands.file.lastPathComponent) by hand, in that file's folder")
    }

    private func run(_ command: Hook, of commands: Outage.Commands, _ name: String) async throws -> HookEnding {
        try await hooks.run(
            command, statedIn: commands.file, logName: "outage-\(name)", telling: ["MUSTER_STEP": name, "MUSTER_ZONE": outage.zone])
    }

    // MARK: Keys

    /// Of the artifacts, of their WAL, and of the stores that are left.
    private var neededKeys: [String] {
        var names: Set<String> = []
        for recovery in plan.recover {
            guard let set = plan.estate.services[recovery.service]?.backups[recovery.backup] else { continue }
            names.formUnion([set.encryption?.key, set.wal?.encryption?.key].compactMap { $0 })
            for store in set.stores + (set.wal?.stores ?? []) { names.formUnion(plan.estate.stores[store]?.remote?.keys ?? []) }
        }
        return names.sorted()
    }

    private func failure(ofKey name: String) -> DrillFailure? {
        do throws(DrillFailure) {
            _ = try Keyring(plan.estate).secret(named: name)
            return nil
        } catch {
            return error
        }
    }

    private func recordKey(_ key: String, wasThere: Bool, _ log: any StepLog) {
        let name = "key \(key) can be had without the zone"
        guard let failure = failure(ofKey: key) else { return log.record(.judged(.backup, name: name, findings: [])) }
        guard wasThere else { return log.record(.unasked(.backup, name: name, finding: failure.finding)) }
        log.record(
            .judged(
                .backup, name: name,
                findings: [
                    Finding(
                        .keyLostWithZone, object: "key \(key)", expected: "a secret that outlives the zone",
                        actual: "gone with zone \(outage.zone)",
                        message: "the key could be had before the zone was cut off, and can't any more: no backup opens without it",
                        hint: "keep the key in another zone too, and name that place in the estate file")
                ]))
    }

    /// Without the keys that seals are trusted by, nothing says that a backup is whole.
    private func recordTrust(_ log: any StepLog) {
        guard !plan.estate.seals.trustedKeys.isEmpty else { return }
        let name = "the keys that seals are trusted by can be had without the zone"
        do throws(DrillFailure) {
            _ = try ServiceBackups.trustedKeys(of: plan.estate)
            log.record(.judged(.backup, name: name, findings: []))
        } catch {
            log.record(.unasked(.backup, name: name, finding: error.finding))
        }
    }
}
