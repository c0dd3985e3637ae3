// A drill file to a drill.

import DrillModel
import Foundation
import Yams

/// Reads one drill file against its estate.
struct DrillReader {
    private enum Demand: String, CaseIterable {
        case required
        case ifPossible = "if-possible"
    }

    let file: SourceFile
    let fields: Fields
    let now: Date

    /// nil where the file is no mapping, which it then reports.
    init?(_ file: SourceFile, now: Date) {
        guard let root = file.root, let fields = Fields(file, root, .drill) else { return nil }
        self.file = file
        self.fields = fields
        self.now = now
    }

    /// The estate's path as it is written, where it is one.
    func estatePath() -> String? {
        guard let text = fields.text("estate"), file.checkPath(text, what: "\"estate\"", at: fields.place(of: "estate")) else { return nil }
        return text
    }

    /// Reads the drill; nil where it has problems. Without an estate, names are not looked up.
    func read(against estate: Estate?) -> DrillPlan? {
        fields.requireVersion()
        let name = fields.name("drill")
        let scenario = fields.choice("scenario", Scenario.self)
        let profile = fields.choice("profile", Profile.self) ?? .production
        let incident = incident()
        let targets = targets()
        let allowances = allowances()
        let recover = recoveries("recover", what: "service to recover", from: estate)
        checkSamples(recover, targets, of: estate)
        let caches = CacheReader(file: file, fields: fields, estate: estate).read()
        let existing = recoveries("existing", what: "existing service", from: estate)
        let surroundings = SurroundingsReader(file: file, fields: fields)
        let hooks = surroundings.hooks()
        let manual = surroundings.manual(besides: allowances.map(\.name))
        let procedure = ProcedureReader(file: file, fields: fields, estate: estate, scenario: scenario)
        let application = procedure.application()
        procedure.checkFit()
        let outage = OutageReader(file: file, fields: fields, estate: estate, scenario: scenario).read(recovering: recover)
        let checks = checks(of: estate)
        let quarantine = quarantine()
        let promised = CadenceReader(file: file, fields: fields)
        let cadence = promised.cadence()
        let formerNames = promised.formerNames()
        guard file.problems.isEmpty, let estate, let name, let scenario else { return nil }
        var plan = DrillPlan(
            name: name, scenario: scenario, estate: outage.map { estate.without(zone: $0.zone) } ?? estate, profile: profile,
            incident: incident, targets: targets,
            allowances: allowances, recover: recover, caches: caches, existing: existing, outage: outage, application: application,
            hooks: hooks,
            manual: manual,
            checks: checks, quarantine: quarantine, file: file.url)
        plan.cadence = cadence
        plan.formerNames = formerNames
        return plan
    }

    private func incident() -> Incident {
        guard let entry = fields["incident"] else { return .now }
        if case .scalar = entry.node {
            fields.report("incident", "\"incident\" must be a mapping", hint: "write \"incident: {at: now}\"")
            return .now
        }
        guard let incident = Fields(file, entry.node, .incident, title: "\"incident\"", place: entry.place),
            let text = incident.text("at"), text != "now"
        else { return .now }
        let example = "write now, or an instant with its zone such as 2026-03-01T02:00:00+05:30"
        do throws(InstantText.Failure) {
            let date = try InstantText.parse(text)
            // A minute for clocks that differ.
            if date > now.addingTimeInterval(60) {
                incident.report("at", "the incident lies in the future", hint: "write now, or an instant that has passed; check its zone")
            }
            return .at(date)
        } catch {
            let (message, hint) =
                switch error {
                case .noZone: ("\"at\" has no time zone", "add Z for UTC, or an offset such as +05:30")
                case .noTime: ("\"at\" has no time of day", example)
                case .malformed: ("\"at\" is not an instant", example)
                case .impossible: ("\"at\" is no moment of any calendar", "check month, day, hour, minute and offset")
                }
            incident.report("at", message, hint: hint)
            return .now
        }
    }

    private func targets() -> Targets {
        guard let entry = fields["targets"],
            let targets = Fields(file, entry.node, .targets, title: "\"targets\"", place: entry.place)
        else { return Targets() }
        if case .mapping(let mapping) = entry.node, mapping.isEmpty {
            fields.report("targets", "\"targets\" is empty", hint: "name at least one of rto, rpo and rpo-worst-case, or remove the line")
        }
        return Targets(
            rto: targets.duration("rto"), rpo: targets.duration("rpo"), rpoWorstCase: targets.duration("rpo-worst-case"))
    }

