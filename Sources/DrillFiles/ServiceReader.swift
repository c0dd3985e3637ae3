// The services of an estate file, with their sources and backups.

import DrillModel
import Foundation
import Yams

/// Reads the services of one estate.
struct ServiceReader {
    private enum EncryptionFormat: String, CaseIterable {
        case openssl, pgbackrest, cms, age, gpg
    }
    /// Digests that `openssl enc -md` takes and that are in use.
    private enum Digest: String, CaseIterable {
        case md5, sha1, sha224, sha256, sha384, sha512
    }

    let file: SourceFile
    /// The names that the estate declares; nil where that can't be told.
    let stores: [String]?
    let keys: [String]?
    /// Those of them that only rclone reaches.
    var remoteStores: Set<String> = []

    func read(_ entry: Entry) -> Service? {
        guard let fields = Fields(file, entry.node, .service, title: "service \"\(entry.name)\"", place: entry.place) else { return nil }
        let engine = fields.choice("engine", Service.Engine.self)
        let source = fields["source"].flatMap { self.source($0, of: entry.name, engine) }
        if let engine, !engine.holdsData, fields["source"] != nil {
            fields.report(
                "source", "\"source\" does not fit engine \"\(engine.rawValue)\"", hint: "remove it: muster seal makes backups of data only"
            )
        }
        let standby = fields["standby"].flatMap { self.standby($0, of: entry.name, engine, .postgres, fields) }
        let replica = fields["replica"].flatMap { self.standby($0, of: entry.name, engine, .redis, fields) }
        let living = fields["living"].flatMap { self.living($0, of: entry.name, engine, fields) }
        let needs = NeedsReader(file: file, fields: fields, engine: engine).read()
        let software = SoftwareReader(file: file, fields: fields, service: entry.name, engine: engine).read()
        var backups: [String: BackupSet] = [:]
        for backup in fields.named("backups", what: "backup") ?? [] {
            backups[backup.name] = self.backup(backup, of: entry.name, engine)
            if [Recovery.standbyName, Recovery.replicaName, Recovery.livingName].contains(backup.name), fields[backup.name] != nil {
                file.report(
                    at: backup.place, "a backup can't be called \"\(backup.name)\" beside the service's \(backup.name)",
                    hint: "rename the backup")
            }
        }
        let worstCase = fields.duration("rpo-worst-case")
        let origin = OriginReader(fields: fields)
        let sealedAs = origin.sealedAs(isSealed: engine?.holdsData)
        let (databases, systems) = (origin.databases(of: engine), origin.systemIdentifiers(of: engine))
        return engine.map {
            var service = Service(
                name: entry.name, engine: $0, source: source, backups: backups, worstCaseTarget: worstCase, standby: standby,
                replica: replica, living: living, needs: needs, binaries: software.binaries, modules: software.modules)
            (service.sealedAs, service.databases, service.systemIdentifiers) = (sealedAs, databases, systems)
            return service
        }
    }

    private func source(_ entry: Entry, of service: String, _ engine: Service.Engine?) -> SourceConnection? {
        let title = "\"source\" of service \"\(service)\""
        guard let fields = Fields(file, entry.node, .source, title: title, place: entry.place) else { return nil }
        let zone = fields.text("zone")
        guard var source = connection(fields, engine, localHost: localHost(fields, engine)) else { return nil }
        source.zone = zone
        return source
    }

    /// A standby of a Postgres, or a replica of a Redis.
    private func standby(
        _ entry: Entry, of service: String, _ engine: Service.Engine?, _ fitting: Service.Engine, _ parent: Fields
    ) -> Standby? {
        if let engine, engine != fitting {
            parent.report(
                entry.name, "\"\(entry.name)\" does not fit engine \"\(engine.rawValue)\"",
                hint: "remove it: only a \(fitting.rawValue) has a \(entry.name) here")
        }
        let title = "\"\(entry.name)\" of service \"\(service)\""
        let section: Section = fitting == .redis ? .replica : .standby
        guard let fields = Fields(file, entry.node, section, title: title, place: entry.place) else { return nil }
        let zone = fields.text("zone")
        return connection(fields, engine).map { Standby(connection: $0, zone: zone) }
    }

