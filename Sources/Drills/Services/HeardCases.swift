// Keeps cases until all of a database's are there.

import DrillModel
import Synchronization

/// The cases of one database, in their order.
final class HeardCases: Sendable {
    private let cases = Mutex<[CaseResult]>([])

    func hear(_ result: CaseResult) { cases.withLock { $0.append(result) } }

    var all: [CaseResult] { cases.withLock { $0 } }
}
