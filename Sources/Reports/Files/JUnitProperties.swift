// The properties of a suite: RTO and RPO, recovery points, versions and facts.

import DrillModel
import Foundation

/// Named values beside the cases of a suite. Times are UTC, durations seconds, sizes bytes.
struct JUnitProperties {
    private var values: [(name: String, value: String)] = []

    init(_ report: RunReport) {
        guard let info = report.info else { return }
        add("muster.version", info.musterVersion)
        add("run.id", info.runID)
    }

    func adding(_ drill: DrillReport) -> JUnitProperties {
        var properties = self
        properties.add("drill.verdict", drill.conclusion.rawValue)
        properties.add("drill.estate", drill.info.estate)
        properties.add("drill.estate-file", drill.info.estateFile)
        properties.add("drill.estate-file.named", drill.info.namedEstateFile)
        if drill.info.kind == .drill {
            properties.add("drill.scenario", drill.info.scenario.rawValue)
            properties.add("drill.profile", drill.info.profile.rawValue)
            properties.add("drill.disaster", Timestamp.iso(drill.info.disaster))
        } else {
            properties.add("drill.kind", drill.info.kind.rawValue)
            properties.add("inspection.as-of", Timestamp.iso(drill.info.disaster))
        }
        properties.add("drill.time-zone", drill.info.timeZone.identifier)
        if let objectives = drill.outcome?.objectives { properties.add(objectives) }
        for point in drill.finalPoints { properties.add(point) }
        for step in drill.outcome?.steps ?? [] { properties.add(step) }
        for fact in drill.facts { properties.add(fact.name, fact.value) }
        for (index, sentence) in (drill.outcome?.unproven ?? []).enumerated() { properties.add("unproven.\(index + 1)", sentence) }
        return properties
    }

    func write(to document: inout String) {
        guard !values.isEmpty else { return }
        document += "    <properties>\n"
        for (name, value) in values {
            let value = JUnitText.shortened(value, to: 2_000)
            document += "      <property name=\"\(XMLText.attribute(name))\" value=\"\(XMLText.attribute(value))\"/>\n"
        }
        document += "    </properties>\n"
    }

    private mutating func add(_ name: String, _ value: String?) {
        if let value { values.append((name, value)) }
    }

    private mutating func add(_ name: String, _ duration: Duration?) {
        add(name, duration.map { Seconds($0).text })
    }

    private mutating func add(_ objectives: Objectives) {
        let rto = objectives.rto
        add("rto.verdict", rto.verdict.rawValue)
        add("rto.achieved.seconds", rto.achieved)
        add("rto.measured.seconds", rto.measured)
        add("rto.target.seconds", rto.target)
        add("rto.indicative", rto.profile == .production ? "false" : "true")
        for allowance in rto.allowances { add("rto.allowance.\(allowance.name).seconds", allowance.duration) }
        for (service, duration) in rto.accepting.sorted(by: { $0.key < $1.key }) { add("accepting.\(service).seconds", duration) }
        for age in objectives.rpo {
            let prefix = "rpo.\(age.service)"
            add("\(prefix).verdict", age.verdict.rawValue)
            add("\(prefix).achieved.seconds", age.achieved)
            add("\(prefix).worst-case.seconds", age.worstCase?.loss)
            add("\(prefix).target.seconds", age.target)
            add("\(prefix).recovered", age.recovered.map { Timestamp.iso($0) })
            add("\(prefix).recovered.source", age.source?.rawValue)
        }
        add("skew.seconds", objectives.skew)
    }

    /// When it began and ended on the drill's clock, how long it took, and what was done.
    private mutating func add(_ step: StepResult) {
        let prefix = "step.\(step.step.rawValue)"
        add("\(prefix).seconds", step.duration)
        add("\(prefix).start.seconds", step.activities.map(\.start).min())
        add("\(prefix).end.seconds", step.activities.map(\.end).max())
        let done = step.activities.filter { !$0.detail.isEmpty }.map { "\($0.service.map { "\($0): " } ?? "")\($0.detail)" }
        add("\(prefix).done", done.isEmpty ? nil : done.joined(separator: "; "))
    }

    private mutating func add(_ point: ChosenPoint) {
        let prefix = "point.\(point.service)"
        add("\(prefix).backup", point.backup)
        add("\(prefix).store", point.store)
        add("\(prefix).path", point.path)
        add("\(prefix).bytes", String(point.size))
        add("\(prefix).time", Timestamp.iso(point.time))
        add("\(prefix).time-source", point.timeSource.rawValue)
        add("\(prefix).seal", point.sealed ? point.truth?.rawValue ?? "valid" : "none")
        add("\(prefix).rejected", String(point.rejected))
    }
}
