// `muster report` on the console: the verdict, what was due, and what somebody has to do.

import DrillModel
import Foundation

/// Lines of a compliance report.
public struct ComplianceLines: Sendable {
    /// As many are shown of a kind; the files have all.
    static let most = 20

    public var report: ComplianceReport

    public init(_ report: ComplianceReport) { self.report = report }

    /// - Parameter color: Whether the terminal takes colours.
    public func lines(color: Bool) -> [String] {
        let verdict = report.verdict
        var lines = [
            ConsoleLine("\(verdict.sign) \(verdict.rawValue.uppercased())", verdict.style)
                .adding("  \(report.estate), \(report.period.label)", .bold).adding(report.isOver ? "" : ", which is not over", .dim)
        ]
        lines += capped(report.reasons) { ConsoleLine("  \(verdict.sign) ", verdict.style).adding($0) }
        for drill in report.coverage {
            var line = ConsoleLine("  \(drill.drill)", .bold).adding("  \(drill.cadence?.interval.rawValue ?? "not due")", .dim)
            for window in drill.windows {
                line.add("  \(window.period.label) ")
                line.add(window.state.words, window.state.style)
            }
            lines.append(line)
        }
        lines += capped(report.actions.filter { $0.state != .closed }) { action in
            let isOverdue = action.state == .overdue
            return ConsoleLine("  \(action.state.rawValue)", isOverdue ? .boldRed : .yellow)
                .adding(": \(action.drill): \(action.rule) \(action.object)").adding(
                    ", \(action.owner ?? "no owner"), due \(action.due)", isOverdue || action.owner == nil ? .yellow : .dim)
        }
        lines += capped(report.notes) { ConsoleLine("  note: \($0)", .dim) }
        return lines.map { $0.rendered(color: color) }
    }

    private func capped<Item>(_ items: [Item], _ line: (Item) -> ConsoleLine) -> [ConsoleLine] {
        let more = items.count - Self.most
        return items.prefix(Self.most).map(line) + (more > 0 ? [ConsoleLine("  … and \(Readable.count(more)) more", .dim)] : [])
    }
}

extension ComplianceReport.Coverage.State {
    /// `failed, not retested`
    var words: String {
        switch self {
        case .kept: "kept"
        case .retested: "failed, passed later"
        case .failed: "failed, not passed since"
        case .unverified: "never verified"
        case .missing: "MISSING"
        case .open: "open"
        }
    }

    fileprivate var style: ConsoleLine.Style {
        switch self {
        case .kept: .green
        case .retested: .yellow
        case .failed, .unverified, .missing: .boldRed
        case .open: .dim
        }
    }
}
