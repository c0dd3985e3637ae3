// The steps on the drill's clock: a lane for each service, so that one sees what ran at once and what waited.

import DrillModel
import Foundation

/// The picture of a drill's steps, and the same as a table.
struct TimelineView {
    struct Bar {
        let step: String
        let verdict: String
        let x: String
        let width: String
        let y: String
        let label: Label?
        let title: String
    }
    /// The step's number in the plan, and the sign of what is red; where there is room.
    struct Label {
        let x: String
        let y: String
        let text: String
    }
    struct Wait {
        let x1: String
        let x2: String
        let y: String
        let title: String
    }
    struct Lane {
        let name: String
        let y: String
    }
    struct Tick {
        let x: String
        let label: String
        /// `start`, `middle`, `end`.
        let anchor: String
    }
    struct Row {
        let step: String
        let number: String
        let service: String
        let start: String
        let end: String
        let took: String
        let verdict: VerdictView
        let detail: String
    }
    struct Legend {
        let number: String
        let name: String
    }
    let id: String
    let height: String
    let axisY: String
    let tickY: String
    let lanes: [Lane]
    let bars: [Bar]
    let waits: [Wait]
    let hasWaits: Bool
    let ticks: [Tick]
    let legend: [Legend]
    let rows: [Row]
    let more: String?

    /// As many activities are drawn and listed; a drill has some six for each service.
    private static let most = 300
    private static let barHeight = 20
    private static let laneHeading = 20

    /// - Returns: nil where no step ran.
    init?(_ steps: [StepResult], id: String) {
        let all = steps.flatMap(\.activities)
        let ran = Array(all.filter { $0.verdict != .skipped }.prefix(Self.most))
        guard let last = ran.map(\.end).max(), last > .zero else { return nil }
        self.id = "\(id)-timeline"
        let whole = Self.seconds(last)
        var lanes: [Lane] = []
        var bars: [Bar] = []
        var waits: [Wait] = []
        var y = 0
        var order: [String?] = []
        for activity in ran where !order.contains(activity.service) { order.append(activity.service) }
        for service in order {
            let own = ran.filter { $0.service == service }.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
            lanes.append(Lane(name: HTMLText.clean(service ?? "the whole", longest: 100), y: String(y + Self.laneHeading - 6)))
            y += Self.laneHeading
            // Hooks and people may be at work at once: then the lane has more than one line.
            var lines: [[StepActivity]] = []
            for activity in own {
                let free = lines.firstIndex { $0.last.map { $0.end <= activity.start } ?? true }
                if let free { lines[free].append(activity) } else { lines.append([activity]) }
            }
            for line in lines {
                bars += line.map { Self.bar($0, y: y, whole) }
                if service != nil, lines.count == 1 { waits += Self.waits(between: line, y: y, whole) }
                y += Self.barHeight + 4
            }
            y += 6
        }
        self.lanes = lanes
        self.bars = bars
        self.waits = waits
        hasWaits = !waits.isEmpty
        axisY = String(y)
        tickY = String(y + 16)
        height = String(y + 22)
        ticks = Self.ticks(to: whole)
        let present = Set(ran.map(\.step))
        legend = Step.allCases.filter(present.contains).map { Legend(number: Self.number(of: $0), name: $0.rawValue) }
        rows = all.prefix(Self.most).map { activity in
            Row(
                step: activity.step.rawValue, number: Self.number(of: activity.step),
                service: HTMLText.clean(activity.service ?? "the whole"), start: Readable.duration(activity.start),
                end: Readable.duration(activity.end), took: Readable.duration(activity.end - activity.start),
                verdict: VerdictView(activity.verdict), detail: HTMLText.clean(activity.detail, longest: 500))
        }
        more = all.count > Self.most ? "\(Readable.count(all.count - Self.most)) more: report.json has all of them." : nil
    }

    private static func bar(_ activity: StepActivity, y: Int, _ whole: Double) -> Bar {
        let (start, length) = (seconds(activity.start), seconds(activity.end) - seconds(activity.start))
        let isRed = activity.verdict == .failed || activity.verdict == .error
        let sign = isRed ? " \(activity.verdict.sign)" : ""
        let service = activity.service.map { " \($0)" } ?? ""
        let title = "\(activity.step.rawValue)\(service), \(Readable.duration(activity.end - activity.start)), \(activity.verdict.rawValue)"
        let detail = activity.detail.isEmpty ? "" : ": \(activity.detail)"
        let label = Label(x: SVG.percent(start + length / 2, of: whole), y: String(y + 14), text: number(of: activity.step) + sign)
        return Bar(
            step: activity.step.rawValue, verdict: activity.verdict.rawValue, x: SVG.percent(start, of: whole),
            width: SVG.percent(length, of: whole), y: String(y), label: length / whole > (isRed ? 0.07 : 0.04) ? label : nil,
            title: HTMLText.clean(title + detail, longest: 300))
    }

    /// Gaps before and between the steps of one service.
    private static func waits(between line: [StepActivity], y: Int, _ whole: Double) -> [Wait] {
        var end = Duration.zero
        var waits: [Wait] = []
        for activity in line {
            let gap = activity.start - end
            if seconds(gap) / whole > 0.01 {
                let (from, to) = (SVG.percent(seconds(end), of: whole), SVG.percent(seconds(activity.start), of: whole))
                waits.append(Wait(x1: from, x2: to, y: String(y + barHeight / 2), title: "waited \(Readable.duration(gap))"))
            }
            end = max(end, activity.end)
        }
        return waits
    }

    /// Round moments, five at the most, for which a phone has room.
    private static func ticks(to whole: Double) -> [Tick] {
        let steps: [Double] = [
            0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400,
            21_600, 43_200, 86_400,
        ]
        let step = steps.first { whole / $0 <= 4.5 } ?? (whole / 4)
        return stride(from: 0, through: whole, by: step).map { moment in
            let anchor = moment == 0 ? "start" : moment / whole > 0.94 ? "end" : "middle"
            return Tick(x: SVG.percent(moment, of: whole), label: moment == 0 ? "0" : Readable.duration(.seconds(moment)), anchor: anchor)
        }
    }

    private static func number(of step: Step) -> String { String((Step.allCases.firstIndex(of: step) ?? 0) + 1) }

    private static func seconds(_ duration: Duration) -> Double { Double(Readable.milliseconds(of: duration)) / 1000 }
}
