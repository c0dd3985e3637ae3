// The loss of a zone: cut off before the incident, proven, and brought back on every path.

import BackupAccess
import BackupCatalog
import Cryptography
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
struct ZoneOutage: OutageDriver, LostZone {
    private let outage: Outage
    private let plan: DrillPlan
    private let stores: RemoteStores
    /// The servers that are lost with it.
    private let primaries: [LostPrimary]
    /// What else stands in it, though nothing fails over from it.
    private let others: [LostPrimary]
    private let hooks: DrillHooks

    /// - Parameter plan: Its estate is what is left.
    init(_ outage: Outage, plan: DrillPlan, stores: RemoteStores, primaries: [LostPrimary], host: ScratchHost) {
        self.primaries = primaries
        others = plan.lostServers.map { LostPrimary($0.service, source: $0.connection, plan: plan, title: $0.title) }
        self.outage = outage
        self.plan = plan
        self.stores = stores
        hooks = DrillHooks(plan: plan, host: host)
    }

    func begin(_ attempt: Attempt) async throws -> (any LostZone)? {
        let log = attempt.log
        log.fact("lost-zone", outage.zone)
        log.fact("lost-stores", outage.lost.map(\.name).joined(separator: ", "))
        let servers = primaries.map(\.title) + others.map(\.title)
        if !servers.isEmpty { log.fact("lost-servers", servers.joined(separator: ", ")) }
        // A key that could not be had before was not lost with the zone.
        let had = outage.commands == nil ? [] : Set(neededKeys.filter { $0.failure() == nil }.map(\.title))
        // A folder under two names survives its own loss. Once it is cut off, nobody can tell.
        if let shared = ZoneOverlap(lost: outage.lost, left: Array(plan.estate.stores.values)).ask() { log.record(shared) }
        if let commands = outage.commands {
            try registerUndo(commands)
            // The last thing before: what it writes after that, nobody knows of.
            for primary in primaries { try await primary.ask() }
            // From now on it may have been touched.
            attempt.reportAtEnd { await bringBack(commands) }
            let name = "outage: cut \(outage.zone) off"
            let finding = try await run(commands.cut, of: commands, "cut").finding(of: "command cut", timeout: commands.cut.timeout)
            try Task.checkCancellation()
            log.record(finding.map { .unasked(.step, name: name, finding: $0) } ?? .judged(.step, name: name, findings: []))
            // Half a cut is none: what would be asked now says nothing.
            if finding != nil { return nil }
        }
        for primary in primaries { await primary.isGone() }
        for place in places {
            let name = "the lost zone can't be reached: \(place.name)"
            let finding = await place.reach()
            try Task.checkCancellation()
            log.record(finding.map { .unasked(.quarantine, name: name, finding: $0) } ?? .judged(.quarantine, name: name, findings: []))
        }
        for key in neededKeys { record(key, wasThere: had.contains(key.title), log) }
        recordTrust(log)
        return self
    }

    func confirm(_ log: any StepLog) async throws {
        for place in places {
            let name = "the lost zone stayed out of reach: \(place.name)"
            guard var finding = await place.reach() else {
                log.record(.judged(.quarantine, name: name, findings: []))
                continue
            }
            if finding.rule == .lostZoneReachable {
                finding.rule = .lostZoneCameBack
                finding.message = "the lost zone came back while the drill ran: what was recovered may have leaned on it"
                finding.hint = "find out what brought it back (an automounter, another run's restore command), and run the drill again"
            }
            log.record(.unasked(.quarantine, name: name, finding: finding))
        }
    }

    private struct Place {
        var name: String
        /// nil: nothing of it can be reached.
        var reach: () async -> Finding?
    }

    /// All that is lost and could be reached.
    private var places: [Place] {
        outage.lost.map { store in Place(name: store.name) { [stores] in await stores.reach(of: store) } }
            + (primaries + others).map { primary in Place(name: primary.title) { await primary.reach() } }
    }

    private func bringBack(_ commands: Outage.Commands) async -> [Finding] {
        let restore = commands.restore
        // Whatever it comes to is told here.
        defer { hooks.host.withdraw(UndoCommand.self) }
        // A drill that was stopped brings the zone back too: a task of its own knows nothing of the cancellation.
        let ending = await Task { try await run(restore, of: commands, "restore") }.result
        guard case .success(let ending) = ending else { return [notRestored("it could not be run", commands)] }
        guard ending.finding(of: "command restore", timeout: restore.timeout) != nil else { return [] }
        return [notRestored(ending.words, commands)]
    }

