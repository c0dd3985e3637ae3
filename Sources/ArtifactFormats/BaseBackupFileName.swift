// The names of the files that pg_basebackup writes in tar format, with what compression and encryption append.

/// What a file in a base backup's folder is, by its name.
public enum BaseBackupFileName {
    /// Without what compression and encryption append.
    public static func plain(_ name: String) -> String {
        var name = name
        while let suffix = WALFileName.suffixes.first(where: { name.hasSuffix($0) }) { name.removeLast(suffix.count) }
        return name
    }

    /// Whether it is a part of the backup, and not what somebody else has put beside it, such as a list of checksums.
    public static func isPart(_ name: String) -> Bool {
        let plain = plain(name)
        if ["base.tar", "pg_wal.tar", "backup_manifest"].contains(plain) { return true }
        return plain.hasSuffix(".tar") && UInt32(plain.dropLast(4)) != nil
    }
}
