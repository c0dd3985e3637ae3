// The zone that a drill loses, how it is cut off, and whether all that the drill needs can outlive it.

import DrillModel
import Foundation
import Yams

/// Reads `lost-zone` and `outage`.
struct OutageReader {
    let file: SourceFile
    let fields: Fields
    /// nil where it can't be read, which has been told.
    let estate: Estate?
    let scenario: Scenario?

    /// nil where no zone is lost, or where something is wrong with it, which has been told.
    func read(recovering recoveries: [Recovery]) -> Outage? {
        guard let scenario else { return nil }
        guard scenario.losesZone else {
            for key in ["lost-zone", "outage"] where fields[key] != nil {
                fields.report(
                    key, "\"\(key)\" does not fit scenario \"\(scenario.rawValue)\"",
                    hint: "remove it, or write scenario: \(Scenario.dataCenterOutage.rawValue)")
            }
            return nil
        }
        let commands = commands()
        guard let zone = fields.text("lost-zone"), let estate else { return nil }
        let lost = estate.stores.values.filter { $0.zone == zone }.sorted { $0.name < $1.name }
        guard !lost.isEmpty else {
            fields.report(
                "lost-zone", "no store of the estate lies in zone \(shown(zone))",
                hint: NearestWord.hint(for: zone, among: Set(estate.stores.values.compactMap(\.zone)), called: "zones"))
            return nil
        }
        for recovery in recoveries { check(recovery, of: estate, without: zone, lost) }
        checkTrust(of: estate, lost)
        checkApplication(of: estate, lost)
        // The drill's own commands outrank the estate's, flawed ones included.
        return Outage(zone: zone, lost: lost, commands: fields["outage"] == nil ? estate.zones[zone] : commands)
    }

    /// The drill's own; nil also for `none`, of a zone that is out of reach already.
    private func commands() -> Outage.Commands? {
        if case .scalar(let scalar)? = fields["outage"]?.node, scalar.string == "none" { return nil }
        return fields["outage"].flatMap { ZoneReader(file: file, fields: fields).commands($0, .outage, title: "\"outage\"") }
    }

    // MARK: What must outlive it

    private func check(_ recovery: Recovery, of estate: Estate, without zone: String, _ lost: [Store]) {
        if let standby = estate.standby(of: recovery) {
            checkPrimary(of: recovery.service, estate, without: zone)
            return check(standby, of: recovery, without: zone, lost)
        }
        guard let set = estate.services[recovery.service]?.backups[recovery.backup] else { return }
        let title = "backup \"\(set.name)\" of \"\(set.service)\""
        let hint = "name a store of another zone in its \"stores\", one whose zone the estate states"
        let place = place(of: recovery.service)
        if !set.stores.contains(where: { estate.outlives($0, theLossOf: zone) }) {
            file.report(at: place, "\(title) has no store outside of zone \(shown(zone))", hint: hint)
        } else if let wal = set.wal, !wal.stores.contains(where: { estate.outlives($0, theLossOf: zone) }) {
            file.report(at: place, "the WAL archive of \(title) has no store outside of zone \(shown(zone))", hint: hint)
        }
        let left = estate.without(zone: zone)
        let reached = (set.stores + (set.wal?.stores ?? [])).compactMap { left.stores[$0]?.remote }
        let keys = [set.encryption?.key, set.wal?.encryption?.key].compactMap { $0 } + reached.flatMap(\.keys)
        for key in Set(keys).sorted() {
            guard case .file(let url)? = estate.keys[key], let store = store(of: url, among: lost) else { continue }
            file.report(
                at: place, "key \"\(key)\", which \(title) needs, lies in store \"\(store.name)\" and is lost with it",
                hint: "keep it outside of every store, or in another zone")
        }
    }

    private func check(_ standby: Standby, of recovery: Recovery, without zone: String, _ lost: [Store]) {
        let service = recovery.service
        let title = "the \(recovery.backup) of \"\(service)\""
        if standby.zone == nil || standby.zone == zone {
            file.report(
                at: place(of: service),
                standby.zone == nil ? "nothing says in which zone \(title) stands" : "\(title) is lost with its zone",
                hint: "write the zone that it stands in as \(recovery.backup): {zone: NAME} in the estate file, or recover from a backup")
        }
        if case .file(let url)? = standby.connection.password, let store = store(of: url, among: lost) {
            file.report(
                at: place(of: service), "the password of \(title) lies in store \"\(store.name)\" and is lost with it",
                hint: "keep it outside of every store, or in another zone")
        }
    }

    /// What the standby takes over from must be lost: otherwise a living primary is compared with, and called lost.
    private func checkPrimary(of service: String, _ estate: Estate, without zone: String) {
        guard let source = estate.services[service]?.source, source.zone != zone else { return }
        let title = "the source of \"\(service)\""
        file.report(
            at: place(of: service),
            source.zone.map { "\(title) stands in zone \(shown($0)), and is not lost with zone \(shown(zone))" }
                ?? "nothing says in which zone \(title) stands",
            hint: "write the zone that it stands in as source: {zone: NAME} in the estate file, or recover from a backup")
    }

    private func checkTrust(of estate: Estate, _ lost: [Store]) {
        for url in estate.seals.trustedKeys {
            guard let store = store(of: url, among: lost) else { continue }
            fields.report(
                "lost-zone", "\(url.lastPathComponent), which seals are trusted by, lies in store \"\(store.name)\" and is lost with it",
                hint: "keep it outside of every store, or in another zone")
        }
    }

    private func checkApplication(of estate: Estate, _ lost: [Store]) {
        guard let name = fields.text("application"), case .folder(let url)? = estate.applications[name]?.code,
            let store = store(of: url, among: lost)
        else { return }
        fields.report(
            "application", "the files of application \"\(name)\" lie in store \"\(store.name)\" and are lost with it",
            hint: "start it from a recovered service: code: NAME")
    }

    private func place(of service: String) -> Place? {
        guard case .mapping(let mapping)? = fields["recover"]?.node else { return fields.place }
        return file.entries(mapping, silently: true).first { $0.name == service }?.place ?? fields.place
    }

    /// By where it really lies, links followed.
    private func store(of url: URL, among lost: [Store]) -> Store? {
        func spellings(_ url: URL) -> [String] { [url.standardizedFileURL.path, url.resolvingSymlinksInPath().path] }
        return lost.first { store in
            guard let folder = store.folder else { return false }
            return spellings(folder).contains { root in
                spellings(url).contains { $0.hasPrefix(root.hasSuffix("/") ? root : root + "/") }
            }
        }
    }
}