    private func notRestored(_ how: String, _ commands: Outage.Commands) -> Finding {
        Finding(
            .zoneNotRestored, object: "zone \(outage.zone)", expected: "the restore command's exit 0", actual: how,
            message: "the command that brings the zone back did not succeed: its stores may still be cut off",
            hint: "run the command restore of zone \(outage.zone) in \(commands.file.lastPathComponent) by hand, in that file's folder")
    }

    private func run(_ command: Hook, of commands: Outage.Commands, _ name: String) async throws -> HookEnding {
        try await hooks.run(command, statedIn: commands.file, logName: "outage-\(name)", telling: told(name))
    }

    private func told(_ name: String) -> [String: String] { ["MUSTER_STEP": name, "MUSTER_ZONE": outage.zone] }

    /// Before the cut: should this run be killed, `muster clean` and the next run bring the zone back.
    private func registerUndo(_ commands: Outage.Commands) throws(DrillFailure) {
        guard let command = hooks.command(of: commands.restore, statedIn: commands.file) else {
            throw .error(
                Finding(
                    .zoneNotRestored, object: "zone \(outage.zone)", expected: "a restore command that can be run",
                    actual: "\(commands.restore.run[0]) can't be found or executed",
                    message: "the zone was not cut off, since nothing could bring it back",
                    hint: "mend restore of zone \(outage.zone) in \(commands.file.lastPathComponent)"))
        }
        do {
            try hooks.host.register(
                UndoCommand(
                    title: "zone \(outage.zone)", origin: "the command restore of zone \(outage.zone) in \(commands.file.path)",
                    command: command, environment: hooks.environment(telling: told("restore")),
                    workingFolder: hooks.place(of: commands.file), limit: commands.restore.timeout))
        } catch {
            throw .error(Finding(.scratchUnusable, object: "zone \(outage.zone)", message: error.message, hint: error.hint))
        }
    }

    // MARK: Keys

    private struct Key {
        var title: String
        /// What can't be done without it.
        var use: String
        /// nil: it can be had.
        var failure: () -> DrillFailure?
    }

    /// Of the artifacts, of their WAL, of the stores that are left, and of the standbys.
    private var neededKeys: [Key] {
        var names: Set<String> = []
        for recovery in plan.recover {
            guard let set = plan.estate.services[recovery.service]?.backups[recovery.backup] else { continue }
            names.formUnion([set.encryption?.key, set.wal?.encryption?.key].compactMap { $0 })
            for store in set.stores + (set.wal?.stores ?? []) { names.formUnion(plan.estate.stores[store]?.remote?.keys ?? []) }
        }
        let keyring = Keyring(plan.estate)
        let keys = names.sorted().map { name in
            Key(title: "key \(name)", use: "no backup opens without it") {
                Self.failure { () throws(DrillFailure) in try keyring.secret(named: name) }
            }
        }
        return keys
            + plan.recover.compactMap { recovery in
                guard let reference = plan.estate.standby(of: recovery)?.connection.password else { return nil }
                let title = "the password of \(recovery.service)'s standby"
                return Key(title: title, use: "nobody is let in to the standby without it") {
                    Self.failure { () throws(DrillFailure) in
                        try Keyring.secret(reference, named: "\(recovery.service)'s password", hiding: keyring.secretVariables)
                    }
                }
            }
    }

    private static func failure(_ body: () throws(DrillFailure) -> Secret) -> DrillFailure? {
        do throws(DrillFailure) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    private func record(_ key: Key, wasThere: Bool, _ log: any StepLog) {
        let name = "\(key.title) can be had without the zone"
        guard let failure = key.failure() else { return log.record(.judged(.backup, name: name, findings: [])) }
        guard wasThere else { return log.record(.unasked(.backup, name: name, finding: failure.finding)) }
        log.record(
            .judged(
                .backup, name: name,
                findings: [
                    Finding(
                        .keyLostWithZone, object: key.title, expected: "a secret that outlives the zone",
                        actual: "gone with zone \(outage.zone)",
                        message: "the key could be had before the zone was cut off, and can't any more: \(key.use)",
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
