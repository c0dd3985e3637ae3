// As much of a statement as a record takes: of ten thousand entries, what they say of inputs and versions is passed over.

import DrillModel
import Foundation

/// A statement that is read for its run, behind a signature that holds.
struct RecordedStatement: Decodable {
    struct Drill: Decodable {
        var kind: String
        var name: String
        var verdict: Verdict
        var interrupted: Bool
        var profile: String?
        var asOf: String?
        var estateNamed: String?
        var rto: Statement.Objective?
        var rpo: [Statement.Objective]
    }
    struct Starter: Decodable {
        struct Trigger: Decodable {
            var kind: String
            var job: String?
        }
        var user: String
        var uid: UInt32
        var host: String?
        var trigger: Trigger
    }
    struct EstateName: Decodable {
        var file: String
        var name: String
    }
    struct Predicate: Decodable {
        var layout: Int
        var sequence: Int
        var previous: String?
        var recorded: String
        var run: String
        var estate: EstateName
        var started: String?
        var finished: String?
        var verdict: Verdict
        var interrupted: Bool
        var drills: [Drill]
        var startedBy: Starter
    }
    var predicateType: String
    var subject: [Statement.Subject]
    var predicate: Predicate

    /// nil where a part of it is not as this version writes it.
    static func read(_ payload: Data) -> RecordedStatement? {
        guard let read = try? JSONDecoder().decode(RecordedStatement.self, from: payload),
            Statement.isOurs(read.predicateType, layout: read.predicate.layout, sequence: read.predicate.sequence)
        else { return nil }
        return read
    }
}

extension VouchedStatement {
    init(_ statement: RecordedStatement) {
        let said = statement.predicate
        self.init(
            predicateType: statement.predicateType, subject: statement.subject,
            predicate: Predicate(
                layout: said.layout, sequence: said.sequence, previous: said.previous, recorded: said.recorded, run: said.run))
    }
}
