// The lab's estate file and its drills, ready to be run and to be read as examples.

import Foundation

/// Writes them for one lab.
struct LabFiles: Sendable {
    var places: LabPlaces
    var calendar: LabCalendar
    var socketFolder: URL
    var moments: LabMoments
    /// nil where there is no chain of incremental backups.
    var incrementals: LabMoments?
    private var hasBundles: Bool { FileManager.default.fileExists(atPath: places.bundles.path) }
    private var hasRepository: Bool { FileManager.default.fileExists(atPath: places.repository.path) }

    init(places: LabPlaces, calendar: LabCalendar, socketFolder: URL, moments: LabMoments, incrementals: LabMoments?) {
        self.places = places
        self.calendar = calendar
        self.socketFolder = socketFolder
        self.moments = moments
        self.incrementals = incrementals
    }

    /// - Returns: The drill files, the main one first.
    func write() throws -> [URL] {
        try Data(estate.utf8).write(to: places.estateFile)
        try LabApplication.write(to: places.application)
        if hasBundles { try writeLive() }
        var drills = [
            ("database-corruption", corruption), ("redis-aof", appendOnly), ("quick-look", quickLook), ("point-in-time", pointInTime),
            ("server-failure", serverFailure), ("corruption-restart", corruptionRestart), ("redis-loss", redisLoss),
        ]
        if hasBundles { drills += [("recovery-set", recoverySet), ("server-rebuild", serverRebuild), ("data-center-outage", outage)] }
        if hasRepository { drills.append(("pgbackrest", repository)) }
        if let incrementals { drills.append(("incremental", chain(incrementals))) }
        return try drills.map { name, text in
            let file = places.drills.appending(path: name + ".yaml")
            try Data(text.utf8).write(to: file)
            return file
        }
    }

    private var estate: String {
        """
        # The lab's estate: what must survive, where its backups lie, and the keys that open them.
        # Paths start at this file's folder.
        version: 1
        estate: domainscope
        timezone: Asia/Kolkata
        stores:
          primary: {type: file, path: backups/primary, zone: ksdc}
          dr: {type: file, path: backups/dr, zone: dr}
        keys:
          backup: {file: keys/backup.key}
        seals:
          trust: [keys/seal.pub]
          sign-with: {file: keys/seal.key}
        services:
          postgres:
            engine: postgres
            # The sources, the standby and the replica are there while `muster lab start` has them running.
            source: {host: \(socketFolder.path), database: domainscope, user: postgres, zone: ksdc}
            # live/standby-failover.yaml promotes a clone of it, and of the Redis' replica.
            standby: {host: \(socketFolder.path)/dr, database: domainscope, user: postgres, zone: dr}
            # live/server-failure.yaml starts the application against it, and only reads in it.
            living: {host: \(socketFolder.path)/dr, database: domainscope, user: domainscope_app}
            backups:
              daily:
                kind: pg_dump
                stores: [primary, dr]
                match: postgres/daily/*.dump.enc
                globals: postgres/daily/*.globals.sql.enc
                encryption: {format: openssl, key: backup}
                # What `muster inspect` holds the stored backups against.
                schedule: {every: day, at: "02:00", tolerance: 30m}
                retention: {daily: \(calendar.days), monthly: 12}
              # By day nothing happens here: each is the dump of the night before it, dated anew.
              six-hourly:
                kind: pg_dump
                stores: [primary, dr]
                match: postgres/six-hourly/*.dump.enc
                globals: postgres/six-hourly/*.globals.sql.enc
                encryption: {format: openssl, key: backup}
                schedule: {every: 6h, at: "02:00", tolerance: 30m}
                retention: {daily: \(calendar.sixHourlyDays)}
              base:
                kind: base_backup
                stores: [primary]
                match: postgres/base/*
                encryption: {format: openssl, key: backup}
                wal: {match: postgres/wal/*, encryption: {format: openssl, key: backup}}
        \(repositorySet)  redis:
            engine: redis
            source: {host: \(socketFolder.path)/redis.sock, password: {file: keys/redis.password}, zone: ksdc}
            replica: {host: \(socketFolder.path)/dr/redis.sock, password: {file: keys/redis.password}, zone: dr}
            backups:
              rdb:
                kind: rdb
                stores: [primary, dr]
                match: redis/rdb/*.rdb.enc
                encryption: {format: openssl, key: backup}
                schedule: {every: day, at: "02:00", tolerance: 30m}
                retention: {daily: \(calendar.days)}
              aof:
                kind: aof
                stores: [primary, dr]
                match: redis/aof/*.tar.enc
                encryption: {format: openssl, key: backup}
                schedule: {every: day, at: "02:00", tolerance: 30m}
                retention: {daily: \(min(2, calendar.days))}
          configuration:
            engine: configuration
            backups:
              env:
                kind: env
                stores: [primary, dr]
                match: configuration/*.env.enc
                encryption: {format: openssl, key: backup}
                required: [\(LabConfiguration.required.joined(separator: ", "))]
                # What production runs with; only names of keys are ever shown.
                live: {file: app/.env}
                may-differ: [\(LabConfiguration.mayDiffer.joined(separator: ", "))]
                schedule: {every: day, at: "02:00", tolerance: 30m}
                retention: {daily: \(calendar.days)}
        \(codeService)\(chainService)# How a drill that loses a zone cuts it off, and brings it back: here the folder is moved away. After a kill -9, `restore` is run by hand.
        zones:
          ksdc:
            cut: {run: [mv, -T, backups/primary, backups/primary.lost], timeout: 30s}
            restore: {run: [mv, -T, backups/primary.lost, backups/primary], timeout: 30s}
        applications:
          # Reads both services. A drill starts a copy of it inside the quarantine, against the scratch servers.
          \(LabApplication.name):
            folder: application
            start: [\(LabApplication.python), app.py]
            environment:
              DATABASE_URL: "postgresql:///{postgres.database}?host={postgres.socket-folder}&port={postgres.port}&user={postgres.user}"
              REDIS_SOCKET: "{redis.socket}"
              LISTEN: "{application.socket}"
            health:
              hold: 2s
              within: 60s
              probes:
                - http: {path: /health, status: 200, body: '"status": *"ok"'}
                - sql: {service: postgres, query: select count(*) from public.domains, expect: "> 0"}
        \(rebuiltApplication)
        """
    }

