// RTO and RPO as report.json and events.jsonl write them.

import DrillModel
import Foundation

struct ObjectivesDocument: Codable, Hashable, Sendable {
    struct RecoveryTimeDocument: Codable, Hashable, Sendable {
        var achieved: Seconds?
        var measured: Seconds?
        var allowances: [AllowanceDocument]
        var target: Seconds?
        var profile: String
        var accepting: [String: Seconds]
        var verdict: Verdict
    }
    struct AllowanceDocument: Codable, Hashable, Sendable {
        var name: String
        var duration: Seconds
    }
    struct PointAgeDocument: Codable, Hashable, Sendable {
        var service: String
        var disaster: Timestamp
        var recovered: Timestamp?
        var timeSource: String?
        var achieved: Seconds?
        var worstCase: WorstCaseDocument?
        var target: Seconds?
        var verdict: Verdict
    }
    struct WorstCaseDocument: Codable, Hashable, Sendable {
        var loss: Seconds
        var from: Timestamp
        var to: Timestamp
        var backupDuration: Seconds
        var points: Int
    }
    var rto: RecoveryTimeDocument
    var rpo: [PointAgeDocument]
    var skew: Seconds?

    init(_ objectives: Objectives) {
        let time = objectives.rto
        rto = RecoveryTimeDocument(
            achieved: time.achieved.map(Seconds.init), measured: time.measured.map(Seconds.init),
            allowances: time.allowances.map { AllowanceDocument(name: $0.name, duration: Seconds($0.duration)) },
            target: time.target.map(Seconds.init), profile: time.profile.rawValue, accepting: time.accepting.mapValues(Seconds.init),
            verdict: time.verdict)
        rpo = objectives.rpo.map { age in
            PointAgeDocument(
                service: age.service, disaster: Timestamp(age.disaster), recovered: age.recovered.map(Timestamp.init),
                timeSource: age.source?.rawValue, achieved: age.achieved.map(Seconds.init),
                worstCase: age.worstCase.map(WorstCaseDocument.init), target: age.target.map(Seconds.init), verdict: age.verdict)
        }
        skew = objectives.skew.map(Seconds.init)
    }
}

extension ObjectivesDocument.WorstCaseDocument {
    init(_ worst: WorstCase) {
        loss = Seconds(worst.loss)
        from = Timestamp(worst.from)
        to = Timestamp(worst.to)
        backupDuration = Seconds(worst.backupDuration)
        points = worst.points
    }
}