    private func allowances() -> [Allowance] {
        (fields.named("allowances", what: "allowance") ?? []).compactMap { entry in
            file.duration(entry).map { Allowance(name: entry.name, duration: $0) }
        }
    }

    private func recoveries(_ key: String, what: String, from estate: Estate?) -> [Recovery] {
        guard fields[key] != nil else { return [] }
        return (fields.named(key, what: what) ?? []).compactMap { entry in
            let service = service(entry, of: estate)
            if key == "recover", CacheReader.isCache(entry.node) { return nil }
            let title = "\"\(key)\" of \"\(entry.name)\""
            guard let recovery = Fields(file, entry.node, .recovery, title: title, place: entry.place) else { return nil }
            let backup = recovery.text("from")
            let (selection, within) = SelectionReader(file: file, recovery: recovery).read()
            let tries = recovery.whole("tries", in: 1...1000)
            if let selection, selection != .latestHealthy, recovery["tries"] != nil {
                recovery.report(
                    "tries", "\"tries\" does not fit \"select: \(selection.rawValue)\"",
                    hint: "remove it: \(selection.rawValue) tries one backup and no other")
            }
            let jobs = recovery.whole("jobs", in: 1...64)
            let database = recovery.databaseName("database")
            guard let backup else { return nil }
            let target = TargetReader(file: file, recovery: recovery, now: now).read()
            if let service { check(backup, of: service, recovery, under: key) }
            var read = Recovery(
                service: entry.name, backup: backup, selection: selection ?? .latestHealthy, tries: tries ?? Recovery.usualTries,
                within: within, jobs: jobs, target: target)
            read.database = database
            return read
        }
    }

    private func check(_ backup: String, of service: Service, _ recovery: Fields, under key: String) {
        if service.standby(named: backup) != nil {
            return StandbyReader(fields: fields, recovery: recovery, what: backup).check(key)
        }
        if backup == Recovery.livingName, service.living != nil {
            return StandbyReader(fields: fields, recovery: recovery, what: backup).checkLiving(key)
        }
        guard let set = service.backups[backup] else {
            recovery.report(
                "from", "unknown backup \(shown(backup)) of service \"\(service.name)\"",
                hint: NearestWord.hint(for: backup, among: service.backups.keys, called: "backups"))
            return
        }
        for key in ["to", "inclusive", "timeline"] where recovery[key] != nil && !set.hasWAL {
            recovery.report(
                key, "\"\(key)\" needs a backup with \"wal\", and \(shown(backup)) has none",
                hint: "remove it, or recover from a base_backup with its WAL archive")
        }
        if recovery["database"] != nil, service.engine != .postgres {
            recovery.report(
                "database", "\"database\" does not fit engine \"\(service.engine.rawValue)\"",
                hint: "remove it: only a postgres holds several")
        }
        if recovery["jobs"] != nil, set.kind != .pgDump {
            recovery.report(
                "jobs", "\"jobs\" does not fit kind \"\(set.kind.rawValue)\"", hint: "remove it: only a pg_dump restores in parallel")
        }
    }

    private func checks(of estate: Estate?) -> [String: [DeclaredCheck]] {
        let lists = ["recover", "existing"].filter { fields[$0] != nil }
        let declared = lists.map { fields.declared($0) }
        let recovered = lists.isEmpty || declared.contains { $0 == nil } ? nil : declared.flatMap { $0 ?? [] }
        var checks: [String: [DeclaredCheck]] = [:]
        for entry in fields.named("checks", what: "service to check") ?? [] {
            let service = service(entry, of: estate)
            if let recovered, estate == nil || service != nil, !recovered.contains(entry.name) {
                file.report(
                    at: entry.place, "service \"\(entry.name)\" is checked, but not recovered",
                    hint: "add it under \"recover\", or remove its checks")
            }
            checks[entry.name] = CheckReader(file: file, service: entry.name, engine: service?.engine).read(entry)
        }
        return checks
    }

    private func service(_ entry: Entry, of estate: Estate?) -> Service? {
        guard let estate else { return nil }
        if let service = estate.services[entry.name] { return service }
        file.report(
            at: entry.place, "unknown service \(shown(entry.name))",
            hint: NearestWord.hint(for: entry.name, among: estate.services.keys, called: "services"))
        return nil
    }

    private func quarantine() -> QuarantineDemand {
        guard let entry = fields["quarantine"],
            let demand = Fields(file, entry.node, .quarantine, title: "\"quarantine\"", place: entry.place)
        else { return QuarantineDemand() }
        return QuarantineDemand(
            network: demand.choice("network", Demand.self) == .required, files: demand.choice("files", Demand.self) == .required)
    }
}
