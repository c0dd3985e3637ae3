// The pgbackrest program of this machine, and what its version wants.

import DrillModel
import Foundation
import ScratchHost
import Synchronization

/// pgbackrest, as PATH leads to it.
struct PgBackRestProgram: Sendable {
    let path: String
    /// Whether it must be told that root may run it.
    let wantsAllowRoot: Bool

    private static let asked = Mutex<[String: Bool]>([:])

    /// - Throws: ``DrillFailure`` (error) where PATH leads to none.
    static func find() throws(DrillFailure) -> PgBackRestProgram {
        guard let path = ScratchHost.locate("pgbackrest") else { throw PgBackRest.missing }
        if let known = asked.withLock({ $0[path] }) { return PgBackRestProgram(path: path, wantsAllowRoot: known) }
        let wants = wantsAllowRoot(ScratchHost.version(of: path, "version") ?? "")
        asked.withLock { $0[path] = wants }
        return PgBackRestProgram(path: path, wantsAllowRoot: wants)
    }

    /// Since 2.59 every command but restore refuses root without the option; before, the option is unknown and warned about.
    ///
    /// - Parameter version: `pgBackRest 2.60.0`; what can't be read is taken for a new one.
    static func wantsAllowRoot(_ version: String) -> Bool {
        guard let numbers = version.firstMatch(of: /([0-9]+)\.([0-9]+)/)?.output, let major = Int(numbers.1), let minor = Int(numbers.2)
        else { return true }
        return (major, minor) >= (2, 59)
    }
}
