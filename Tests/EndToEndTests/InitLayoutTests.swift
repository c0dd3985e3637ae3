// `muster init` on the ways that people lay their backups out: one series of a folder per day, and a name for what is no backup of ours.

import Foundation
import Testing

struct InitLayoutTests {
    /// A store of its own, and a shell in it.
    private func store(_ fixture: Fixture, _ script: String) async throws -> URL {
        let store = fixture.folder.appendingPathComponent("my store")
        try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
        try await Program.require(["sh", "-ec", "cd '\(store.path)'\n" + script])
        return store
    }

    private static let heads = """
        sql() { printf -- '--\\n-- PostgreSQL database dump\\n--\\n'; }
        roles() { printf -- '--\\n-- PostgreSQL database cluster dump\\n--\\nCREATE ROLE app;\\n'; }

        """

    /// One series with `*` for the date, with its roles; and its drill takes the folder of the day that comes after.
    @Test func aFolderPerDayIsOneSeries() async throws {
        try await Fixture.with { fixture in
            let nights = try fixture.artifacts(in: fixture.snapshots)
            try #require(nights.count >= 3)
            let store = try await store(
                fixture,
                Self.heads + """
                    for d in 2026-11-25 2026-11-26 2026-11-27; do
                    mkdir -p $d daily/$d; sql > $d/shop.sql; sql > $d/crm.sql; roles > $d/globals.sql; sql | gzip > daily/$d/shop.sql.gz
                    roles | gzip > daily/$d/globals.sql.gz
                    done
                    """)
            // Oldest first; the newest night comes tomorrow.
            for (night, day) in zip(nights.prefix(3).reversed(), ["2026-11-25", "2026-11-26", "2026-11-28"]) {
                let folder = store.appendingPathComponent(day)
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try await fixture.decrypt(night, to: folder.appendingPathComponent("dump.rdb"))
            }
            let tomorrow = store.appendingPathComponent("2026-11-28")
            let aside = fixture.folder.appendingPathComponent("tomorrow")
            try FileManager.default.moveItem(at: tomorrow, to: aside)
            let target = fixture.folder.appendingPathComponent("drafts of mine")
            let made = try await fixture.run(["init", store.path, "--output", target.path])
            #expect(made.code == 0, "\(made.text)")
            for line in [
                "*/shop.sql: 3 of kind pg_dump, with the roles in */globals.sql", "*/crm.sql: 3 of kind pg_dump",
                "*/dump.rdb: 2 of kind rdb", "daily/*/shop.sql.gz: 3 of kind pg_dump, with the roles in daily/*/globals.sql.gz",
                "drafts of mine' --dry-run",
            ] {
                #expect(made.out.contains(line), "\(line) \(made.out)")
            }
            let drill = target.appendingPathComponent("redis-dump.yaml")
            let text = try String(contentsOf: drill, encoding: .utf8)
            // Without a check nothing would be proven: told before it runs.
            let bare = try await fixture.run(["run", drill.path, "--dry-run"])
            #expect(bare.code == 2 && bare.out.contains("redis: no check is declared and no seal holds"), "\(bare.text)")
            try Data((text + "checks: {redis: [{keys: {pattern: \"*\", at-least: 1}}]}\n").utf8).write(to: drill)
            let checked = try await fixture.run(["run", drill.path, "--dry-run"])
            #expect(checked.code == 0 && !checked.out.contains("no check is declared"), "\(checked.text)")
            let (today, report) = try await fixture.drill(drill)
            #expect(today.code == 0 && report.drills.first?.fact("redis.artifact") == "2026-11-26/dump.rdb", "\(today.text)")
            try FileManager.default.moveItem(at: aside, to: tomorrow)
            let (later, newer) = try await fixture.drill(drill)
            #expect(later.code == 0 && newer.drills.first?.fact("redis.artifact") == "2026-11-28/dump.rdb", "\(later.text)")
        }
    }

