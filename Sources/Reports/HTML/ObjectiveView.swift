// RTO and RPO against their targets, as bars.

import DrillModel
import Foundation

/// One objective: its words, and a bar whose lengths are percentages, so that it is as wide as the page and its letters stay as they are.
struct ObjectiveView {
    struct Bar {
        /// `measured`, `allowance`, `lost`, `worst`.
        let kind: String
        let x: String
        let width: String
        let title: String
    }
    let name: String
    let verdict: VerdictView
    let achieved: String
    let hasWorst: Bool
    let worst: String
    let target: String
    let words: String
    let notes: [String]
    let alternative: String
    let hasPicture: Bool
    let bars: [Bar]
    let hasTarget: Bool
    let targetX: String
    /// On which side of the line its word has room.
    let isTargetLeft: Bool

    static func views(of objectives: Objectives, _ rows: [ObjectiveRow]) -> [ObjectiveView] {
        var views: [ObjectiveView] = []
        for (index, row) in rows.enumerated() {
            if index == 0 {
                let rto = objectives.rto
                var parts: [(String, Duration, String)] = []
                if let measured = rto.measured {
                    parts.append(("measured", measured, "measured \(Readable.duration(measured))"))
                    parts += rto.allowances.map { ("allowance", $0.duration, "allowance \($0.name) \(Readable.duration($0.duration))") }
                }
                views.append(ObjectiveView(row, parts, worst: nil, target: rto.target))
            } else {
                let age = objectives.rpo[index - 1]
                let parts = age.achieved.map { [("lost", $0, "lost in this drill: \(Readable.duration($0))")] } ?? []
                views.append(ObjectiveView(row, parts, worst: age.worstCase?.loss, target: age.target))
            }
        }
        return views
    }

    private init(_ row: ObjectiveRow, _ parts: [(kind: String, duration: Duration, title: String)], worst: Duration?, target: Duration?) {
        name = HTMLText.clean(row.name)
        verdict = VerdictView(row.verdict)
        achieved = row.achieved
        self.worst = row.worst
        hasWorst = !row.worst.isEmpty
        self.target = row.target
        words = row.words
        notes = row.notes.map { HTMLText.clean($0) }
        let target = target.map(Self.seconds)
        let whole = max(parts.reduce(0) { $0 + Self.seconds($1.duration) }, worst.map(Self.seconds) ?? 0, target ?? 0) * 1.06
        func percent(_ seconds: Double) -> String { SVG.percent(seconds, of: whole) }
        var bars: [Bar] = []
        var start = 0.0
        for part in parts {
            let length = max(0, Self.seconds(part.duration))
            bars.append(Bar(kind: part.kind, x: percent(start), width: percent(length), title: HTMLText.clean(part.title)))
            start += length
        }
        if let worst {
            let title = "worst case \(Readable.duration(worst))"
            bars.append(Bar(kind: "worst", x: percent(0), width: percent(Self.seconds(worst)), title: title))
        }
        self.bars = bars
        hasPicture = whole > 0
        hasTarget = target != nil
        targetX = percent(target ?? 0)
        isTargetLeft = (target ?? 0) > whole / 2
        let worstWords = row.worst.isEmpty ? "" : ", worst case \(row.worst)"
        alternative = HTMLText.clean("\(row.name): achieved \(row.achieved)\(worstWords), target \(row.target): \(row.words)")
    }

    private static func seconds(_ duration: Duration) -> Double { Double(Readable.milliseconds(of: duration)) / 1000 }
}

/// Lengths in a picture.
enum SVG {
    /// `12.34%`, between nothing and all; of nothing, nothing.
    static func percent(_ part: Double, of whole: Double) -> String {
        guard whole > 0 else { return "0%" }
        let hundredths = Int((min(max(part / whole, 0), 1) * 10_000).rounded())
        return "\(hundredths / 100).\(Readable.digits(Int64(hundredths % 100), 2))%"
    }
}
