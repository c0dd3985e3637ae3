// Whether a server process of this machine is stopped, as /proc tells.

import Foundation

enum ServerProcessState {
    /// Whether the process behind a session is a Postgres, and stopped by a signal or a debugger. False where /proc doesn't tell.
    ///
    /// - Parameters:
    ///   - inner: Its process id as the server itself names it: in a namespace of its own it is another one than ours.
    ///   - server: The process that listens, by our number.
    static func isStopped(_ inner: Int32, of server: Int32) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).contains { pid in
            guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return false }
            var values: [Substring: Substring] = [:]
            for line in status.split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2 { values[parts[0]] = parts[1] }
            }
            // The last of the ids is that in its own namespace, where another server's may have the same.
            let own = values["NSpid"]?.split(whereSeparator: \.isWhitespace).last
            let state = values["State"]?.trimmingCharacters(in: .whitespaces).first
            let parent = values["PPid"].flatMap { Int32($0.trimmingCharacters(in: .whitespaces)) }
            return own.flatMap { Int32($0) } == inner && parent == server
                && values["Name"]?.trimmingCharacters(in: .whitespaces) == "postgres" && (state == "T" || state == "t")
        }
    }
}