    /// A hot standby that a drill's application reads in.
    private func living(_ entry: Entry, of service: String, _ engine: Service.Engine?, _ parent: Fields) -> SourceConnection? {
        if let engine, engine != .postgres {
            parent.report(
                "living", "\"living\" does not fit engine \"\(engine.rawValue)\"",
                hint: "remove it: only a postgres can be kept from writing, by being a standby")
        }
        let title = "\"living\" of service \"\(service)\""
        guard let fields = Fields(file, entry.node, .living, title: title, place: entry.place) else { return nil }
        guard let living = connection(fields, engine) else { return nil }
        if !living.host.hasPrefix("/") {
            fields.report(
                "host", "\"host\" is no folder of a Unix socket",
                hint: "name that folder: a drill's application has no network, and reaches the server by its socket alone")
        }
        return living
    }

    /// Where a source lies that doesn't say it; what can't be told is reported.
    private func localHost(_ fields: Fields, _ engine: Service.Engine?) -> String? {
        guard !fields.stated.contains("host"), let engine else { return nil }
        func demand(_ example: String, _ why: String) -> String? {
            file.report(at: fields.place, "missing key \"host\" in \(fields.title)\(why)", hint: "add \"host: \(example)\"")
            return nil
        }
        if engine == .redis { return demand("127.0.0.1", "") }
        // That nobody answers on this machine would prove nothing of another zone.
        if fields["zone"] != nil { return demand("db.example.org", ": its zone is not this machine's to tell") }
        // As libpq is built by Debian and the PostgreSQL project's packages, and as by PostgreSQL's own sources.
        let folder = "/var/run/postgresql"
        return FileManager.default.fileExists(atPath: folder) ? folder : "/tmp"
    }

    private func connection(_ fields: Fields, _ engine: Service.Engine?, localHost: String? = nil) -> SourceConnection? {
        let host = host(fields) ?? localHost
        let port = fields.whole("port", in: 1...65_535)
        let database = fields.text("database")
        if engine == .redis, let database, Int(database).map({ $0 < 0 }) ?? true {
            fields.report("database", "a Redis database has a number, not a name", hint: "write its number, such as 0")
        }
        let user = fields.text("user")
        let password = fields["password"].flatMap { Secrets.read(file, $0.node, title: "\"password\"", place: $0.place) }
        return host.map { SourceConnection(host: $0, port: port, database: database, user: user, password: password) }
    }

    /// A host name, or a folder that holds the socket; never a connection string, which might hold a password.
    private func host(_ fields: Fields) -> String? {
        guard let text = fields.text("host") else { return nil }
        if text.contains("@") || text.contains("://") || text.contains("=") || text.contains(" ")
            || text.wholeMatch(of: /[^:]+:[0-9]+/) != nil
        {
            fields.report("host", "\"host\" holds more than a host", hint: "write host, port, database and user each on its own line")
            return nil
        }
        guard text.contains("/") || text.hasPrefix("~") else { return text }
        guard file.checkPath(text, what: "\"host\"", at: fields.place(of: "host")) else { return nil }
        return file.resolve(text, isFolder: false).path
    }