    /// Empty where no bundle could be made, or whole lines: the same application, from its backups alone.
    private var rebuiltApplication: String {
        guard hasBundles else { return "" }
        return """
              # The same from its backups: the commit that production runs, and the recovered variables under those of the scratch servers.
              \(LabApplication.rebuilt):
                code: code
                configuration: configuration
                start: [\(LabApplication.python), app.py]
                environment:
                  DATABASE_URL: "postgresql:///{postgres.database}?host={postgres.socket-folder}&port={postgres.port}&user={postgres.user}"
                  REDIS_SOCKET: "{redis.socket}"
                  LISTEN: "{application.socket}"
                # What a drill runs that writes `repopulate: true`.
                repopulate:
                  redis: {run: [\(LabApplication.python), app.py, repopulate], timeout: 1m}
                health:
                  hold: 2s
                  within: 60s
                  probes:
                    - http: {path: /health, status: 200, body: '"status": *"ok"'}

            """
    }

    /// Empty, or whole lines at the place of the estate's backups.
    private var repositorySet: String {
        guard hasRepository else { return "" }
        return """
                  repository:
                    kind: pgbackrest
                    stores: [primary]
                    match: postgres/pgbackrest
                    stanza: \(LabRepository.stanza)
                    encryption: {format: pgbackrest, key: backup}

            """
    }

    /// Empty, or whole lines.
    private var codeService: String {
        guard hasBundles else { return "" }
        return """
              code:
                engine: code
                backups:
                  bundle:
                    kind: git_bundle
                    stores: [primary, dr]
                    match: code/*.bundle.enc
                    encryption: {format: openssl, key: backup}
                    branch: \(LabApplication.branch)
                    runs: {file: app/REVISION}
                    schedule: {every: day, at: "02:00", tolerance: 30m}
                    retention: {daily: \(calendar.days)}

            """
    }

    private var chainService: String {
        guard incrementals != nil else { return "" }
        return """
              measurements:
                engine: postgres
                backups:
                  chain:
                    kind: base_backup
                    stores: [primary]
                    match: measurements/base/*
                    encryption: {format: openssl, key: backup}
                    wal: {match: measurements/wal/*, encryption: {format: openssl, key: backup}}

            """
    }

    /// The same questions as those of the base backup and its archive.
    private var repository: String {
        """
        # The same mistake, from a pgBackRest repository: full, differential and incremental backups, encrypted, read by pgbackrest itself.
        # The incremental one was taken after the mistake: the drill must choose the differential one before it.
        \(head("pgbackrest", "database-corruption"))
        profile: production
        incident: {at: "\(LabCalendar.text(moments.incident))"}
        targets: {rto: 4h, rpo: 5m}
        recover:
          postgres: {from: repository, to: {time: "\(moments.target)"}}
        \(mistakeChecks)

        """
    }

