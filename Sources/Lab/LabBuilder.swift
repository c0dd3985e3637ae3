// Makes a lab: both services live through their days side by side, and each night is backed up.

import Foundation
import PostgresRecovery
import ScratchHost

/// One making of one lab. The servers live in a scratch folder; only what is finished lies in the lab's own.
struct LabBuilder: Sendable {
    var options: LabOptions
    var places: LabPlaces
    var mark: LabMark
    var binaries: PostgresBinaries
    var host: ScratchHost
    var progress: @Sendable (String, Int, Int) -> Void

    func build() async throws -> LabEstate {
        for folder in [
            places.dumps, places.sixHourly, places.snapshots, places.appendOnly, places.drills, places.source, places.baseBackups,
            places.wal,
        ] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        let backups = LabBackups(
            places: places, keys: try LabKeys.make(in: places), host: host, binaries: binaries.folder)
        let calendar = LabCalendar(days: options.days, now: options.now)
        progress("starting postgres and redis", 0, options.days)
        async let dumps = dumpNights(calendar, backups)
        async let snapshots = snapshotNights(calendar, backups)
        async let chain = incrementals(backups.keys)
        async let held: Void = LabFileBackups(places: places, keys: backups.keys, host: host, calendar: calendar).make()
        let made = try await (dumps, snapshots)
        let incrementals = try await chain
        try await held
        try LabMirror.copy(places.primary, to: places.mirror)
        let drills = try LabFiles(
            places: places, calendar: calendar, socketFolder: mark.socketFolder, moments: made.0.moments, incrementals: incrementals
        ).write()
        return LabEstate(
            folder: options.folder, estateFile: places.estateFile, drillFiles: drills, dumps: made.0.nights,
            snapshots: made.1, monthlies: made.0.months, sixHourly: made.0.sixHourly, newest: calendar.newest)
    }

    private func incrementals(_ keys: LabKeys) async throws -> LabMoments? {
        guard let binaries = LabIncrementals.binaries() else { return nil }
        return try await LabIncrementals(places: places, keys: keys, host: host, binaries: binaries).make()
    }

    private func dumpNights(
        _ calendar: LabCalendar, _ backups: LabBackups
    ) async throws -> (nights: [URL], months: [URL], sixHourly: [URL], moments: LabMoments) {
        let database = try await LabDatabase.open(
            on: host, binaries: binaries, rows: options.rows, before: calendar.instant(ofNight: 0))
        let months = try await backups.dumps(database.configuration, at: calendar.monthlies)
        var made: [URL] = []
        for night in 1...calendar.days {
            let instant = calendar.instant(ofNight: night)
            try await database.play(night: night, at: instant)
            made.append(try await backups.dump(database.configuration, at: instant))
            progress("backing up night \(night)", night, calendar.days)
        }
        await database.stop()
        let known = Array(zip(calendar.monthlies, months)) + zip((1...calendar.days).map { calendar.instant(ofNight: $0) }, made)
        let sixHourly = try await sixHourly(calendar, backups, of: known)
        let moments = try await LabPointInTime(places: places, keys: backups.keys, host: host, binaries: binaries)
            .make(of: database.server.dataFolder)
        try await database.keepData(at: places.postgresData)
        return (made, months, sixHourly, moments)
    }

    /// Each is the dump of the last night before it, dated anew: by day nothing happens here.
    ///
    /// - Parameter nights: The dumps that there are, by their instants, oldest first.
    private func sixHourly(_ calendar: LabCalendar, _ backups: LabBackups, of nights: [(instant: Date, dump: URL)]) async throws -> [URL] {
        var made: [URL] = []
        for instant in calendar.sixHourly {
            guard let night = nights.last(where: { $0.instant <= instant }) ?? nights.first else { continue }
            made += try await backups.copies(of: night.dump, at: [instant], in: places.sixHourly, as: "six-hourly")
        }
        return made
    }

    /// Append-only copies are kept of the last two nights only: they are the larger ones.
    private func snapshotNights(_ calendar: LabCalendar, _ backups: LabBackups) async throws -> [URL] {
        let cache = try await LabCache.open(on: host, rows: options.rows, before: calendar.instant(ofNight: 0))
        let plain = host.folder.url.appending(path: "plain", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: plain, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var made: [URL] = []
        var base = calendar.instant(ofNight: max(0, calendar.days - 2))
        if calendar.days <= 2 { try await cache.beginAppendOnly() }
        for night in 1...calendar.days {
            let instant = calendar.instant(ofNight: night)
            try await cache.play(night: night, at: instant)
            let rdb = plain.appending(path: "night.rdb")
            try await cache.snapshot(at: instant, to: rdb)
            made.append(try await backups.snapshot(rdb, at: instant))
            if night > calendar.days - 2 {
                let folder = plain.appending(path: "night-\(night)", directoryHint: .isDirectory)
                try cache.appendOnly(to: folder, base: base)
                try await backups.appendOnly(folder, at: instant)
                try await cache.rewriteAppendOnly()
                base = instant
            } else if night == calendar.days - 2 {
                try await cache.beginAppendOnly()
            }
        }
        try await cache.close(keepingDataAt: places.redisData)
        return made
    }
}
