// A standby whose replay a killed seal has left paused, and how `muster clean` lets it go on.

import BackupAccess
import DrillFiles
import DrillModel
public import Foundation
public import ScratchHost

/// Written down before a pause. Names the server by the estate file, so that no password is in it.
public struct PausedReplay: PendingCleanup {
    public static let fileName = ".muster-replay.json"

    var estate: URL
    var service: String
    var mark: ReplayPauseMark

    public init(estate: URL, service: String, mark: ReplayPauseMark) {
        self.estate = estate
        self.service = service
        self.mark = mark
    }

    public var title: String { "the replay of \(service)'s standby" }

    /// Ends the pause, where it is the killed seal's.
    public func end() async -> ReplayResumption.Outcome {
        do {
            let estate = try DrillFiles.loadEstate(estate.path)
            guard let source = estate.services[service]?.source else {
                return unknown("\(estate.file.path) names no source of \(service) any more")
            }
            let configuration = try SourceAccess.configuration(source, of: service, database: nil, in: estate)
            return await ReplayResumption(source: configuration, mark: mark).run()
        } catch let failure as DrillFailure {
            return unknown(failure.finding.message)
        } catch {
            return unknown("\(estate.path) can't be read any more")
        }
    }

    private func unknown(_ why: String) -> ReplayResumption.Outcome {
        .unknown(
            SealingError(
                .source, "\(title) may still be paused by a killed seal: \(why)",
                hint: "mend that and run muster clean; or run on that standby, unless it replays: SELECT pg_wal_replay_resume()"))
    }
}
