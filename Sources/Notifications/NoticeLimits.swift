// How much of a notice fits: texts are cut, drills and findings counted, until a channel takes it.

import Foundation

/// So much and no more.
struct NoticeLimits: Sendable {
    var drills: Int
    /// Of each drill.
    var findings: Int
    /// Of each text, in Unicode scalars.
    var text: Int

    /// From what is wanted to what fits anywhere.
    static let ladder = [
        NoticeLimits(drills: 20, findings: 5, text: 400), NoticeLimits(drills: 20, findings: 3, text: 200),
        NoticeLimits(drills: 15, findings: 2, text: 120), NoticeLimits(drills: 10, findings: 1, text: 80),
        NoticeLimits(drills: 5, findings: 1, text: 40), NoticeLimits(drills: 3, findings: 0, text: 40),
    ]
}

extension Notice {
    /// The most of it that fits; the least there is where nothing does.
    func fitting<Body>(_ isFit: (Body) throws -> Bool, _ render: (Notice) throws -> Body) rethrows -> Body {
        for limits in NoticeLimits.ladder.dropLast() {
            let body = try render(limited(to: limits))
            if try isFit(body) { return body }
        }
        return try render(limited(to: NoticeLimits.ladder[NoticeLimits.ladder.count - 1]))
    }

    func limited(to limits: NoticeLimits) -> Notice {
        func cut(_ text: String) -> String { Self.cut(text, to: limits.text) }
        var notice = self
        notice.estate = cut(estate)
        notice.host = cut(host)
        notice.problem = problem.map(cut)
        // A path that was cut leads nowhere, so it is the last to be.
        notice.report = report.map { Self.cut($0, to: max(limits.text * 2, 200)) }
        notice.moreDrills += max(0, drills.count - limits.drills)
        notice.drills = drills.prefix(limits.drills).map { drill in
            var drill = drill
            drill.name = cut(drill.name)
            drill.objectives = drill.objectives.prefix(10).map { objective in
                var objective = objective
                objective.service = objective.service.map(cut)
                return objective
            }
            drill.moreFindings += max(0, drill.findings.count - limits.findings)
            drill.findings = drill.findings.prefix(limits.findings).map { item in
                Item(
                    service: item.service.map(cut), rule: cut(item.rule), severity: item.severity, object: cut(item.object),
                    message: cut(item.message), hint: cut(item.hint))
            }
            return drill
        }
        return notice
    }

    /// On one line, without what would turn a terminal, a header or the direction of writing.
    static func cut(_ text: String, to count: Int) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard result.count < count else { return String(result.dropLast()) + "…" }
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: result.append(" ")
            case .format, .surrogate, .unassigned, .privateUse: continue
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
