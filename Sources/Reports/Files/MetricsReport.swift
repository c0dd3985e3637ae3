// metrics.prom: what a monitoring system watches of each drill, in a text that OpenMetrics and node_exporter both take.

public import DrillModel
public import Foundation

/// Renders `metrics.prom`. Gauges only, no comments, no time stamps: the two formats have no more in common.
public struct MetricsReport {
    /// Of one run alone: a drill that was not green has no last success in it.
    public static func render(_ report: RunReport) -> Data {
        Data(text(of: samples(of: report)).utf8)
    }

    /// Of a run, with what an older file knows: of other drills all, and of these when they were green last.
    public static func render(_ report: RunReport, after older: MetricsFile.Content) -> Data {
        let own = samples(of: report)
        let drills = Set(own.map(\.drill))
        let green = Set(own.filter { $0.family == .lastSuccess }.map(\.drill))
        let kept = older.samples.filter { !drills.contains($0.drill) || ($0.family == .lastSuccess && !green.contains($0.drill)) }
        return Data(text(of: own + kept).utf8)
    }

    static func text(of samples: [MetricSample]) -> String {
        var text = ""
        for family in MetricFamily.allCases {
            let own = samples.filter { $0.family == family }
            guard !own.isEmpty else { continue }
            text += family.heading
            for line in own.map(\.line).sorted() { text += line + "\n" }
        }
        return text + "# EOF\n"
    }

    static func samples(of report: RunReport) -> [MetricSample] {
        var names = UniqueNames()
        return report.drills.flatMap { drill in
            samples(of: drill, named: names.unique(MetricSample.label(drill.info.name)), took: report.duration(of: drill))
        }
    }

    private static func samples(of drill: DrillReport, named name: String, took duration: Duration) -> [MetricSample] {
        let labels = [("drill", name), ("estate", MetricSample.label(drill.info.estate)), ("kind", drill.info.kind.rawValue)]
        var samples: [MetricSample] = []
        func add(_ family: MetricFamily, _ value: String?, _ more: [(String, String)] = []) {
            if let value { samples.append(MetricSample(family: family, labels: labels + more, value: value)) }
        }
        func add(_ family: MetricFamily, _ duration: Duration?, _ more: [(String, String)] = []) {
            add(family, duration.map { Seconds($0).text }, more)
        }
        func add(_ family: MetricFamily, _ date: Date?, _ more: [(String, String)] = []) {
            add(family, date.map { Seconds(.seconds($0.timeIntervalSince1970)).text }, more)
        }
        let end = drill.started.addingTimeInterval(Double(Seconds(duration).milliseconds) / 1000)
        add(.lastRun, end)
        if drill.conclusion == .passed { add(.lastSuccess, end) }
        for verdict in Verdict.allCases { add(.verdict, verdict == drill.conclusion ? "1" : "0", [("verdict", verdict.rawValue)]) }
        add(.duration, duration)
        add(.unproven, String(drill.outcome?.unproven.count ?? 0))
        if let objectives = drill.outcome?.objectives {
            let profile = [("profile", objectives.rto.profile.rawValue)]
            add(.rto, objectives.rto.achieved, profile)
            add(.rtoTarget, objectives.rto.target)
            for age in objectives.rpo {
                let service = [("service", MetricSample.label(age.service))]
                add(.rpo, age.achieved, service)
                add(.rpoWorst, age.worstCase?.loss, service)
                add(.rpoTarget, age.target, service)
                add(.recovered, age.recovered, service)
            }
        }
        for (backup, moment) in newestBackups(of: drill) { add(.newestBackup, moment, [("backup", MetricSample.label(backup))]) }
        return samples
    }

    /// Of an inspection, `SERVICE.BACKUP` and the moment of its newest one: a drill looks only for the one that it restores.
    private static func newestBackups(of drill: DrillReport) -> [(String, Date)] {
        guard drill.info.kind == .inspection else { return [] }
        return drill.facts.compactMap { fact in
            guard fact.name.hasSuffix(".newest"), let moment = Readable.moment(fact.value) else { return nil }
            return (String(fact.name.dropLast(".newest".count)), moment)
        }
    }
}

/// A metric. The help must never differ between two files, or the collector drops one of them.
enum MetricFamily: String, CaseIterable {
    case lastRun = "muster_last_run_timestamp_seconds"
    case lastSuccess = "muster_last_success_timestamp_seconds"
    case verdict = "muster_verdict"
    case duration = "muster_duration_seconds"
    case unproven = "muster_unproven"
    case rto = "muster_rto_seconds"
    case rtoTarget = "muster_rto_target_seconds"
    case rpo = "muster_rpo_seconds"
    case rpoWorst = "muster_rpo_worst_case_seconds"
    case rpoTarget = "muster_rpo_target_seconds"
    case recovered = "muster_recovered_timestamp_seconds"
    case newestBackup = "muster_newest_backup_timestamp_seconds"

    private var help: String {
        switch self {
        case .lastRun: "When the drill or inspection ended last."
        case .lastSuccess: "When it passed last; missing where it never did."
        case .verdict: "1 for the verdict of the last run, 0 for the others."
        case .duration: "How long the last run took."
        case .unproven: "How many things the last run did not prove."
        case .rto: "Achieved recovery time with its allowances; missing where operation was never verified, indicative under profile fast."
        case .rtoTarget: "Promised recovery time."
        case .rpo: "How much of the past was lost in this drill; missing where nothing healthy came back."
        case .rpoWorst: "What a disaster at the worst moment would have cost."
        case .rpoTarget: "Promised loss at the most."
        case .recovered: "The last moment that came back."
        case .newestBackup: "The moment of the newest backup that an inspection found."
        }
    }

    var heading: String {
        let unit = rawValue.hasSuffix("_seconds") ? "# UNIT \(rawValue) seconds\n" : ""
        return "# TYPE \(rawValue) gauge\n\(unit)# HELP \(rawValue) \(help)\n"
    }
}

/// One line: a metric of a drill.
struct MetricSample {
    struct Drill: Hashable {
        var name: String
        var estate: String
    }
    var family: MetricFamily
    var labels: [(name: String, value: String)]
    /// A number as it is written.
    var value: String

    var drill: Drill {
        func label(_ name: String) -> String { labels.first { $0.name == name }?.value ?? "" }
        return Drill(name: label("drill"), estate: label("estate"))
    }

    var line: String {
        "\(family.rawValue){\(labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ","))} \(value)"
    }

    /// A name as a label's value: no control, and not endless.
    static func label(_ name: String) -> String {
        HTMLText.clean(JUnitText.filled(name, or: "-"), longest: 200).replacing("\n", with: " ").replacing("\t", with: " ")
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }
}