    /// Written anew each week or year: one series, of which the newest is no matter of its name, and nothing of its neighbours.
    @Test func aRotationByWeekdayIsOneSeries() async throws {
        try await Fixture.with { fixture in
            let nights = try fixture.artifacts(in: fixture.snapshots)
            try #require(nights.count >= 3)
            let store = try await store(
                fixture,
                Self.heads + """
                    for d in Monday Tuesday Wednesday; do sql | gzip > shop-$d.sql.gz; roles > roles-$d.sql; mkdir $d; sql > $d/crm.sql; done
                    for m in nov dec; do sql > y-$m.sql; sql > y-2026-$m.sql; done; for w in 47 48; do sql > w-week-$w.sql; done
                    sql > weekly-sun.sql; sql > shop-web.sql; mkdir git; for r in mon sun; do git init -q --bare git/$r; done
                    """)
            // By their names alone the newest would be the middle one's.
            for (night, day) in zip(nights.prefix(3), ["mon", "wed", "fri"]) {
                try await fixture.decrypt(night, to: store.appendingPathComponent("dump-\(day).rdb"))
            }
            try await fixture.decrypt(nights[0], to: store.appendingPathComponent("dump-web.rdb"))
            let target = fixture.folder.appendingPathComponent("rotating")
            let made = try await fixture.run(["init", store.path, "--output", target.path])
            #expect(made.code == 0, "\(made.text)")
            for line in [
                "shop-*.sql.gz: 3 of kind pg_dump, with the roles in roles-*.sql", "*/crm.sql: 3 of kind pg_dump",
                "y-[adfjmnos][aceopu][bcglnprtvy].sql: 2 of kind pg_dump", "y-2026-*.sql: 2 of kind pg_dump",
                "w-week-*.sql: 2 of kind pg_dump", "weekly-sun.sql: 1 of kind pg_dump", "shop-web.sql: 1 of kind pg_dump",
                "git/mon: 1 of kind git_mirror", "dump-[fmstw][aehoru][deintu].rdb: 3 of kind rdb", "dump-web.rdb: 1 of kind rdb",
            ] {
                #expect(made.out.contains(line), "\(line) \(made.out)")
            }
            #expect(!made.out.contains(" as well, which belongs elsewhere"), "\(made.out)")
            let drill = target.appendingPathComponent("redis-rdb.yaml")
            let text = try String(contentsOf: drill, encoding: .utf8)
            try Data((text + "checks: {redis: [{keys: {pattern: \"*\", at-least: 1}}]}\n").utf8).write(to: drill)
            let (green, report) = try await fixture.drill(drill)
            #expect(green.code == 0 && report.drills.first?.fact("redis.artifact") == "dump-mon.rdb", "\(green.text)")
            let looked = try await fixture.run(["inspect", target.appendingPathComponent("estate.yaml").path, "--list"])
            #expect(looked.text.contains("dump-fri.rdb") && looked.text.contains("shop-Wednesday.sql.gz"), "\(looked.text)")
        }
    }

    /// Looked into, and not taken by their names.
    @Test func packedFilesAreLookedInto() async throws {
        try await Fixture.with { fixture in
            let plain = fixture.folder.appendingPathComponent("plain.rdb")
            try await fixture.decrypt(try fixture.newest("redis"), to: plain)
            let store = try await store(
                fixture,
                Self.heads + """
                    mkdir -p p/PGDATA/global v g/db d bz2
                    echo 15 > p/PGDATA/PG_VERSION; tar czf pgdata-2026-11-27.tar.gz -C p PGDATA; tar cf pgdata-2026-11-26.tar -C p PGDATA
                    mv p/PGDATA folder
                    cp '\(plain.path)' v/dump.rdb; tar czf redis-data-2026-11-27.tar.gz -C v .
                    sql | gzip > g/db/database.sql.gz; tar cf 1764230400_2026_11_27_17.5.0_gitlab_backup.tar -C g db
                    mv g/db/database.sql.gz d/dump.sql.gz; tar czf discourse-2026-11-27.tar.gz -C d dump.sql.gz
                    echo x > backup_label; tar czf base.tar.gz backup_label; rm -r p v g d backup_label
                    sql > a.sql; { sql; seq 90000; } > b.sql; tar cf plain-2026-11-27.tar b.sql a.sql; tar czf all-2026-11-27.tgz a.sql b.sql
                    gzip a.sql b.sql; tar cf gz-2026-11-27.tar ./a.sql.gz ./b.sql.gz; rm a.sql.gz b.sql.gz
                    sql > shop.sql; tar czf shop-2026-11-27.tgz shop.sql; rm shop.sql; sql | bzip2 > bz2/shop-2026-11-27.sql.bz2
                    { roles; printf '\\\\connect shop\\n'; } | gzip > all-2026-11-27.sql.gz
                    """)
            let target = fixture.folder.appendingPathComponent("packed")
            let made = try await fixture.run(["init", store.path, "--output", target.path])
            for line in [
                "found redis-data-*.tar.gz: 1 of kind rdb", "found shop-*.tgz: 1 of kind pg_dump",
                "found bz2/shop-*.sql.bz2: 1 of kind pg_dump",
                "found all-*.sql.gz: 1 of kind pg_dump", "pgdata-*.tar.gz: a copy of a data folder, which is no base backup",
                "pgdata-*.tar: a copy of a data folder", "named, not taken: folder: a copy of a data folder",
                "gitlab_backup.tar: a GitLab backup: its dump is db/database.sql.gz", "discourse-*.tar.gz: a Discourse backup",
                "base.tar.gz: a base.tar of pg_basebackup's", "plain-*.tar: 2 dumps in one (a.sql, b.sql): a backup is one dump",
                "all-*.tgz: 2 dumps in one (a.sql, b.sql)", "gz-*.tar: 2 dumps in one (a.sql.gz, b.sql.gz)",
            ] {
                #expect(made.out.contains(line), "\(line) \(made.text)")
            }
            // What it took runs as what it was taken for.
            let drill = target.appendingPathComponent("redis-rdb.yaml")
            let text = try String(contentsOf: drill, encoding: .utf8)
            try Data((text + "checks: {redis: [{keys: {pattern: \"*\", at-least: 1}}]}\n").utf8).write(to: drill)
            let (green, _) = try await fixture.drill(drill)
            #expect(green.code == 0, "\(green.text)")
        }
    }

