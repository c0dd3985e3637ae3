// The process' own standard output and error.

import CLinux
import Foundation
import Glibc
import Reports
import Synchronization

/// Writes to the terminal, whole pieces at a time.
enum Console {
    private static let problem = Mutex<Int32?>(nil)

    /// Why something that was written to standard output went nowhere; nil where all arrived, or its reader had enough.
    static var lost: Int32? { problem.withLock { $0 } }

    static func write(_ text: String) { put(text, to: STDOUT_FILENO) }

    static func print(_ line: String) { write(line + "\n") }

    /// For what went wrong.
    static func complain(_ line: String) { put(line + "\n", to: STDERR_FILENO) }

    static var options: ConsoleOptions {
        let columns = Int(muster_terminal_columns(STDOUT_FILENO))
        return ConsoleOptions(
            isTerminal: isatty(STDOUT_FILENO) == 1, environment: ProcessInfo.processInfo.environment, width: columns > 0 ? columns : nil)
    }

    /// A reader that is gone is no reason to stop: what is written then is lost, and the drill goes on to its clean-up.
    private static func put(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                let code = errno
                if code == EINTR || code == EAGAIN { continue }
                if descriptor == STDOUT_FILENO, code != EPIPE { problem.withLock { $0 = code } }
                return
            }
            bytes = bytes.dropFirst(written)
        }
    }
}
