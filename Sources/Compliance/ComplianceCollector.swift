// Everything that is known of an estate's runs, put together for one period.

public import DrillModel
public import Evidence
public import Foundation
public import Reports

/// Makes a compliance report.
public struct ComplianceCollector: Sendable {
    public let estate: Estate
    /// The drills beside the estate's file, and what is wrong with others there: sentences.
    public var plans: [DrillPlan]
    public var unreadablePlans: [String]
    public var history: RunHistory
    public var actions: ActionPlan
    public let period: CalendarPeriod
    public var now: Date
    public var musterVersion: String
    /// What is remembered of the ledger's head, elsewhere.
    public var head: LedgerHead?

    public init(
        estate: Estate, plans: [DrillPlan], unreadablePlans: [String], history: RunHistory, actions: ActionPlan, period: CalendarPeriod,
        now: Date, musterVersion: String, head: LedgerHead? = nil
    ) {
        self.head = head
        self.estate = estate
        self.plans = plans
        self.unreadablePlans = unreadablePlans
        self.history = history
        self.actions = actions
        self.period = period
        moments = period.moments(in: estate.timeZone)
        self.now = now
        self.musterVersion = musterVersion
    }

    private var zone: TimeZone { estate.timeZone }
    private var today: CalendarDay { CalendarDay(now, in: zone) }
    /// Of the period; asked once for each of ten thousand runs.
    private let moments: Range<Date>

    /// - Throws: ``CommandFailure``: the folder of the runs can't be listed.
    public func report() async throws(CommandFailure) -> ComplianceReport {
        var report = ComplianceReport(
            musterVersion: musterVersion, made: now, estate: estate.name, estateFile: estate.file.path, timeZone: zone, period: period,
            isOver: period.last < today)
        var ledger = LedgerRuns(of: estate, in: history.folder, head: head)
        report.ledger = ledger?.state
        var known: KnownRuns
        do throws(ReplayError) {
            known = try await KnownRuns(
                of: estate, in: history, recorded: ledger?.rows ?? [], isInLedger: ledger?.isReadable == true, names: names, until: now)
        } catch {
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        }
        // Of ten thousand runs one list is enough.
        ledger = nil
        report.actions = await actions(&known)
        let inside = known.runs.lazy.filter { moments.contains($0.row.started) }
        report.runs = inside.map(\.row)
        report.coverage = coverage(known.runs, unreadable: known.unreadable.compactMap { RunHistory.started($0.run) })
        report.trends = Trends.of(known.runs.lazy.map(\.row), drills: report.coverage.map(\.drill), until: min(moments.upperBound, now))
        report.participants = participants(report.runs)
        var promises = PromiseTable(zone: zone)
        var days = BackupDays(period, today: today, zone: zone)
        for run in known.runs where run.row.isInspection {
            let isInside = moments.contains(run.row.started)
            if isInside, run.row.isBelieved || run.row.verdict != .passed { days.add(run.row) }
            guard run.row.isBelieved, let record = run.record else { continue }
            days.add(record)
            if isInside { promises.add(record) }
        }
        for run in inside where !run.row.isInspection && !run.row.isUnfinished && run.row.isBelieved { promises.add(run.row) }
        report.promises = promises.promises
        report.calendar = days.calendar(of: estate)
        judge(&report, known)
        report.controls = ControlCatalogue.judge(report)
        return report
    }

    /// Former names of drills, and those that they have now.
    private var names: [String: String] {
        Dictionary(plans.flatMap { plan in plan.formerNames.map { ($0, plan.name) } }, uniquingKeysWith: { first, _ in first })
    }

