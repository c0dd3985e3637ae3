// What the restored data would have done to production, had its own configuration been read.

public import DrillModel
public import Foundation

/// "Armed in the backup, disarmed here": by name only, since the values hold hosts, commands and passwords.
public enum OutboundSettings {
    /// What reaches out of a server, with what it could have done.
    private static let reaching = [
        "archive_command": "push into production's archive", "archive_library": "push into production's archive",
        "restore_command": "fetch from production's archive", "recovery_end_command": "run a command as recovery ends",
        "archive_cleanup_command": "remove files from production's archive", "primary_conninfo": "follow production's primary",
        "primary_slot_name": "hold back production's write-ahead log",
        "shared_preload_libraries": "start background workers, such as a job scheduler",
        "session_preload_libraries": "load libraries into every session", "local_preload_libraries": "load libraries into every session",
        "listen_addresses": "listen on the network", "ssl_passphrase_command": "run a command as it starts",
    ]

    /// - Parameter aside: Where the copy put the source's configuration.
    /// - Returns: A case for each that was set, and one that says so where nothing was.
    public static func cases(aside: URL, service: String) -> [CaseResult] {
        var found: [String: String] = [:]
        for file in ["postgresql.conf", "postgresql.auto.conf", "recovery.conf"] {
            guard let text = try? String(contentsOf: aside.appendingPathComponent(file), encoding: .utf8) else { continue }
            for (name, isSet) in assignments(text) where reaching[name] != nil { found[name] = isSet ? file : nil }
        }
        var notes = found.keys.sorted().map { name in
            note("\(name) (\(found[name] ?? ""))", could: reaching[name] ?? "")
        }
        for signal in ["standby.signal", "recovery.signal"]
        where FileManager.default.fileExists(atPath: aside.appendingPathComponent(signal).path) {
            notes.append(note(signal, could: "start as a standby of production"))
        }
        let slots = (try? FileManager.default.contentsOfDirectory(atPath: aside.appendingPathComponent("pg_replslot").path)) ?? []
        notes += slots.sorted().map {
            note("replication slot \($0)", could: "keep write-ahead log for a subscriber or standby of production's")
        }
        return [.judged(.quarantine, service: service, name: "the backup's own configuration is disarmed", findings: notes)]
    }

    /// What the restored databases themselves hold: subscriptions and jobs.
    public static func note(_ object: String, could: String) -> Finding {
        Finding(
            Rule("armed-in-backup"), .note, object: object, expected: "disarmed", actual: "armed in the backup, disarmed here",
            message: "the restored server would \(could); here it can't",
            hint: "in a real recovery, decide about this setting before the server is started")
    }

    /// Name, and whether its value is anything but empty or off. The last assignment counts.
    static func assignments(_ text: String) -> [(name: String, isSet: Bool)] {
        text.split(separator: "\n").compactMap { line in
            guard let match = line.wholeMatch(of: /\s*([A-Za-z_]+)\s*(?:=|\s)\s*(.*?)\s*/)?.output else { return nil }
            var value = String(match.2)
            if value.hasPrefix("'") {
                value = String(value.dropFirst().prefix { $0 != "'" })
            } else {
                value = value.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
            }
            return (match.1.lowercased(), !["", "off", "localhost"].contains(value.lowercased()))
        }
    }
}
