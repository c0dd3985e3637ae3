// Good files, and what is read out of them.

import DrillModel
import Foundation
import Testing

@testable import DrillFiles

@Suite struct GoodFilesTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture()
        try fixture.write("estate.yaml", Good.estate)
    }

    /// As psql finds the server of this machine.
    @Test func sourceThatNamesItsDatabaseAlone() throws {
        try fixture.write(
            "estate.yaml",
            Good.estate.replacing("      host: /run/postgresql\n      port: 5432\n", with: ""))
        let source = try #require(try fixture.estate().services["postgres"]?.source)
        #expect(["/var/run/postgresql", "/tmp"].contains(source.host))
        #expect(source.database == "domainscope" && source.port == nil)
    }

    @Test func estateWithEveryKey() throws {
        let estate = try fixture.estate()
        #expect(estate.name == "domainscope")
        #expect(estate.timeZone.identifier == "Asia/Kolkata")
        #expect(estate.file == fixture.folder.appendingPathComponent("estate.yaml", isDirectory: false))
        #expect(estate.stores.keys.sorted() == ["primary", "secondary"])
        let primary = fixture.folder.appendingPathComponent("backups/primary", isDirectory: true)
        #expect(estate.stores["primary"] == Store(name: "primary", location: .folder(primary), zone: "ksdc"))
        let secondary = URL(fileURLWithPath: "/srv/dr", isDirectory: true)
        #expect(estate.stores["secondary"] == Store(name: "secondary", location: .folder(secondary), zone: nil))
        #expect(
            estate.keys == [
                "backup": .environment("DOMAINSCOPE_BACKUP_KEY"),
                "spare": .file(fixture.folder.appendingPathComponent("keys/spare", isDirectory: false)),
                "vault": .command(["pass", "show", "dr/backup key"]),
            ])
        #expect(
            estate.seals
                == SealPolicy(
                    trustedKeys: [fixture.folder.appendingPathComponent("keys/seal.pub", isDirectory: false)], required: true,
                    signingKey: .file(fixture.folder.appendingPathComponent("keys/seal.pem", isDirectory: false))))
        let source = SourceConnection(
            host: "/run/postgresql", port: 5432, database: "domainscope", user: "muster", password: .environment("SOURCE_PASSWORD"))
        let daily = BackupSet(
            name: "daily", service: "postgres", kind: .pgDump, stores: ["primary", "secondary"], match: "postgres/daily/*.dump.enc",
            encryption: Encryption(format: .opensslEnc(iterations: 600_000, digest: "sha512"), key: "backup"),
            globals: "postgres/daily/*.globals.sql.enc",
            schedule: Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 0), tolerance: .seconds(2700)),
            retention: Retention([.daily: 30, .monthly: 12]))
        #expect(estate.services["postgres"] == Service(name: "postgres", engine: .postgres, source: source, backups: ["daily": daily]))
        let rdb = BackupSet(name: "rdb", service: "redis", kind: .rdb, stores: ["primary"], match: "redis/*.rdb")
        #expect(
            estate.services["redis"]
                == Service(
                    name: "redis", engine: .redis, source: nil, backups: ["rdb": rdb], worstCaseTarget: .seconds(90_000),
                    binaries: URL(fileURLWithPath: "/opt/redis-7.4/bin", isDirectory: true),
                    modules: [
                        ServerModule(path: fixture.folder.appendingPathComponent("modules/rejson.so").path, arguments: ["A", "1"]),
                        ServerModule(path: "/usr/lib/bloom.so"),
                    ]))
        let env = try #require(estate.services["configuration"]?.backups["env"])
        let promise = ConfigurationPromise(
            required: ["DATABASE_URL", "SECRET_KEY"], live: .command(["cat", "/srv/app/.env"]), mayDiffer: ["RELEASE*"])
        #expect(env.kind == .env && env.configuration == promise && env.code == nil && !env.holdsData)
        let mirror = try #require(estate.services["code"]?.backups["mirror"])
        let revision = fixture.folder.appendingPathComponent("REVISION", isDirectory: false)
        #expect(mirror.kind == .gitMirror && mirror.code == CodePromise(runs: .file(revision), branch: "main"))
        #expect(mirror.encryption == nil && mirror.configuration == nil)
        #expect(estate.services.count == 4)
        #expect(estate.byHand == ["code-in-git": "look at the mirror"])
    }

    @Test func drillWithEveryKey() throws {
        try fixture.write("drill.yaml", Good.drill)
        let plan = try #require(try fixture.drills("drill.yaml").first)
        #expect(plan.name == "database-corruption")
        #expect(plan.scenario == .databaseCorruption)
        #expect(plan.estate == (try fixture.estate()))
        #expect(plan.profile == .fast)
        #expect(plan.incident == .at(Date(timeIntervalSince1970: 1_772_310_600)))
        #expect(plan.targets == Targets(rto: .seconds(14_400), rpo: .seconds(21_600), rpoWorstCase: .seconds(25_200)))
        #expect(
            plan.allowances == [
                Allowance(name: "decide", duration: .seconds(900)), Allowance(name: "announce", duration: .seconds(5_400)),
            ])
        #expect(
            plan.recover == [
                Recovery(service: "postgres", backup: "daily", selection: .latest, jobs: 2),
                Recovery(service: "redis", backup: "rdb", selection: .latestHealthy, jobs: nil),
            ])
        #expect(
            plan.checks == [
                "postgres": [
                    .rows(table: "public.domains", bounds: Bounds(atLeast: 1, atMost: 9)),
                    .rows(table: "public.users", bounds: Bounds(atLeast: 20, atMost: 20)),
                    .sql(name: "newest scan is recent", query: "select 1", expect: Expectation(comparison: .greater, operand: "0")),
                ],
                "redis": [
                    .keys(database: 1, pattern: "session:*", bounds: Bounds(atLeast: 10)),
                    .key(database: 2, name: "config", type: "hash"),
                ],
            ])
        #expect(plan.quarantine == QuarantineDemand(network: true))
        #expect(plan.file == fixture.folder.appendingPathComponent("drill.yaml", isDirectory: false))
    }

    @Test func defaults() throws {
        try fixture.write(
            "small.yaml",
            """
            version: 1
            estate: small
            stores: {here: {type: file, path: .}}
            keys: {k: {env: K}}
            services:
              db: {engine: postgres, backups: {d: {kind: pg_dump, store: here, match: "*.dump", encryption: {format: openssl, key: k}}}}
            """)
        try fixture.write(
            "drill.yml",
            """
            version: 1
            drill: d
            estate: ./small.yaml
            scenario: database-corruption
            recover: {db: {from: d}}
            """)
        let plan = try #require(try fixture.drills("drill.yml").first)
        #expect(plan.estate.timeZone.secondsFromGMT() == 0)
        #expect(plan.estate.seals == SealPolicy())
        #expect(plan.estate.stores["here"]?.location == .folder(fixture.folder))
        let scheme = Encryption(format: .opensslEnc(iterations: 10_000, digest: "sha256"), key: "k")
        #expect(plan.estate.services["db"]?.backups["d"]?.encryption == scheme)
        #expect(plan.profile == .production)
        #expect(plan.incident == .now)
        #expect(plan.targets == Targets())
        #expect(plan.allowances.isEmpty)
        #expect(plan.recover == [Recovery(service: "db", backup: "d", selection: .latestHealthy, jobs: nil)])
        #expect(plan.checks.isEmpty)
        #expect(plan.quarantine == QuarantineDemand(network: false))
    }

    @Test func schedulesOfEveryKind() throws {
        for (written, read) in [
            ("{every: day}", Schedule(interval: .day)),
            ("{every: 6h, at: 02:00}", Schedule(interval: .span(.seconds(21_600)), at: TimeOfDay(hour: 2, minute: 0))),
            ("{every: 7h, tolerance: 1m}", Schedule(interval: .span(.seconds(25_200)), tolerance: .seconds(60))),
            (
                "{every: week, weekday: monday, at: \"23:59\"}",
                Schedule(interval: .week(.monday), at: TimeOfDay(hour: 23, minute: 59))
            ),
        ] {
            let text = Good.estate.replacing("{every: day, at: \"02:00\", tolerance: 45m}", with: written)
            try fixture.write("s.yaml", text)
            #expect(try fixture.estate("s.yaml").services["postgres"]?.backups["daily"]?.schedule == read)
        }
    }

    @Test func folderGivesItsDrillsSortedAndSkipsEstatesAndOtherFiles() throws {
        try fixture.write(
            "drills/b.yaml",
            Good.drill.replacing("drill: database-corruption", with: "drill: b").replacing("estate.yaml", with: "../estate.yaml"))
        try fixture.write(
            "drills/a.yml",
            Good.drill.replacing("drill: database-corruption", with: "drill: a").replacing("estate.yaml", with: "../estate.yaml"))
        try fixture.write("drills/estate.yaml", "version: 1\nestate: another\nservices: not read here\n")
        try fixture.write("drills/README.md", "- not YAML: [")
        try fixture.write("drills/.hidden.yaml", "not: a drill")
        try fixture.write("drills/below/c.yaml", "not: a drill")
        #expect(try fixture.drills("drills").map(\.name) == ["a", "b"])
        #expect(
            try fixture.drills("drills/b.yaml", "drills", "drills/./a.yml").map(\.name) == ["a", "b"], "a file named twice is read once")
    }

    @Test func anchorsAndMergeKeys() throws {
        try fixture.write(
            "merged.yaml",
            """
            version: 1
            estate: merged
            stores: {here: {type: file, path: .}}
            services:
              db:
                engine: postgres
                backups:
                  daily: &daily
                    kind: pg_dump
                    store: here
                    match: daily/*
                    encryption: &open none
                  monthly:
                    <<: *daily
                    match: monthly/*
                  yearly:
                    <<: [{match: yearly/*}, *daily]
                  hourly: {kind: pg_dump, store: here, match: hourly/*, encryption: *open}
            """)
        let backups = try #require(try fixture.estate("merged.yaml").services["db"]?.backups)
        #expect(backups["monthly"]?.match == "monthly/*")
        #expect(backups["monthly"]?.stores == ["here"])
        #expect(backups["yearly"]?.match == "yearly/*")
        #expect(backups["hourly"]?.match == "hourly/*")
        #expect(backups.values.allSatisfy { $0.encryption == nil && $0.kind == .pgDump })
    }

    /// `no` is Norway, `on` is a host, `1e3` a database, `2026-03-01` a store, `null` and `~` are what they are.
    @Test func namesAreTextWhateverYAMLThinks() throws {
        try fixture.write(
            "norway.yaml",
            """
            version: 1
            estate: no
            stores: {2026-03-01: {type: file, path: 010, zone: off}, yes: {type: file, path: 1_000}}
            services:
              null:
                engine: postgres
                source: {host: on, database: 1e3, user: 0x1F, password: {env: TRUE}}
                backups:
                  12: {kind: pg_dump, stores: [2026-03-01, yes], match: 1.50, encryption: none}
            """)
        let estate = try fixture.estate("norway.yaml")
        #expect(estate.name == "no")
        #expect(estate.stores.keys.sorted() == ["2026-03-01", "yes"])
        #expect(estate.stores["2026-03-01"]?.zone == "off")
        #expect(estate.stores["2026-03-01"]?.location == .folder(fixture.folder.appendingPathComponent("010", isDirectory: true)))
        #expect(estate.services["null"]?.source?.host == "on")
        #expect(estate.services["null"]?.source?.database == "1e3")
        #expect(estate.services["null"]?.source?.user == "0x1F")
        #expect(estate.services["null"]?.backups["12"]?.match == "1.50")
    }

    @Test func socketFoldersResolveAndHostNamesDoNot() throws {
        for (written, read) in [
            ("/run/postgresql", "/run/postgresql"), ("lab/socket", fixture.folder.path + "/lab/socket"), ("db.example", "db.example"),
            ("\"::1\"", "::1"), ("./s", fixture.folder.path + "/s"),
        ] {
            try fixture.write("h.yaml", Good.estate.replacing("host: /run/postgresql", with: "host: \(written)"))
            #expect(try fixture.estate("h.yaml").services["postgres"]?.source?.host == read)
        }
    }

    @Test func byteOrderMarkAndWindowsLineEndsAreHarmless() throws {
        try fixture.write("drill.yaml", "\u{FEFF}" + Good.drill.replacing("\n", with: "\r\n"))
        #expect(try fixture.drills("drill.yaml").count == 1)
    }

    @Test func clocksMayDifferByAMinute() throws {
        try fixture.write("drill.yaml", Good.drill.replacing("2026-03-01T02:00:00+05:30", with: "2026-03-01T12:00:59Z"))
        #expect(try fixture.drills("drill.yaml").first?.incident == .at(Fixture.now.addingTimeInterval(59)))
    }

    @Test func estateIsLoadedOnceAndItsProblemsAreToldOnce() throws {
        try fixture.write("estate.yaml", Good.estate.replacing("zone: ksdc", with: "zone: ksdc, colour: red"))
        try fixture.write("a.yaml", Good.drill)
        try fixture.write("b.yaml", Good.drill.replacing("drill: database-corruption", with: "drill: b"))
        #expect(fixture.problems(["a.yaml", "b.yaml"]).map(\.file) == ["estate.yaml"])
    }
}