    /// Every drill that is due, and every other that ran in the period.
    private func coverage(_ runs: [KnownRun], unreadable: [Date]) -> [ComplianceReport.Coverage] {
        var places: [String: [Int]] = [:]
        for (place, run) in runs.enumerated() where !run.row.isInspection { places[run.row.drill, default: []].append(place) }
        let ran = places.filter { $0.value.contains { moments.contains(runs[$0].row.started) } }
        func rows(_ drill: String) -> [ComplianceReport.Run] { (places[drill] ?? []).map { runs[$0].row } }
        let declared = plans.filter { $0.cadence != nil || ran[$0.name] != nil }.map {
            ComplianceReport.Coverage($0, runs: rows($0.name), unreadable: unreadable, in: period, today: today, zone: zone)
        }
        let others = ran.keys.filter { name in !plans.contains { $0.name == name } }.map { name in
            ComplianceReport.Coverage(
                drill: name, scenario: nil, cadence: nil, targets: nil,
                windows: [ComplianceReport.Coverage.Window(period, of: rows(name), until: moments.upperBound, isOver: true, zone: zone)])
        }
        return (declared + others).sorted { $0.drill < $1.drill }
    }

    private func participants(_ runs: [ComplianceReport.Run]) -> [ComplianceReport.Participant] {
        struct Key: Hashable {
            var user: String
            var host: String?
            var trigger: String?
        }
        var found: [Key: ComplianceReport.Participant] = [:]
        var counted: Set<String> = []
        for run in runs {
            // A run of several drills was started once.
            guard let user = run.user, counted.insert(run.run).inserted else { continue }
            let key = Key(user: user, host: run.host, trigger: run.trigger)
            var participant =
                found[key]
                ?? ComplianceReport.Participant(
                    user: user, host: run.host, trigger: run.trigger, runs: 0, first: run.started, last: run.started)
            participant.runs += 1
            participant.last = run.started
            found[key] = participant
        }
        return found.values.sorted { ($0.first, $0.user) < ($1.first, $1.user) }
    }

    // MARK: Corrective actions

    private func actions(_ known: inout KnownRuns) async -> [ComplianceReport.CorrectiveAction] {
        struct Drill: Hashable {
            var name: String
            // An inspection is called after its estate, and may share its name with a drill.
            var isInspection: Bool
        }
        let groups = Dictionary(grouping: known.runs.indices) {
            Drill(name: known.runs[$0].row.drill, isInspection: known.runs[$0].row.isInspection)
        }
        await known.readDetails(history, of: detailed(known, groups.values))
        var actions: [ComplianceReport.CorrectiveAction] = []
        for indices in groups.values {
            var chain: ActionChain
            repeat {
                chain = ActionChain(indices.map { ($0, known.runs[$0]) }, self.actions, today: today, zone: zone)
                // One by one, until one of them has asked again what was red.
                if let unread = chain.unread { await known.readDetails(history, of: [unread]) }
            } while chain.unread != nil
            actions += chain.actions
        }
        actions.removeAll { $0.opened >= moments.upperBound || ($0.closed.map { $0 < moments.lowerBound } ?? false) }
        return actions.sorted {
            ($0.state.rank, $0.due, $0.opened, $0.drill, $0.rule, $0.object)
                < ($1.state.rank, $1.due, $1.opened, $1.drill, $1.rule, $1.object)
        }
    }

    /// So many days before the period are looked at for actions that are still open in it.
    private static let reach = 400

    /// Whose reports are read: what may have opened an action that was open in the period, the green run behind it, and of inspections the
    /// last of each day.
    private func detailed(_ known: KnownRuns, _ groups: some Collection<[Int]>) -> Set<Int> {
        var wanted: Set<Int> = []
        let calendarStart = moments.lowerBound.addingTimeInterval(-86_400)
        // What was found longer ago is told by the reports of its own time.
        let begin = moments.lowerBound.addingTimeInterval(-Double(Self.reach) * 86_400)
        for indices in groups {
            var lastOfDay: [CalendarDay: Int] = [:]
            var wasRed = false
            for index in indices {
                let row = known.runs[index].row
                let isGreen = row.isGreen
                if row.started >= begin, !isGreen || wasRed { wanted.insert(index) }
                wasRed = !isGreen
                if row.isInspection, row.started >= calendarStart { lastOfDay[CalendarDay(row.started, in: zone)] = index }
            }
            wanted.formUnion(lastOfDay.values)
        }
        return wanted
    }
}

extension ComplianceReport.CorrectiveAction.State {
    fileprivate var rank: Int {
        switch self {
        case .overdue: 0
        case .open: 1
        case .closed: 2
        }
    }
}
