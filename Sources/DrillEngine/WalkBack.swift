// How far a drill walks back while backups turn out bad, and what it says where it stops.

import DrillModel

extension Rule {
    static let noHealthyBackup = Rule("no-healthy-backup")
}

/// The recovery points that one service's drill may try, newest first.
struct WalkBack: Sendable {
    /// Those of as many backups as may be tried; copies of one artifact in several stores count as one.
    let points: [RecoveryPoint]
    /// How many there are in all.
    let all: Int
    private let tries: Int

    /// - Parameter sample: Of one that is chosen by its age or by chance.
    init(_ all: [RecoveryPoint], _ selection: Recovery.Selection, tries: Int, sample: Sample) {
        self.all = all.count
        self.tries = tries
        switch selection {
        case .latestHealthy: break
        case .latest:
            points = Array(all.prefix(1))
            return
        case .oldest, .random:
            points = sample.choose(from: all, selection).map { [$0] } ?? []
            return
        }
        var paths: Set<String> = []
        points = Array(
            all.prefix { point in
                paths.insert(point.path)
                return paths.count <= tries
            })
    }

    /// - Parameter repeated: What stopped it before its bound.
    func noneHealthy(of service: String, tried: Int, repeated: StandingReason?) -> Finding {
        var message = "no backup that was tried is healthy"
        var hint = "take and seal a new backup now, then mend the backup job"
        if let repeated {
            message += "; the drill stopped after \(tried): two in a row failed alike (\(repeated.rule)), as every other would"
            hint = "mend what \(repeated.rule) names, which is the estate's or this machine's, and run again"
        } else if untried(after: tried) != nil {
            message += "; the drill stopped after \(tried), as \"tries\" says"
            hint += "; tries: \(min(1000, tries * 2)) in the drill file goes further back"
        }
        return Finding(
            .noHealthyBackup, object: service, expected: "one healthy backup", actual: "none among the newest \(tried) of \(all)",
            message: message, hint: hint)
    }

    /// `33 older recovery points were not tried, …`; nil where all were.
    func untried(after tried: Int) -> String? {
        guard tried > 0, all > tried else { return nil }
        let count = all - tried
        return count == 1
            ? "1 older recovery point was not tried, and may be healthy or not"
            : "\(count) older recovery points were not tried, and may be healthy or not"
    }
}
