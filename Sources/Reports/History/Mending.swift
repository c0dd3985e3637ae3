// Whether a green run says anything of what an earlier one was red of.

public import DrillModel
import Foundation

extension RunHistory {
    /// A case as other runs know it again.
    public struct Question: Sendable, Hashable {
        public var group: CaseResult.Group
        public var service: String?
        public var name: String

        public init(group: CaseResult.Group, service: String? = nil, name: String) {
            self.group = group
            self.service = service
            self.name = name
        }

        public init(_ result: CaseResult) {
            self.init(group: result.group, service: result.service, name: result.name)
        }
    }
}

extension RunHistory.Record {
    /// An inspection that went through every artifact.
    public var isDeepInspection: Bool { row.isInspection && facts.contains(.deepInspection) }

    /// Whether this green run asked a question again that turned another one red, and found it well.
    ///
    /// What it passed over it says nothing of: an RTO under the fast profile, a seal that isn't there, an artifact that nobody read. Where the
    /// question is asked no more, or under another name, the drill is green without it.
    ///
    /// - Parameter isDeep: Whether the one that turned red was asked by a deep inspection.
    public func answers(_ question: RunHistory.Question, isDeep: Bool) -> Bool {
        if let answer = cases.first(where: { RunHistory.Question($0) == question }) { return answer.verdict == .passed }
        return !isDeep || isDeepInspection
    }

    /// Whether this green run asked again all that turned a red one red.
    public func mends(_ red: RunHistory.Record) -> Bool {
        red.cases.filter { [.failed, .error].contains($0.verdict) }.allSatisfy {
            answers(RunHistory.Question($0), isDeep: red.isDeepInspection)
        }
    }
}

extension RunHistory.Row {
    /// An inspection as of another instant than its own: it says what was, and nothing of how things are.
    public var isRetrospective: Bool { isInspection && Retrospect.isPast(asOf, seenFrom: started) }
}

extension DrillReport {
    /// As of a run's row.
    public var isRetrospective: Bool { info.kind == .inspection && Retrospect.isPast(info.disaster, seenFrom: started) }
}

private enum Retrospect {
    /// An inspection's clock is read a little before its run begins.
    private static let patience: TimeInterval = 900

    static func isPast(_ instant: Date, seenFrom started: Date) -> Bool { instant < started.addingTimeInterval(-patience) }
}
