// Has the servers' own checkers read a backup's files to their ends, and judges what they say.

import ArtifactFormats
import DrillModel
import Foundation
import OutsideTools
import ScratchHost

extension Rule {
    static let checksumMissing = Rule("redis-checksum-missing")
    static let trailingBytes = Rule("redis-trailing-bytes")
}

/// The checkers of one installation.
struct RedisFileCheck: Sendable {
    var host: ScratchHost
    var workingFolder: URL
    var service: String
    var binaries: RedisBinaries
    var origin: RedisOrigin

    /// What a file turned out to be.
    struct Outcome: Sendable {
        var result: CaseResult
        /// The highest that it names; a server must have as many.
        var highestDatabase = 0
    }

    /// A snapshot, which must end where its file ends.
    ///
    /// - Throws: ``DrillFailure``, `CancellationError`.
    func snapshot(_ file: URL) async throws -> Outcome {
        let began = ContinuousClock.now
        if RDBHeader(AppendOnlySource.head(of: file))?.isAppendOnlyBase == true {
            throw DrillFailure.failed(
                Finding(
                    .artifactNotRedis, object: service, expected: "a snapshot of a whole dataset", actual: "the base of append-only files",
                    message: "this is the base of append-only files: as a snapshot it would come back without what was written since",
                    hint: "back up the whole folder of append-only files, and write kind: aof for it in the estate file"))
        }
        let said = try await asked(.checkRDB, file, object: "redis snapshot")
        var findings = said.warnings
        if let trailing = try trailing(file, from: said.end) { findings.append(trailing) }
        return Outcome(
            result: .judged(
                .backup, service: service, name: "\(binaries.name(.checkRDB)) finds no damage", duration: .now - began, findings: findings),
            highestDatabase: said.highestDatabase)
    }

    /// The parts of a set, each by the checker that reads it.
    func parts(of set: AppendOnlySet) async throws -> Outcome {
        let began = ContinuousClock.now
        var findings: [Finding] = []
        var highest = 0
        for part in set.manifest.loaded where set.size(of: part.name) != 0 {
            let said = try await appendOnly(set.url(part), isBase: part.kind == .base)
            findings += said.warnings
            highest = max(highest, said.highestDatabase)
        }
        for name in set.gaps {
            findings.append(
                Finding(
                    .appendOnlyIncomplete, .warning, object: name, expected: "increments that follow on each other",
                    actual: "a gap before the next",
                    message: "the manifest names no increment of that number, and later ones",
                    hint: "compare the manifest with the server's own: a line that is lost takes the keys of its file along"))
        }
        for name in set.doubtful {
            findings.append(
                Finding(
                    .appendOnlyIncomplete, .warning, object: name, expected: "a line of the manifest, or a base as old beside it",
                    actual: "neither", message: "an older increment lies beside the set, and no line of the manifest names it",
                    hint: "compare the manifest with the server's own: a line that is lost takes the keys of its file along"))
        }
        // One of 0 bytes at the end is usual after a rewrite.
        for part in set.manifest.increments.dropLast() where set.size(of: part.name) == 0 {
            findings.append(
                Finding(
                    .appendOnlyIncomplete, .warning, object: part.name, expected: "commands, since an increment follows it",
                    actual: "0 bytes", message: "an increment in the middle of the set is empty",
                    hint: "compare it with the server's own: where that one isn't empty, the copy lost it"))
        }
        return Outcome(result: judged(began, findings), highestDatabase: highest)
    }

    /// The one file of Redis 2 to 6.
    func single(_ file: URL) async throws -> Outcome {
        let began = ContinuousClock.now
        let said = try await appendOnly(file, isBase: true)
        return Outcome(result: judged(began, said.warnings), highestDatabase: said.highestDatabase)
    }

    private func judged(_ began: ContinuousClock.Instant, _ findings: [Finding]) -> CaseResult {
        .judged(
            .backup, service: service, name: "\(binaries.name(.checkAOF)) finds no damage", duration: .now - began, findings: findings)
    }

    // MARK: One file

    private struct Said {
        /// Bytes of the snapshot at the file's beginning; nil where the checker doesn't say.
        var end: Int64?
        var highestDatabase = 0
        var warnings: [Finding] = []
    }

