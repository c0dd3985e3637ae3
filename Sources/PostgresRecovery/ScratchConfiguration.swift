// Muster's own configuration of a scratch server: nothing of a restored one is ever read.

import DrillModel
import Foundation
import ScratchHost

/// The settings of a scratch server and the files that carry them.
struct ScratchConfiguration: Sendable {
    var socketFolder: URL
    var profile: Profile
    var major: Int
    var needs = ServerNeeds()
    /// What a recovery adds or changes; on the command line too, behind all others, where the last one counts.
    var recovery: [(name: String, value: String)] = []

    /// What could reach out of the quarantine. They stand on the command line as well, which outranks every file.
    static func disarmed(major: Int) -> [(name: String, value: String)] {
        var settings = [
            ("listen_addresses", ""), ("archive_mode", "off"), ("archive_command", ""), ("restore_command", ""),
            ("recovery_end_command", ""), ("archive_cleanup_command", ""), ("primary_conninfo", ""), ("primary_slot_name", ""),
            ("shared_preload_libraries", ""), ("session_preload_libraries", ""),
            ("local_preload_libraries", ""), ("max_logical_replication_workers", "0"), ("max_wal_senders", "0"),
            ("synchronous_standby_names", ""), ("ssl", "off"),
        ]
        if major >= 15 { settings.append(("archive_library", "")) }
        return settings.map { (name: $0.0, value: $0.1) }
    }

    /// What reaches out. A library that the estate names is loaded, and can start no worker: then no scheduler runs what the data holds.
    /// A library's own switch doesn't do: findings/pg-cron-max-running-jobs-zero-runs-jobs.sh.
    private var armless: [(name: String, value: String)] {
        guard !needs.preload.isEmpty else { return Self.disarmed(major: major) }
        return Self.disarmed(major: major).map { name, value in
            (name, name == "shared_preload_libraries" ? needs.preload.joined(separator: ", ") : value)
        } + [("max_worker_processes", "0")]
    }

    private var settings: [(name: String, value: String)] {
        let durable = profile == .production
        // The last one counts. What the estate sets stands here alone and not on the command line: it may hold what is nobody else's.
        return armless + [
            ("unix_socket_directories", socketFolder.path), ("unix_socket_permissions", "0700"), ("port", "5432"),
            ("max_connections", "50"),
            // Inside the data folder rather than in /dev/shm, so that even a killed server leaves nothing outside of it.
            ("dynamic_shared_memory_type", "mmap"),
            ("shared_buffers", "256MB"), ("maintenance_work_mem", "256MB"), ("work_mem", "32MB"), ("max_wal_size", "4GB"),
            ("checkpoint_timeout", "30min"), ("jit", "off"), ("timezone", "UTC"), ("log_timezone", "UTC"),
            ("fsync", durable ? "on" : "off"), ("full_page_writes", durable ? "on" : "off"),
            ("synchronous_commit", durable ? "on" : "off"), ("autovacuum", durable ? "on" : "off"),
            ("wal_level", durable ? "replica" : "minimal"),
            // Statements and details may hold row values, and the log is read for its errors.
            ("log_destination", "stderr"), ("logging_collector", "off"), ("log_min_messages", "warning"),
            ("log_min_error_statement", "panic"), ("log_error_verbosity", "terse"), ("log_statement", "none"),
            ("log_checkpoints", "off"), ("log_autovacuum_min_duration", "-1"), ("log_line_prefix", "%m "),
        ] + needs.settings.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    /// The files that a server is started with.
    struct Files: Sendable {
        var configuration: URL
        var hostBased: URL
        var identity: URL
        /// Host names and their certificates, which PostgreSQL 19 wants to know of; nil for older ones.
        var hosts: URL?
        var disarmed: [(name: String, value: String)]

        func arguments(dataFolder: URL) -> [String] {
            var files = [
                ("config_file", configuration.path), ("hba_file", hostBased.path), ("ident_file", identity.path),
                ("data_directory", dataFolder.path),
            ]
            if let hosts { files.append(("hosts_file", hosts.path)) }
            return files.flatMap { ["-c", "\($0.0)=\($0.1)"] } + disarmed.flatMap { ["-c", "\($0.name)=\($0.value)"] }
        }
    }

    func write(to folder: URL, host: ScratchHost) throws(DrillFailure) -> Files {
        let lines = settings.map { "\($0.name) = '\($0.value.replacing("\\", with: "\\\\").replacing("'", with: "''"))'" }
        let files = Files(
            configuration: folder.appendingPathComponent("muster.conf"), hostBased: folder.appendingPathComponent("muster_hba.conf"),
            identity: folder.appendingPathComponent("muster_ident.conf"),
            hosts: major >= 19 ? folder.appendingPathComponent("muster_hosts.conf") : nil, disarmed: armless + recovery)
        do {
            // Anew: where the server is started once more, code of the backup has had its way with this folder.
            try UnlinkedFile.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: files.configuration)
            // The socket's folder is the lock: only the unprivileged user and root pass it.
            try UnlinkedFile.write(Data("local all all trust\nlocal replication all trust\n".utf8), to: files.hostBased)
            for file in [files.identity, files.hosts].compactMap({ $0 }) { try UnlinkedFile.write(Data(), to: file) }
            for file in [files.configuration, files.hostBased, files.identity, files.hosts].compactMap({ $0 }) { try host.folder.own(file) }
        } catch {
            throw .error(
                Finding(
                    .scratchServerFailed, object: folder.path, message: "the scratch server's configuration can't be written",
                    hint: "check free space and permissions there, or choose another folder with --scratch"))
        }
        return files
    }
}
