// A folder to write drill files into, removed at the end, and the good files that the tests spoil.

import DrillModel
import Foundation

@testable import DrillFiles

/// A private folder for one test.
final class Fixture {
    let folder: URL
    /// 2026-03-01 12:00 UTC.
    static let now = Date(timeIntervalSince1970: 1_772_366_400)

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("muster-drillfiles-\(UUID().uuidString)", isDirectory: true)
            .resolvingSymlinksInPath()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try write(name, Data(text.utf8))
    }

    @discardableResult
    func write(_ name: String, _ data: Data) throws -> String {
        let url = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url)
        return url.path
    }

    /// The problems of a load, with their files as names in this folder; none where it succeeds.
    func problems(_ names: [String], against estate: String? = nil) -> [DrillFileError.Problem] {
        do throws(DrillFileError) {
            _ = try DrillFiles.load(names.map(path), estate: estate.map(path), now: Self.now)
            return []
        } catch {
            return relative(error.problems)
        }
    }

    func estateProblems(_ name: String) -> [DrillFileError.Problem] {
        do throws(DrillFileError) {
            _ = try DrillFiles.loadEstate(folder.appendingPathComponent(name).path)
            return []
        } catch {
            return relative(error.problems)
        }
    }

    func drills(_ names: String..., against estate: String? = nil) throws -> [DrillPlan] {
        try DrillFiles.load(names.map(path), estate: estate.map(path), now: Self.now)
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func estate(_ name: String = "estate.yaml") throws -> Estate {
        try DrillFiles.loadEstate(folder.appendingPathComponent(name).path)
    }

    private func relative(_ problems: [DrillFileError.Problem]) -> [DrillFileError.Problem] {
        problems.map { problem in
            var problem = problem
            problem.file = problem.file.replacingOccurrences(of: folder.path + "/", with: "")
            problem.message = problem.message.replacingOccurrences(of: folder.path + "/", with: "")
            return problem
        }
    }
}

/// Good files that use every key.
enum Good {
    static let estate = """
        version: 1
        estate: domainscope
        timezone: Asia/Kolkata
        stores:
          primary: {type: file, path: backups/primary, zone: ksdc}
          secondary:
            type: file
            path: /srv/dr
        keys:
          backup: {env: DOMAINSCOPE_BACKUP_KEY}
          spare: {file: keys/spare}
          vault: {command: [pass, show, "dr/backup key"]}
        seals:
          trust: [keys/seal.pub]
          required: true
          sign-with: {file: keys/seal.pem}
        by-hand: {code-in-git: look at the mirror}
        services:
          postgres:
            engine: postgres
            source:
              host: /run/postgresql
              port: 5432
              database: domainscope
              user: muster
              password: {env: SOURCE_PASSWORD}
            backups:
              daily:
                kind: pg_dump
                stores: [primary, secondary]
                match: postgres/daily/*.dump.enc
                encryption: {format: openssl, key: backup, iterations: 600000, digest: sha512}
                globals: postgres/daily/*.globals.sql.enc
                schedule: {every: day, at: "02:00", tolerance: 45m}
                retention: {daily: 30, monthly: 12}
          redis:
            engine: redis
            binaries: /opt/redis-7.4/bin
            modules: [{path: modules/rejson.so, arguments: [A, "1"]}, {path: /usr/lib/bloom.so}]
            rpo-worst-case: 25h
            backups:
              rdb:
                kind: rdb
                store: primary
                match: "redis/*.rdb"
                encryption: none
          configuration:
            engine: configuration
            backups:
              env:
                kind: env
                stores: [secondary]
                match: env/*.enc
                encryption: {key: spare, format: "openssl"}
                required: [DATABASE_URL, SECRET_KEY]
                live: {command: [cat, /srv/app/.env]}
                may-differ: ["RELEASE*"]
          code:
            engine: code
            backups:
              mirror:
                kind: git_mirror
                stores: [secondary]
                match: code/app.git
                encryption: "none"
                branch: main
                runs: {file: REVISION}
        applications:
          web:
            folder: app
            start: [python3, app.py, "{application.folder}"]
            environment: {DATABASE_URL: "postgresql:///{postgres.database}?host={postgres.socket-folder}", CACHE: "{redis.socket}", LEVEL: 3}
            health:
              hold: 3s
              within: 90s
              probes:
                - http: {path: /health, status: 201, body: '"status": *"ok"', port: 9100}
                - tcp: {port: 9101}
                - command: {run: [./check, "{application.port}"], expect-exit: 4}
                - sql: {service: postgres, query: select count(*) from t, expect: "> 7"}
            repopulate:
              redis: {run: [python3, app.py, refill], timeout: 2m}
        zones:
          ksdc: {cut: {run: [./cut, off], timeout: 20s}, restore: {run: [./cut, again]}}

        """

    static let drill = """
        version: 1
        drill: database-corruption
        estate: estate.yaml
        scenario: database-corruption
        profile: fast
        incident: {at: 2026-03-01T02:00:00+05:30}
        targets: {rto: 4h, rpo: 6h, rpo-worst-case: 7h}
        allowances:
          decide: 15m
          announce: 1h30m
        recover:
          postgres: {from: daily, select: latest, jobs: 2}
          redis: {from: rdb}
        checks:
          postgres:
            - rows: {table: public.domains, at-least: 1, at-most: 9}
            - rows: {table: public.users, exactly: 20}
            - sql: {name: newest scan is recent, query: "select 1", expect: "> 0"}
          redis:
            - keys: {pattern: "session:*", database: 1, at-least: 10}
            - key: {name: config, database: 2, type: hash}
        hooks:
          stop: {before: {run: [./stop, now], timeout: 30s}, after: {run: ["true"]}}
          restart: {on-failure: {run: ["false"]}}
        manual:
          - {step: identify, name: confirm-loss, allowance: 20m}
        quarantine: {network: required}

        """

    /// With the zone of each store.
    static let zonedEstate = estate.replacing("path: /srv/dr\n", with: "path: /srv/dr\n    zone: dr\n")

    static let lostCache = """
        version: 1
        drill: lost-cache
        estate: estate.yaml
        scenario: database-corruption
        application: web
        recover:
          postgres: {from: daily}
          redis: {repopulate: {run: [python3, app.py, repopulate], timeout: 5m}}

        """

    static let outage = """
        version: 1
        drill: outage
        estate: estate.yaml
        scenario: data-center-outage
        lost-zone: ksdc
        outage:
          cut: {run: [umount, /backups], timeout: 30s}
          restore: {run: [mount, /backups]}
        targets: {rto: 4h}
        recover:
          postgres: {from: daily}

        """

    static let serverFailure = """
        version: 1
        drill: server-failure
        estate: estate.yaml
        scenario: server-failure
        application: web
        targets: {rto: 1h}
        existing:
          postgres: {from: daily}
          redis: {from: rdb, select: latest}

        """
}