    private func backup(_ entry: Entry, of service: String, _ engine: Service.Engine?) -> BackupSet? {
        guard let fields = Fields(file, entry.node, .backup, title: "backup \"\(entry.name)\"", place: entry.place) else { return nil }
        let kind = fields.choice("kind", BackupSet.Kind.self)
        if let kind, let engine, kind.engine != engine {
            let fitting = BackupSet.Kind.allCases.filter { $0.engine == engine }.map(\.rawValue)
            fields.report(
                "kind", "kind \"\(kind.rawValue)\" does not fit engine \"\(engine.rawValue)\"",
                hint: "for \(engine.rawValue), write \(fitting.joined(separator: " or "))")
        }
        let stores = storeNames(fields)
        let match = fields.glob("match")
        if let kind, [.pgBackRest, .command, .gitMirror].contains(kind), let remote = stores?.first(where: remoteStores.contains) {
            fields.report(
                fields["stores"] == nil ? "store" : "stores", "kind \"\(kind.rawValue)\" can't be read in the remote store \"\(remote)\"",
                hint: "its own tool reads it: mount the store, and declare it as {type: file, path: …}")
        }
        let globals = fields.glob("globals")
        if fields["globals"] != nil, let kind, kind != .pgDump, kind.engine == engine {
            fields.report(
                "globals", "\"globals\" does not fit kind \"\(kind.rawValue)\"", hint: "remove it: only a pg_dump lacks its roles")
        }
        let cluster = fields.flag("cluster") ?? false
        if fields["cluster"] != nil, let kind, kind != .pgDump, kind.engine == engine {
            fields.report(
                "cluster", "\"cluster\" does not fit kind \"\(kind.rawValue)\"",
                hint: "remove it: only muster seal of a pg_dump asks for it")
        }
        if cluster, fields["globals"] != nil {
            fields.report(
                "globals", "\"globals\" and \"cluster\" exclude each other", hint: "remove globals: the script of a cluster holds its roles"
            )
        }
        let moments = fields.glob("moments")
        if fields["moments"] != nil, let kind, ![.baseBackup, .pgBackRest, .command].contains(kind), kind.engine == engine {
            fields.report(
                "moments", "\"moments\" does not fit kind \"\(kind.rawValue)\"",
                hint: "remove it: only what is rolled forward has sealed moments")
        }
        let encryption = encryption(fields)
        let wal = fields["wal"].map { self.wal($0, of: fields) }
        if fields["wal"] != nil, let kind, ![.baseBackup, .command].contains(kind), kind.engine == engine {
            let hint =
                kind == .pgBackRest
                ? "remove it: the repository holds its own" : "remove it: only a base_backup is rolled forward"
            fields.report("wal", "\"wal\" does not fit kind \"\(kind.rawValue)\"", hint: hint)
        }
        let foreign = ForeignReader(file: file, fields: fields, kind: kind).read(encryption?.scheme)
        let held = FileBackupReader(file: file, fields: fields, kind: kind, engine: engine).read(encryption)
        let promises = PromiseReader(parent: fields)
        let schedule = promises.schedule()
        let retention = promises.retention()
        let sealedAs = OriginReader(fields: fields).sealedAs(isSealed: kind.map { ![.env, .gitBundle, .gitMirror].contains($0) })
        guard let kind, let stores, let match, let encryption, let foreign, let held, wal == nil || wal != .some(nil)
        else { return nil }
        var set = BackupSet(
            name: entry.name, service: service, kind: kind, stores: stores, match: match, encryption: encryption.scheme,
            globals: globals, wal: wal ?? nil, stanza: foreign.stanza, restore: foreign.restore,
            configuration: held.configuration, code: held.code, schedule: schedule, retention: retention)
        set.sealedAs = sealedAs
        set.isCluster = cluster
        set.moments = moments
        return set
    }

    func storeNames(_ fields: Fields) -> [String]? {
        var named: [(text: String, place: Place?)] = []
        switch (fields["store"], fields["stores"]) {
        case (nil, nil):
            if !fields.stated.isDisjoint(with: ["store", "stores"]) { return nil }
            file.report(at: fields.place, "missing key \"stores\" in \(fields.title)", hint: "add \"store: NAME\" or \"stores: [NAME]\"")
            return nil
        case (_?, _?):
            fields.report("store", "\"store\" and \"stores\" say the same thing", hint: "keep one of them")
            return nil
        case (_?, nil):
            guard let store = fields.text("store") else { return nil }
            named = [(store, fields.place(of: "store"))]
        case (nil, _?):
            guard let stores = fields.texts("stores") else { return nil }
            named = stores
        }
        var names: [String] = []
        for (name, place) in named {
            if let stores, !stores.contains(name) {
                let hint = NearestWord.hint(for: name, among: stores, called: "stores")
                file.report(at: place, "unknown store \(shown(name))", hint: hint.isEmpty ? "declare it under \"stores\"" : hint)
            } else if names.contains(name) {
                file.report(at: place, "store \"\(name)\" is named twice", hint: "remove one of them")
            } else {
                names.append(name)
            }
        }
        return names
    }

