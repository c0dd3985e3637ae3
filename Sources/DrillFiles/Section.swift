// Every key that a file may hold, one table for each kind of mapping; docs/schema holds the same, and a test compares them.

/// The keys of one kind of mapping.
struct Section: Sendable {
    /// A key that must be there, with an example for the one who forgot it.
    struct RequiredKey: Sendable {
        var name: String
        var example: String
    }

    /// Where the JSON Schemas hold it: `estate`, `drill`, or a name under their `$defs`.
    var name: String
    var required: [RequiredKey]
    var optional: [String]
    /// Keys that the design knows and this version doesn't.
    var planned: Set<String> = []
    /// It names secrets: nothing that stands in it is ever repeated, not even a key.
    var holdsSecrets = false

    var keys: [String] { required.map(\.name) + optional }

    private init(
        _ name: String, required: KeyValuePairs<String, String> = [:], optional: [String] = [], planned: Set<String> = [],
        holdsSecrets: Bool = false
    ) {
        self.name = name
        self.required = required.map { RequiredKey(name: $0.key, example: $0.value) }
        self.optional = optional
        self.planned = planned
        self.holdsSecrets = holdsSecrets
    }
}

extension Section {
    static let estate = Section(
        "estate",
        required: [
            "version": "1", "estate": "my-estate", "stores": "{primary: {type: file, path: /backups}}",
            "services": "{postgres: {engine: postgres, backups: …}}",
        ],
        optional: ["timezone", "keys", "applications", "zones", "seals", "evidence", "notify", "sealed-as", "by-hand"])

    static let store = Section("store", required: ["type": "file", "path": "/backups"], optional: ["zone"])

    static let objectStore = Section(
        "s3-store", required: ["type": "s3", "bucket": "my-backups"],
        optional: ["endpoint", "prefix", "region", "access-key", "secret-key", "ca", "zone"])

    static let sshStore = Section(
        "sftp-store",
        required: [
            "type": "sftp", "host": "backup.example.org", "user": "muster", "path": "/backups", "known-hosts": "/etc/ssh/ssh_known_hosts",
        ],
        optional: ["port", "private-key", "password", "zone"])

    static let rcloneStore = Section(
        "rclone-store", required: ["type": "rclone", "remote": "\"vault:backups\"", "config": "/etc/muster/rclone.conf"],
        optional: ["config-password", "zone"])

    static let secret = Section("secret", optional: ["file", "env", "command"], holdsSecrets: true)

    static let seals = Section("seals", optional: ["trust", "required", "sign-with"])

    static let evidence = Section(
        "evidence", required: ["sign-with": "{file: keys/evidence.key}", "trust": "[keys/evidence.pub]"])

    static let channel = Section("channel", optional: ["webhook", "mail", "command", "on"])

    static let webhook = Section("webhook", required: ["url": "{env: WEBHOOK_URL}"], optional: ["format", "token"])

    static let mail = Section("mail", required: ["to": "[dba@example.com]", "from": "muster@example.com"], optional: ["sendmail"])

    static let service = Section(
        "service",
        required: ["engine": "postgres", "backups": "{daily: {kind: pg_dump, …}}"],
        optional: [
            "source", "standby", "replica", "living", "binaries", "modules", "rpo-worst-case", "preload", "settings", "sealed-as",
            "databases", "system-identifiers",
        ])

    static let module = Section("module", required: ["path": "/usr/lib/redis/modules/rejson.so"], optional: ["arguments"])

    static let source = Section("source", optional: ["host", "port", "database", "user", "password", "zone"])

    static let standby = Section(
        "standby", required: ["host": "standby.example.org"], optional: ["port", "database", "user", "password", "zone"])

    static let replica = Section(
        "replica", required: ["host": "replica.example.org"], optional: ["port", "user", "password", "zone"])

    static let living = Section(
        "living", required: ["host": "/run/postgresql", "database": "shop", "user": "reader"], optional: ["port", "password"])

    static let backup = Section(
        "backup",
        required: [
            "kind": "pg_dump", "match": "\"daily/*.dump.enc\"",
            "encryption": "{format: openssl, key: NAME}\", or \"encryption: none",
        ],
        optional: [
            "store", "stores", "globals", "moments", "wal", "stanza", "restore", "fetch-wal", "fetch-wal-missing", "required", "live",
            "may-differ",
            "branch", "runs",
            "schedule",
            "retention", "sealed-as", "cluster",
        ])

    static let live = Section("live", optional: ["file", "command"], holdsSecrets: true)

    static let runs = Section("runs", optional: ["commit", "file", "command"])

    static let schedule = Section("schedule", required: ["every": "day"], optional: ["at", "weekday", "tolerance"])

    static let retention = Section("retention", optional: ["daily", "weekly", "monthly", "yearly"])

