// Ends processes that are Muster's, politely first.

import Glibc

/// Ends processes and waits until they are gone.
enum ProcessReaper {
    /// Rounds, with the seconds that each is given.
    private static let rounds: [(last: Bool, patience: Double)] = [(false, 3), (true, 5)]

    /// - Parameter find: asked anew before each round, since ending one process may end, or show, others.
    static func end(_ find: () -> [ProcessIdentity]) {
        for (last, patience) in rounds {
            let targets = find()
            if targets.isEmpty { return }
            for target in targets where ProcessTable.isAlive(target) { kill(target.pid, last ? SIGKILL : politeSignal(for: target.pid)) }
            var waited = 0.0
            while waited < patience, targets.contains(where: ProcessTable.isAlive) {
                usleep(20_000)
                waited += 0.02
            }
        }
    }

    /// SIGQUIT is Postgres' immediate shutdown, which frees its shared memory and takes its children along. Anything else would
    /// dump core on it, and a core holds the restored data.
    private static func politeSignal(for pid: Int32) -> Int32 {
        ProcessTable.name(of: pid) == "postgres" ? SIGQUIT : SIGTERM
    }
}