    /// An optional in a struct of its own: "not encrypted" must differ from "could not be read".
    struct StatedEncryption {
        var scheme: Encryption?
    }

    func encryption(_ parent: Fields) -> StatedEncryption? {
        guard let entry = parent["encryption"] else { return nil }
        let spelt = "write \"none\", or {format: openssl, key: NAME}"
        if case .scalar(let scalar) = entry.node {
            if file.refusesTag(of: entry.node) { return nil }
            if scalar.string == "none" { return StatedEncryption(scheme: nil) }
            parent.report("encryption", "\"encryption\" must be \"none\" or a mapping", hint: spelt)
            return nil
        }
        let title = "\"encryption\" of \(parent.title)"
        guard let fields = Fields(file, entry.node, .encryption, title: title, place: entry.place) else { return nil }
        let format = fields.choice("format", EncryptionFormat.self)
        let key = keyName(fields)
        // The defaults are those of `openssl enc -pbkdf2`.
        let iterations = fields["iterations"] == nil ? 10_000 : fields.whole("iterations", in: 1...100_000_000)
        let digest = fields["digest"] == nil ? .sha256 : fields.choice("digest", Digest.self)
        let derivation = fields["derivation"] == nil ? .pbkdf2 : fields.choice("derivation", Encryption.Derivation.self)
        guard let format, let key, let iterations, let digest, let derivation else { return nil }
        if format == .openssl, derivation == .evpBytesToKey, fields["iterations"] != nil {
            fields.report(
                "iterations", "\"iterations\" does not fit derivation \"\(derivation.rawValue)\"",
                hint: "remove one of the two: openssl enc uses pbkdf2 as soon as -iter is given, and one round without")
        }
        if format != .openssl {
            let why = format == .pgbackrest ? "pgBackRest has its own" : "only openssl enc makes a key of a passphrase so"
            for name in ["iterations", "digest", "derivation"] where fields[name] != nil {
                fields.report(name, "\"\(name)\" does not fit format \"\(format.rawValue)\"", hint: "remove it: \(why)")
            }
        }
        let scheme: Encryption.Format =
            switch format {
            case .openssl: .opensslEnc(iterations: iterations, digest: digest.rawValue, derivation: derivation)
            case .pgbackrest: .pgBackRest
            case .cms: .cms
            case .age: .age
            case .gpg: .gpg
            }
        return StatedEncryption(scheme: Encryption(format: scheme, key: key))
    }

    /// The value may be the key itself, written here by mistake, so it is never repeated.
    private func keyName(_ fields: Fields) -> String? {
        guard let entry = fields["key"] else { return nil }
        guard case .scalar(let scalar) = entry.node, !file.refusesTag(of: entry.node) else {
            fields.report(
                "key", "\"key\" must be a name from \"keys\", not \(file.kind(of: entry.node))", hint: "declare it under \"keys\"")
            return nil
        }
        guard let keys, !keys.contains(scalar.string) else { return scalar.string }
        let hint =
            NearestWord.find(scalar.string, among: keys).map { "did you mean \"\($0)\"?" }
            ?? "declare it under \"keys\" as NAME: {file: path}, {env: NAME} or {command: [program, argument]}, and write its name here"
        fields.report("key", "\"key\" is not a name from \"keys\"", hint: hint)
        return nil
    }
}