    /// Declared as a dump or as a base backup all the same: the drill says what it is, and what a base backup needs.
    @Test func aDataFolderInATarIsTold() async throws {
        try await Fixture.with { fixture in
            let store = try await store(
                fixture,
                Self.heads + """
                    mkdir -p PGDATA/global PGDATA/base; echo 15 > PGDATA/PG_VERSION; tar czf pgdata.tar.gz PGDATA
                    for i in $(seq 1 1200); do : > PGDATA/base/$i; done; tar czf large.tar.gz PGDATA; rm -r PGDATA
                    mkdir db; sql | gzip > db/database.sql.gz; echo x > backup_information.yml; tar cf gitlab.tar db backup_information.yml
                    sql > a.sql; sql > b.sql; tar czf two.tgz a.sql b.sql; mkdir two; mv a.sql b.sql two
                    """)
            for (kind, name, what, mend) in [
                ("pg_dump", "pgdata.tar.gz", "a copy of a data folder", "pg_basebackup"),
                ("pg_dump", "large.tar.gz", "a copy of a data folder", "pg_basebackup"),
                ("base_backup", "pgdata.tar.gz", "a file", "backup_manifest"), ("pg_dump", "gitlab.tar", "a GitLab backup", "a hook"),
                ("pg_dump", "two.tgz", "2 dumps in one (a.sql, b.sql)", "pg_dumpall"),
                ("pg_dump", "two", "2 dumps in one (a.sql, b.sql)", "pg_dumpall"),
            ] {
                let estate = """
                    version: 1
                    estate: strange
                    stores: {own: {type: file, path: "\(store.path)"}}
                    services: {db: {engine: postgres, backups: {own: {kind: \(kind), store: own, match: \(name), encryption: none}}}}

                    """
                let drill = """
                    version: 1
                    drill: own
                    estate: strange.yaml
                    scenario: database-corruption
                    profile: fast
                    recover: {db: {from: own}}
                    checks: {db: [{rows: {table: public.t, at-least: 1}}]}

                    """
                try Data(estate.utf8).write(to: fixture.folder.appendingPathComponent("strange.yaml"))
                let file = fixture.folder.appendingPathComponent("strange-drill.yaml")
                try Data(drill.utf8).write(to: file)
                let red = try await fixture.expect(file, code: 1, rule: ["artifact-unknown-kind", "artifact-not-a-dump"])
                let told = red.findings.filter { $0.actual == what && $0.hint.contains(mend) }
                #expect(!told.isEmpty, "\(kind) \(name): \(red.findings.map { "\($0.rule) \($0.actual) \($0.hint)" })")
            }
        }
    }