    /// valkey-check-aof 9.1.2 takes a base with Valkey's own magic for commands, and calls it damaged: so such a snapshot is read by
    /// valkey-check-rdb, and what follows it by valkey-check-aof.
    private func appendOnly(_ file: URL, isBase: Bool) async throws -> Said {
        let object = "redis append-only files"
        let header = isBase ? RDBHeader(AppendOnlySource.head(of: file)) : nil
        var said = Said()
        var commands = file
        if let header, header.isValkey == true, header.formatVersion >= 80 {
            said = try await asked(.checkRDB, file, object: object)
            guard let end = said.end, end < size(of: file) else { return said }
            commands = try rest(of: file, from: end)
        }
        defer { if commands != file { try? FileManager.default.removeItem(at: commands) } }
        let checked = try await asked(.checkAOF, commands, object: object)
        said.warnings += checked.warnings
        let start = commands == file && header != nil ? Int(checked.end ?? 0) : 0
        let selected = AppendOnlyScan.highestDatabase(in: commands, from: start) ?? 0
        said.highestDatabase = [said.highestDatabase, checked.highestDatabase, selected].max() ?? 0
        return said
    }

    /// - Throws: ``DrillFailure``: failed where the file is damaged, error where the tool is missing, killed, or can't read such files.
    private func asked(_ program: RedisBinaries.Program, _ file: URL, object: String) async throws -> Said {
        let name = binaries.name(program)
        let result: ToolResult
        do {
            result = try await host.run(RedisChecker(program: binaries.path(program)).check(file), workingFolder: workingFolder)
        } catch let error as ScratchError {
            throw DrillFailure.error(
                Finding(.redisMissing, object: name, message: "\(name) is not on this machine", hint: error.hint))
        }
        switch RedisChecker.reading(result) {
        case .killed:
            throw DrillFailure.error(
                Finding(
                    .scratchServerFailed, object: name, expected: "an answer", actual: result.ending, message: "\(name) was killed",
                    hint: "look at this machine's memory and kernel log"))
        case .cannotRun:
            throw DrillFailure.error(
                Finding(
                    .redisMissing, object: name, expected: "a checker that runs", actual: result.ending,
                    message: "\(binaries.path(program)) can't be run on this machine",
                    hint:
                        "install it whole, for every user to run, or name another folder in MUSTER_REDIS_BIN or as binaries of the service")
            )
        case .foreign where !binaries.isOwn(program), .damaged where !binaries.isOwn(program):
            throw DrillFailure.error(.checkerOfAnother(binaries, program))
        case .foreign: throw RedisLog.foreign(origin, by: binaries.version)
        case .damaged(let isCut):
            throw DrillFailure.failed(
                Finding(
                    .redisDataDamaged, object: object, expected: "files without damage", actual: isCut ? "a cut file" : "a damaged file",
                    message: "\(name) refuses the backup (\(result.ending))",
                    hint: isCut && program == .checkAOF
                        ? "fetch another copy; it may have been copied while redis was writing it: with aof-load-truncated yes, its default, a "
                            + "server would load all but what is cut"
                        : "fetch another copy; the backup may have been copied while redis was writing it"))
        case .whole: break
        }
        return said(result.output, object: object)
    }

    /// The lines that both projects' checkers print: `[offset 85] Selecting DB ID 0`, `[offset 121] \o/ RDB looks OK! \o/`.
    private func said(_ text: String, object: String) -> Said {
        var said = Said()
        for line in text.split(whereSeparator: \.isNewline) {
            if let match = line.firstMatch(of: /Selecting DB ID ([0-9]+)/), let number = Int(match.1) {
                said.highestDatabase = max(said.highestDatabase, number)
            } else if line.contains("RDB looks OK"), let match = line.firstMatch(of: /^\[offset ([0-9]+)\]/) {
                said.end = Int64(match.1)
            } else if line.contains("checksum disabled") {
                said.warnings.append(
                    Finding(
                        .checksumMissing, .warning, object: object, expected: "a checksum over the snapshot", actual: "none",
                        message: "the snapshot was written with rdbchecksum no, so a changed byte of a value goes unseen",
                        hint: "set rdbchecksum yes at the source, or seal its backups"))
            }
        }
        return said
    }

    // MARK: What stands behind a snapshot

