// What pg_control of a restored data folder says, asked of pg_controldata.

import ArtifactFormats
import DrillModel
public import Foundation
import OutsideTools
public import PostgresRecovery
public import ScratchHost

/// The cluster's own record of itself.
public struct ControlData: Sendable {
    public var systemIdentifier: UInt64
    /// Bytes of one WAL segment.
    public var segmentSize: UInt64
    /// Whether its pages carry checksums.
    public var hasPageChecksums: Bool
    /// Settings that a recovering server needs at least as high as the source had them.
    public var demanded: [(name: String, value: Int)] {
        Self.demands.map { (name: $0.setting, value: values[$0.setting] ?? 0) }
    }
    public var tracksCommitTimes: Bool
    /// Whether the server had ended in order: then its own last checkpoint is where recovery begins.
    public var wasShutDown: Bool
    /// As pg_control words it: `in production`.
    public var state: String
    /// Where its last checkpoint begins, and on which timeline.
    var checkpoint: (position: UInt64, timeline: UInt32)?
    private var values: [String: Int]

    private static let demands = [
        (setting: "max_connections", line: "max_connections setting"),
        (setting: "max_worker_processes", line: "max_worker_processes setting"),
        (setting: "max_wal_senders", line: "max_wal_senders setting"),
        (setting: "max_prepared_transactions", line: "max_prepared_xacts setting"),
        (setting: "max_locks_per_transaction", line: "max_locks_per_xact setting"),
    ]

    /// - Parameter text: What pg_controldata prints.
    /// - Returns: nil where a line that is needed is missing.
    public init?(_ text: String) {
        var lines: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            lines[String(line[..<colon])] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        guard let identifier = lines["Database system identifier"].flatMap({ UInt64($0) }),
            let size = lines["Bytes per WAL segment"].flatMap({ UInt64($0) }), size >= 1 << 20, size.nonzeroBitCount == 1
        else { return nil }
        systemIdentifier = identifier
        segmentSize = size
        hasPageChecksums = lines["Data page checksum version"].map { $0 != "0" } ?? false
        tracksCommitTimes = lines["track_commit_timestamp setting"] == "on"
        state = lines["Database cluster state"] ?? ""
        wasShutDown = ["shut down", "shut down in recovery"].contains(state)
        if let position = lines["Latest checkpoint's REDO location"].flatMap({ WALPosition.parse($0) }),
            let timeline = lines["Latest checkpoint's TimeLineID"].flatMap({ UInt32($0) })
        {
            checkpoint = (position, timeline)
        }
        values = Dictionary(uniqueKeysWithValues: Self.demands.map { ($0.setting, lines[$0.line].flatMap { Int($0) } ?? 0) })
    }

    /// Asks the program of the cluster's own major version.
    ///
    /// - Throws: ``DrillFailure`` (failed): pg_control is damaged; (error): the program can't be run.
    public static func read(
        _ dataFolder: URL, binaries: PostgresBinaries, host: ScratchHost, backup: String
    ) async throws -> ControlData {
        let result: ToolResult
        do {
            result = try await host.run(PgControldata(program: binaries.path("pg_controldata")).read(dataFolder))
        } catch let error as ScratchError {
            throw DrillFailure.error(Finding(.scratchUnusable, object: "pg_controldata", message: error.message, hint: error.hint))
        }
        guard let control = PgControldata.text(result).flatMap(ControlData.init) else {
            throw DrillFailure.broken(
                .baseFileDamaged, "\(backup)/global/pg_control", expected: "a readable pg_control", actual: "a damaged one",
                "the base backup's pg_control is damaged",
                hint: """
                    fetch another copy of the base backup; where all are alike, a server before 14.25, 15.20, 16.16, 17.12 or 18.7 may have copied \
                    it torn while it was written: update it and make another backup
                    """)
        }
        return control
    }
}
