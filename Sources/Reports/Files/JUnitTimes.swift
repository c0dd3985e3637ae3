// How long each case of junit.xml took, such that a suite's cases add up to no more than the suite.

import DrillModel

/// The time that each case of a drill carries.
///
/// Where there are steps, they carry it, and the questions asked within them carry none: a server adds up all cases of a suite. What went on
/// in several steps at once, of several services, is divided among them.
struct JUnitTimes {
    let times: [Duration]

    init(of cases: [CaseResult], in drill: DrillReport, lasting duration: Duration) {
        let activities = drill.outcome?.steps.flatMap(\.activities) ?? []
        let hasSteps = cases.contains { $0.group == .step && $0.duration > .zero }
        var shares = Dictionary(grouping: zip(activities, Self.shares(of: activities))) { Key(step: $0.0.step, service: $0.0.service) }
            .mapValues { $0.map(\.1)[...] }
        let own = cases.map { result -> Duration in
            guard hasSteps else { return max(.zero, result.duration) }
            guard result.group == .step else { return .zero }
            guard let step = Step.allCases.first(where: { result.name == $0.rawValue || result.name.hasPrefix("\($0.rawValue) ") }) else {
                return .zero
            }
            // Without an outcome, nobody knows what went on at once.
            guard drill.outcome != nil else { return max(.zero, result.duration) }
            return shares[Key(step: step, service: result.service)]?.popFirst() ?? .zero
        }
        let sum = own.reduce(.zero, +)
        times = sum > duration && sum > .zero ? own.map { $0 * (duration / sum) } : own
    }

    private struct Key: Hashable {
        var step: Step
        var service: String?
    }

    /// Of each moment, each of those that ran then has an equal part.
    static func shares(of activities: [StepActivity]) -> [Duration] {
        let borders = Set(activities.flatMap { [$0.start, $0.end] }).sorted()
        var shares = activities.map { _ in Duration.zero }
        for (from, to) in zip(borders, borders.dropFirst()) {
            let running = activities.indices.filter { activities[$0].start <= from && activities[$0].end >= to }
            for index in running { shares[index] += (to - from) / running.count }
        }
        return shares
    }
}
