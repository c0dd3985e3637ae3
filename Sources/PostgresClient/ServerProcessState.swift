// Whether a server process of this machine is stopped, as /proc tells.

import Foundation

enum ServerProcessState {
    /// Whether a process of this id is a Postgres, and stopped by a signal or a debugger. False where /proc doesn't tell.
    static func isStopped(_ pid: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let close = stat.lastIndex(of: ")") else {
            return false
        }
        // `pid (name) state …`, and the name may hold anything.
        let state = stat[stat.index(after: close)...].split(separator: " ").first
        return stat.contains("(postgres)") && (state == "T" || state == "t")
    }
}