    /// Servers and checkers stop at a snapshot's end: what follows would be lost without a word.
    ///
    /// - Returns: A warning for what holds nothing; nil where nothing follows.
    private func trailing(_ file: URL, from end: Int64?) throws -> Finding? {
        let size = size(of: file)
        guard let end, end < size else { return nil }
        guard let handle = try? FileHandle(forReadingFrom: file) else { return nil }
        defer { try? handle.close() }
        try? handle.seek(toOffset: UInt64(end))
        var rest = (try? handle.read(upToCount: 1 << 20)).map { Array($0) } ?? []
        // The mark by which old `redis-cli --rdb` knew a stream's end, and which it left in the file.
        if size - end == 40, rest.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) { return nil }
        if AppendOnlyText.begins(rest) {
            throw DrillFailure.failed(
                Finding(
                    .artifactNotRedis, object: service, expected: "a snapshot, and nothing behind it",
                    actual: "a snapshot with \(size - end) bytes of commands behind it",
                    message: "this is an append-only file: as a snapshot it would come back without what was written last",
                    hint: "write kind: aof for it in the estate file"))
        }
        while !rest.isEmpty, rest.allSatisfy({ $0 == 0 }) { rest = (try? handle.read(upToCount: 1 << 20)).map { Array($0) } ?? [] }
        let isEmpty = rest.isEmpty
        let finding = Finding(
            .trailingBytes, isEmpty ? .warning : .critical, object: service, expected: "a snapshot, and nothing behind it",
            actual: "\(size - end) \(isEmpty ? "zeros" : "bytes") behind it",
            message: isEmpty ? "zeros stand behind the snapshot" : "something stands behind the snapshot, which no server reads",
            hint: "look at what wrote the file: two snapshots in one come back as the older one")
        guard isEmpty else { throw DrillFailure.failed(finding) }
        return finding
    }

    private func size(of file: URL) -> Int64 {
        ((try? FileManager.default.attributesOfItem(atPath: file.path))?[.size] as? NSNumber)?.int64Value ?? 0
    }

    /// What follows a snapshot, as a file of its own.
    private func rest(of file: URL, from end: Int64) throws -> URL {
        let target = workingFolder.appendingPathComponent("rest-\(UInt32.random(in: 0 ... .max)).aof")
        do {
            let source = try FileHandle(forReadingFrom: file)
            defer { try? source.close() }
            try source.seek(toOffset: UInt64(end))
            let sink = try UnlinkedFile.writer(target)
            defer { try? sink.close() }
            while let block = try source.read(upToCount: 1 << 20), !block.isEmpty { try sink.write(contentsOf: block) }
            try host.folder.own(target)
        } catch {
            throw DrillFailure.error(
                Finding(
                    .scratchUnusable, object: workingFolder.path, message: "the append-only file's commands can't be copied",
                    hint: "check free space and permissions there, or choose another folder with --scratch"))
        }
        return target
    }
}

extension Finding {
    /// Only what another installation's checker finds whole is believed: what it refuses may be newer than it, and no damage.
    fileprivate static func checkerOfAnother(_ binaries: RedisBinaries, _ program: RedisBinaries.Program) -> Finding {
        let name = binaries.name(program)
        return Finding(
            .redisMissing, object: name, expected: "\(name) of \(binaries.version) in \(binaries.folder)",
            actual: "one of another version, on PATH",
            message: "\(binaries.folder) has no \(name), and that on PATH, of another version, refuses the backup",
            hint: "put the checkers of \(binaries.version) beside its server: \(binaries.name(.checkRDB)) and \(binaries.name(.checkAOF)) "
                + "are most often links to it")
    }

    /// A head that was changed, or that a server wrote which goes by another's release.
    static func contradictoryHead(_ origin: RedisOrigin) -> Finding {
        let writer = origin.version?.description ?? "its writer"
        return Finding(
            .redisDataDamaged, object: "redis snapshot", expected: "the format that \(writer) writes",
            actual: origin.rdb.map { "RDB \($0)" } ?? "another", message: "the snapshot's first bytes contradict each other",
            hint:
                "fetch another copy; where a fork wrote it that goes by the number of a redis release, name the fork's programs as binaries of "
                + "the service")
    }

    /// A file that a server of another version or project reads. Nothing is known of its health.
    static func unreadable(_ origin: RedisOrigin, by version: RedisVersion?) -> Finding {
        Finding(
            .redisTooOld, object: "redis", expected: "a server that reads \(origin.words)",
            actual: version?.description ?? "one that doesn't",
            message: "the backup is of a newer redis or valkey than the server on this machine",
            hint: "name the folder of a newer server's programs in MUSTER_REDIS_BIN, or as binaries of the service in the estate file")
    }
}
