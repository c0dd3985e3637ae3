// Which engine a kind of backup belongs to, and what holds of all backups of an engine.

extension BackupSet.Kind {
    /// The engine whose backup it is.
    public var engine: Service.Engine {
        switch self {
        case .pgDump, .baseBackup, .pgBackRest, .command: .postgres
        case .rdb, .aof: .redis
        case .env: .configuration
        case .gitBundle, .gitMirror: .code
        }
    }
}

extension Service.Engine {
    /// Whether it holds what users entered, which is lost from one minute to the next. Configuration and code are changed by people, and
    /// compared with what production runs.
    public var holdsData: Bool {
        switch self {
        case .postgres, .redis: true
        case .configuration, .code: false
        }
    }
}

extension BackupSet {
    /// As ``Service/Engine/holdsData``; only such a backup can have a seal.
    public var holdsData: Bool { kind.engine.holdsData }
}