    static let wal = Section(
        "wal",
        required: ["match": "\"wal/*\"", "encryption": "{format: openssl, key: NAME}\", or \"encryption: none"],
        optional: ["store", "stores"])

    static let encryption = Section(
        "encryption", required: ["format": "openssl", "key": "NAME"], optional: ["iterations", "digest", "derivation"])

    static let application = Section(
        "application", required: ["start": "[python3, app.py]", "health": "{probes: [{http: {path: /health}}]}"],
        optional: ["folder", "code", "configuration", "environment", "repopulate"])

    static let zone = Section("zone", required: ["cut": "{run: [program, argument]}", "restore": "{run: [program, argument]}"])

    static let health = Section("health", required: ["probes": "[{http: {path: /health}}]"], optional: ["hold", "within"])

    static let httpProbe = Section("http", required: ["path": "/health"], optional: ["status", "body", "port"])

    static let tcpProbe = Section("tcp", required: ["port": "8080"])

    static let commandProbe = Section("command", required: ["run": "[program, argument]"], optional: ["expect-exit"])

    static let sqlProbe = Section(
        "sql-probe", required: ["service": "postgres", "query": "\"select …\"", "expect": "\"> 0\""])
}

extension Section {
    static let drill = Section(
        "drill",
        required: [
            "version": "1", "drill": "database-corruption", "estate": "estate.yaml", "scenario": "database-corruption",
        ],
        optional: [
            "recover", "existing", "lost-zone", "outage", "application", "hooks", "manual", "profile", "incident", "targets", "allowances",
            "checks", "quarantine", "due", "formerly",
        ])

    static let due = Section("due", required: ["cadence": "quarterly"], optional: ["since"])

    static let hooks = Section("hooks", optional: ["identify", "stop", "retrieve", "restore", "verify", "restart"])

    static let stepHooks = Section("step-hooks", optional: ["before", "after", "on-failure"])

    static let hook = Section("hook", required: ["run": "[program, argument]"], optional: ["timeout"])

    static let manual = Section("manual", required: ["step": "identify", "name": "decide", "allowance": "15m"])

    static let outage = Section(
        "outage", required: ["cut": "{run: [program, argument]}", "restore": "{run: [program, argument]}"])

    static let incident = Section("incident", required: ["at": "now"])

    static let targets = Section("targets", optional: ["rto", "rpo", "rpo-worst-case"])

    static let recovery = Section(
        "recovery", required: ["from": "daily"], optional: ["select", "tries", "jobs", "database", "to", "inclusive", "timeline"])

    static let selection = Section("selection", required: ["within": "365d"])

    static let lostCache = Section("lost-cache", optional: ["repopulate", "empty"])

    static let repopulation = Section("repopulation", required: ["run": "[program, argument]"], optional: ["timeout"])

    static let to = Section("to", optional: ["time", "lsn", "name", "xid"])

    static let rowsCheck = Section(
        "rows", required: ["table": "public.domains"], optional: ["as", "database", "at-least", "at-most", "exactly"])

    static let sqlCheck = Section(
        "sql", required: ["name": "newest scan is recent", "query": "\"select …\"", "expect": "\"> 0\""], optional: ["as", "database"])

    static let sealedCheck = Section(
        "sealed", required: ["name": "sum of all orders", "query": "\"select …\""], optional: ["values", "database"])

    static let keysCheck = Section(
        "keys", required: ["pattern": "\"session:*\""], optional: ["database", "at-least", "at-most"])

    static let keyCheck = Section("key", required: ["name": "config:version"], optional: ["database", "type"])

    static let commandCheck = Section(
        "command-check", required: ["run": "[./smoke.sh]"],
        optional: ["name", "folder", "environment", "expect-exit", "expect", "timeout", "as", "database"])

    static let quarantine = Section("quarantine", optional: ["network", "files"])

    /// The third kind of file.
    static let actions = Section(
        "actions", required: ["version": "1", "corrective-actions": "[{drill: …, rule: …, owner: …, due: …}]"], optional: ["days"])

    static let action = Section(
        "action", required: ["drill": "database-corruption", "rule": "rows-differ"], optional: ["object", "owner", "due", "note"])

    static let ofActions = [actions, action]

    static let ofEstates = [
        estate, store, objectStore, sshStore, rcloneStore, secret, seals, evidence, channel, webhook, mail, service, source, standby,
        replica, living, module,
        backup, wal,
        live,
        runs,
        schedule,
        retention,
        encryption, application, health, httpProbe, tcpProbe, commandProbe, sqlProbe, zone, hook, repopulation,
    ]
    static let ofDrills = [
        drill, due, incident, targets, recovery, to, rowsCheck, sqlCheck, sealedCheck, keysCheck, keyCheck, commandCheck, quarantine, hooks,
        stepHooks,
        hook, manual,
        outage, lostCache, repopulation, selection,
    ]
}