    private func chain(_ moments: LabMoments) -> String {
        """
        # A full backup and two that build on it, as pg_basebackup --incremental makes them from PostgreSQL 17 on, combined and rolled
        # forward to the moment before every row was deleted.
        \(head("incremental", "database-corruption"))
        profile: production
        incident: {at: "\(LabCalendar.text(moments.incident))"}
        targets: {rto: 4h, rpo: 5m}
        recover:
          measurements: {from: chain, to: {time: "\(moments.target)"}}
        checks:
          measurements:
            - rows: {table: public.measurements, at-least: \(LabIncrementals.rows), at-most: \(LabIncrementals.rows)}
            - sql: {name: every part is there, query: "select count(distinct part) from measurements", expect: "= 4"}

        """
    }

    /// What every drill of the lab's begins with.
    func head(_ drill: String, _ scenario: String) -> String {
        """
        version: 1
        drill: \(drill)
        estate: ../estate.yaml
        scenario: \(scenario)
        """
    }

    /// That the database holds something at all.
    var restoredRowsCheck: String {
        """
        checks:
          postgres:
            - rows: {table: public.domains, at-least: 1}
        """
    }

    /// The same of both.
    var restoredDataChecks: String {
        """
        \(restoredRowsCheck)
          redis:
            - keys: {database: 0, pattern: "domain:*", at-least: 1}
        """
    }

    private var mistakeChecks: String {
        """
        checks:
          postgres:
            - rows: {table: public.domains, at-least: 1}
            - sql:
                name: the rows from before the mistake are there
                query: select count(*) from change_log where note = 'before'
                expect: "= \(LabPointInTime.before)"
            - sql:
                name: nothing from after the mistake is there
                query: select count(*) from change_log where note = 'after'
                expect: "= 0"
        """
    }

    var incident: String { LabCalendar.text(calendar.incident) }

    private var corruption: String {
        """
        # The recovery plan's main scenario: the database is corrupt, and the latest healthy backup brings it back.
        \(head("database-corruption", "database-corruption"))
        profile: production
        incident: {at: "\(incident)"}
        targets: {rto: 4h, rpo: 6h}
        # What a drill can't rehearse: people deciding, and pointing the application at the new database.
        allowances: {decide: 15m, switch-application: 10m}
        recover:
          postgres: {from: daily, select: latest-healthy}
          redis: {from: rdb}
        checks:
          postgres:
            - rows: {table: public.domains, at-least: 1}
            - rows: {table: public.organisations, at-least: 4}
            - rows: {table: public.password_resets, at-most: 0}
            - sql:
                name: newest scan is from the night of the backup
                query: select max(started_at) > timestamptz '\(LabCalendar.text(calendar.newest))' - interval '1 day' from public.scans
                expect: "= t"
            - sql:
                name: every alert belongs to a domain
                query: select count(*) from public.alerts a left join public.domains d on d.id = a.domain_id where d.id is null
                expect: "= 0"
            - sql:
                name: domains are all-lower-case
                query: select count(*) from public.domains where name <> lower(name)
                expect: "= 0"
          redis:
            - keys: {database: 0, pattern: "domain:*", at-least: 1}
            - key: {database: 0, name: events:scans, type: stream}
            - key: {database: 1, name: last-run, type: string}

        """
    }

    private var appendOnly: String {
        """
        # The cache alone, from its append-only files: a base, an increment and a manifest, in a tar.
        \(head("redis-aof", "database-corruption"))
        profile: production
        incident: {at: "\(incident)"}
        targets: {rto: 1h, rpo: 6h}
        recover:
          redis: {from: aof, select: latest}
        checks:
          redis:
            - keys: {database: 0, pattern: "*", at-least: 10}
            - key: {database: 0, name: flags, type: hash}

        """
    }

    private var pointInTime: String {
        """
        # Somebody deleted rows. The base backup from before it, and the archived write-ahead log up to the moment before it.
        # A second base backup was taken after the mistake: the drill must not choose that one.
        \(head("point-in-time", "database-corruption"))
        profile: production
        incident: {at: "\(LabCalendar.text(moments.incident))"}
        targets: {rto: 4h, rpo: 5m}
        recover:
          postgres: {from: base, to: {time: "\(moments.target)"}}
        \(mistakeChecks)

        """
    }

    private var quickLook: String {
        """
        # Is last night's dump whole? The fast profile leaves fsync off, so its RTO is indicative only.
        \(head("quick-look", "database-corruption"))
        profile: fast
        incident: {at: "\(incident)"}
        recover:
          postgres: {from: daily, select: latest}
        \(restoredRowsCheck)

        """
    }
}
