// The warnings that go with an artifact, and its globals, in which nothing tells a changed byte from the right one.

import ArtifactFormats
public import DrillModel
public import FileRecovery
import Foundation

extension Rule {
    static let contentUnchecked = Rule("content-unchecked")
}

extension Finding {
    /// A dump that neither a seal, nor encryption, nor its compression vouches for: pg_restore reads it to its end, whatever was changed.
    ///
    /// - Returns: nil where something does.
    public static func contentUnchecked(_ retrieved: RetrievedArtifact, of point: RecoveryPoint) -> Finding? {
        guard point.sealState == .missing, !retrieved.isAuthenticated, !retrieved.isChecked else { return nil }
        let archive = retrieved.isFolder ? retrieved.location.appendingPathComponent("toc.dat") : retrieved.location
        let head = FirstBytes.of(archive)
        // In a tar the table of contents stands behind the 512 bytes that open its first member; there nothing is compressed.
        let header = ArchiveHeader(retrieved.format == .tar ? Array(head.dropFirst(512)) : head, timeZone: .gmt)
        let how: String
        switch header?.compression {
        case .gzip?:
            return Finding(
                .contentUnchecked, .note, object: point.path, expected: "a seal, or a checksum of all of it",
                actual: "one of the rows alone",
                message: "pg_dump's table of contents has no checksum: a byte that changes in a definition or in a sequence's position is "
                    + "restored as it is then",
                hint: "seal the backups: muster seal; or encrypt them with age or gpg, or let the dump go through gzip or zstd as a whole")
        case .lz4?: how = "lz4, as pg_dump writes it,"
        case .zstd?: how = "zstd, as pg_dump writes it,"
        case ArchiveHeader.Compression.none?, nil: how = "what is not compressed"
        }
        return Finding(
            .contentUnchecked, .warning, object: point.path, expected: "a seal, or a format that carries a checksum of its content",
            actual: "neither", message: "\(how) has no checksum: a byte that changes in the store is restored as it is then",
            hint: "seal the backups: muster seal; or let pg_dump compress with gzip, or its output go through gzip or zstd")
    }

    /// The roles' own file, where neither a seal, nor encryption, nor compression vouches for it: psql takes another password verifier as well.
    ///
    /// - Returns: nil where something does, or there is none.
    public static func globalsUnchecked(_ retrieved: RetrievedArtifact, of point: RecoveryPoint) -> Finding? {
        guard let globals = point.globals, point.sealState == .missing, !retrieved.areGlobalsChecked else { return nil }
        return Finding(
            .contentUnchecked, .warning, object: globals.lastPathComponent,
            expected: "a seal, or a format that carries a checksum of its content", actual: "neither",
            message: "nothing vouches for the globals file: a byte that changes in the store is another password or right of a role then",
            hint: "seal the backups: muster seal, which covers it; or encrypt with age or gpg, or let pg_dumpall go through gzip or zstd")
    }

    /// Append-only files, which end wherever a command does: one that was cut there by a full disk or a copy that broke off loads as a whole one.
    ///
    /// - Returns: nil where encryption or compression vouches for the stored bytes.
    public static func commandsUnchecked(_ retrieved: RetrievedArtifact, of point: RecoveryPoint) -> Finding? {
        guard point.sealState.seal == nil, !retrieved.isAuthenticated, !retrieved.isChecked else { return nil }
        return Finding(
            .contentUnchecked, .note, object: point.path, expected: "a seal, or a format that carries a checksum of its content",
            actual: "neither",
            message: "nothing tells a file that was cut between two commands from a whole one, nor a changed value from the right one",
            hint: "seal the backups: muster seal; or encrypt them with age or gpg, or pack them with gzip or zstd, where they are made")
    }
}
