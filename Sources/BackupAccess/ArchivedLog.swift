// The write-ahead log that a set declares beside its base backups, as a recovery reads it.

public import ArtifactFormats
public import BackupCatalog
public import DrillModel
public import PhysicalRecovery

extension ServiceBackups {
    /// The declared archive's files; nil where the set declares none.
    public func archive(of files: [ArchivedWAL], partial: Set<WALSegmentName> = []) throws(DrillFailure) -> WALSource? {
        guard let declared = set.wal else { return nil }
        return WALSource(
            files: Dictionary(files.map { ($0.name, $0.location) }) { first, _ in first },
            encryption: try keyring.decryption(of: declared.encryption), partial: partial)
    }
}