    /// In a line each, however many files nobody knows; and a key for each format of encryption.
    @Test func othersRepositoriesAndKeysAreNamed() async throws {
        try await Fixture.with { fixture in
            let store = try await store(
                fixture,
                Self.heads + """
                    mkdir -p restic/data restic/index restic/keys restic/snapshots borg/data/0 kopia; echo x > restic/config
                    printf '[repository]\\nversion = 1\\n' > borg/config; for i in 1 2 3; do echo $i > borg/data/0/$i; done
                    echo x > kopia/kopia.repository.f; printf 'PK\\003\\004xxxxxxxxxxxx' > z.zip; roles > a-globals.sql
                    for i in $(seq 1 30); do echo $i > junk$i.bin; done
                    age-keygen -o ../k 2>/dev/null; mkdir a o; sql | age -r $(age-keygen -y ../k) > a/shop-2026-11-27.sql.age
                    sql | openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -out o/shop-2026-11-27.sql.enc
                    for d in 26 27; do seq 900 | openssl enc -aes-256-cbc -pbkdf2 -nosalt -pass pass:$d -out n-2026-11-$d.sql.enc 2>/dev/null; done
                    seq 900 > no-noise.sql.enc
                    """)
            let target = fixture.folder.appendingPathComponent("named")
            let made = try await fixture.run(["init", store.path, "--output", target.path])
            #expect(made.code == 0, "\(made.text)")
            for line in [
                "restic: a restic repository", "borg: a borg repository", "kopia: a kopia repository", "z.zip: a zip file",
                "n-*.sql.enc: random bytes without any format's header, as openssl enc -nosalt writes",
                "a-globals.sql: a globals file", "MUSTER_BACKUP_KEY_AGE, MUSTER_BACKUP_KEY_OPENSSL", "passed over 21 more",
            ] {
                #expect(made.out.contains(line), "\(line) \(made.out)")
            }
            #expect(!made.out.contains("borg/data"), "\(made.out)")
            let estate = try String(contentsOf: target.appendingPathComponent("estate.yaml"), encoding: .utf8)
            #expect(
                estate.contains("encryption: {format: age, key: backup-age}") && estate.contains("{format: openssl, key: backup-openssl}"))
        }
    }

    /// Where nothing can be taken, what lies there has been named, and nobody asks for a mount.
    @Test func whatCannotBeTakenIsSaid() async throws {
        try await Fixture.with { fixture in
            let store = try await store(fixture, "mkdir restic; cd restic; mkdir data index keys snapshots; echo x > config")
            let target = fixture.folder.appendingPathComponent("none")
            let foreign = try await fixture.run(["init", store.path, "--output", target.path])
            #expect(foreign.code == 2 && foreign.out.contains("restic: a restic repository"), "\(foreign.text)")
            #expect(foreign.err.contains("can be drilled as it lies there") && !foreign.err.contains("mounted"), "\(foreign.err)")
            try await Program.require(["sh", "-c", "rm -r '\(store.path)/restic'; echo x > '\(store.path)/junk.bin'"])
            let unknown = try await fixture.run(["init", store.path, "--output", target.path])
            #expect(unknown.code == 2 && !unknown.err.contains("mounted"), "\(unknown.err)")
        }
    }

    /// As a user that may not read all of it.
    @Test(.enabled(if: Program.isRoot, "another user takes root")) func whatMayNotBeReadIsSaid() async throws {
        try await Fixture.with { fixture in
            let store = try await store(
                fixture,
                Self.heads + """
                    mkdir closed open; sql > closed/a-2026-11-27.sql; chmod 700 closed; chmod 755 open .
                    for d in 26 27 28; do sql > open/shop-2026-11-$d.sql; chmod 600 open/shop-2026-11-$d.sql; done
                    chmod 755 ..
                    """)
            func look() async throws -> Outcome {
                let scratch = fixture.folder.appendingPathComponent("s\(UUID().uuidString.prefix(6))")
                try await Program.require(["install", "-d", "-m", "777", scratch.path])
                let words = ["init", store.path, "--output", scratch.appendingPathComponent("made").path, "--scratch", scratch.path]
                return try await Program.start(
                    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Program.muster] + words, folder: scratch
                ).outcome()
            }
            let none = try await look()
            #expect(none.code == 2 && none.err.contains("may be read by this user") && !none.err.contains("mounted"), "\(none.text)")
            for line in ["closed: may not be read by this user", "open/shop-*.sql: may not be read by this user", "; 3 of them", "setfacl"]
            {
                #expect(none.out.contains(line), "\(line) \(none.out)")
            }
            try await Program.require(["chmod", "644", store.path + "/open/shop-2026-11-28.sql"])
            let some = try await look()
            #expect(some.code == 0 && some.out.contains("found open/shop-*.sql: 1 of kind pg_dump"), "\(some.text)")
            #expect(some.out.contains("open/shop-*.sql: may not be read by this user"), "\(some.out)")
            #expect(!some.out.contains("as well, which belongs elsewhere"), "\(some.out)")
        }
    }
}
