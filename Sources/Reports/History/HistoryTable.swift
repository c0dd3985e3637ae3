// `muster history`: one line a drill, the newest first.

import DrillModel
import Foundation

/// Shows rows of a ``RunHistory``.
public struct HistoryTable: Sendable {
    public var rows: [RunHistory.Row]

    public init(rows: [RunHistory.Row]) { self.rows = rows }

    /// - Parameter color: Whether the terminal takes colours.
    public func lines(color: Bool) -> [String] {
        let cells = rows.indices.map { index in Self.cells(rows[index], before: earlier(index)) }
        let titles = ["when", "drill", "verdict", "RTO", "of", "trend", "RPO", "of", "findings", "run"]
        let widths = titles.indices.map { column in
            ([titles[column]] + cells.map { $0[column].text }).map(ConsoleLine.width(of:)).max() ?? 0
        }
        func line(_ cells: [(text: String, style: ConsoleLine.Style)]) -> String {
            var line = ConsoleLine()
            var end = 0
            for (cell, width) in zip(cells, widths) {
                line = line.padded(to: end).adding(cell.text, cell.style)
                end += width + 2
            }
            return line.rendered(color: color)
        }
        return [line(titles.map { ($0, .dim) })] + cells.map { line($0) }
    }

    /// The run before it of the same drill, whose times can be compared: the same profile, and it came to its end.
    private func earlier(_ index: Int) -> RunHistory.Row? {
        rows[(index + 1)...].first {
            $0.drill == rows[index].drill && $0.profile == rows[index].profile && $0.recoveryTime?.achieved != nil
        }
    }

    private static func cells(_ row: RunHistory.Row, before: RunHistory.Row?) -> [(text: String, style: ConsoleLine.Style)] {
        let time = row.recoveryTime
        // The service that does worst: missed before met, and then the one that lost most.
        let point = row.recoveryPoints.values.max {
            ($0.isMissed ? 1 : 0, $0.achieved ?? .zero) < ($1.isMissed ? 1 : 0, $1.achieved ?? .zero)
        }
        return [
            (String(Readable.time(row.started, in: row.timeZone).prefix(16)), .plain),
            (row.drill, .bold),
            ("\(row.verdict.sign) \(row.isUnfinished ? "unfinished" : row.verdict.rawValue)", row.verdict.style),
            (time.map(\.words) ?? "", time?.isMissed == true ? .red : .plain), (time?.target.map(Readable.duration) ?? "", .dim),
            (trend(time?.achieved, before?.recoveryTime?.achieved), .dim),
            (point.map(\.words) ?? "", point?.isMissed == true ? .red : .plain), (point?.target.map(Readable.duration) ?? "", .dim),
            (row.failed == 0 ? "" : Readable.count(row.failed), .red), (row.run, .dim),
        ]
    }

    /// `+12 %`: how much longer than before; nothing below one per cent.
    static func trend(_ now: Duration?, _ before: Duration?) -> String {
        guard let now, let before, before > .zero else { return "" }
        let change = Int((((now / before) - 1) * 100).rounded())
        return change == 0 ? "=" : "\(change > 0 ? "+" : "−")\(Readable.count(change.magnitude)) %"
    }
}

extension RunHistory.Objective {
    fileprivate var words: String { achieved.map(Readable.duration) ?? "none" }
    fileprivate var isMissed: Bool { verdict == .failed }
}

/// The same for scripts.
public enum HistoryJSON {
    /// A list of objects with sorted keys; units as in report.json.
    public static func render(_ rows: [RunHistory.Row]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(rows.map(RowDocument.init)), as: UTF8.self)
    }

    private struct RowDocument: Encodable {
        var run: String
        var drill: String
        var kind: String?
        var started: Timestamp
        var verdict: Verdict
        var unfinished: Bool
        var profile: String?
        var rto: RunObjectiveDocument?
        var rpo: [String: RunObjectiveDocument]
        var failed: Int

        init(_ row: RunHistory.Row) {
            run = row.run
            drill = row.drill
            kind = row.isInspection ? DrillInfo.Kind.inspection.rawValue : nil
            started = Timestamp(row.started)
            verdict = row.verdict
            unfinished = row.isUnfinished
            profile = row.profile
            rto = row.recoveryTime.map(RunObjectiveDocument.init)
            rpo = row.recoveryPoints.mapValues(RunObjectiveDocument.init)
            failed = row.failed
        }
    }
}

/// What was measured against a target, in seconds.
struct RunObjectiveDocument: Codable, Hashable, Sendable {
    var achieved: Seconds?
    var target: Seconds?
    var verdict: Verdict

    init(_ objective: RunHistory.Objective) {
        achieved = objective.achieved.map(Seconds.init)
        target = objective.target.map(Seconds.init)
        verdict = objective.verdict
    }
}
