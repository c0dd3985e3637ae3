// The forms of dumps that people have: each is drilled whole, or named as what it is.

import Foundation
import ServerVersions
import Testing

@Suite(.enabled(if: PostgresVersion.areHere(.system), "PostgreSQL 15 is not here"))
struct DumpFormsTests {
    private static let counted = "{rows: {table: public.orders, exactly: 20}}"
    private static let table = "CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 20);"

    /// The seal says so: a warning at both ends, and no verdict against the backup.
    @Test func anEmptyDatabaseThatIsSealed() async throws {
        try await PostgresSource.with(.system) { source in
            let sealed = try await source.seal(bins: [source.bin])
            #expect(sealed.code == 0 && sealed.err.contains("warning: the database shop holds no tables"), "\(sealed.text)")
            let drill = try await source.expectGreen(bins: [source.bin], noticed: ["nothing-sealed"])
            #expect(drill.findings.first { $0.rule == "nothing-sealed" }?.severity == "warning")
            // Of one without a seal nobody knows.
            try await source.dump("\(source.bin)/pg_dump", [], to: "a.sql")
            let (outcome, red) = try await source.drill("script", bins: [source.bin])
            #expect(outcome.code == 1 && red.findings.contains { $0.rule == "nothing-restored" }, "\(outcome.text)")
        }
    }

    @Test(arguments: [("daily", "a.dump", ["-Fc"]), ("folder", "a.dir", ["-Fd"]), ("script", "a.sql", [])])
    func aDumpBySchema(_ backup: String, _ name: String, _ form: [String]) async throws {
        try await PostgresSource.with(.system) { source in
            try await source.sql(Self.table)
            try await source.dump("\(source.bin)/pg_dump", form + ["-n", "public"], to: name)
            try await source.expectGreen(backup, checks: Self.counted, bins: [source.bin], noticed: ["dump-by-schema"])
        }
    }

    @Test func whatATransferAsTextLeaves() async throws {
        try await PostgresSource.with(.system) { source in
            try await source.sql(Self.table)
            let bins = [source.bin]
            let script = source.fixture.store.appendingPathComponent("a.sql")
            try await source.dump("\(source.bin)/pg_dump", [], to: "a.sql")
            let whole = try String(contentsOf: script, encoding: .utf8)
            try Data(whole.replacing("\n", with: "\r\n").utf8).write(to: script)
            try await source.expectGreen("script", checks: Self.counted, bins: bins, noticed: ["script-line-ends"])
            let deep = try await source.fixture.run(["inspect", source.fixture.estate.path, "--deep"])
            #expect(deep.text.contains("script-line-ends"), "\(deep.text)")
            for (bytes, rule) in [
                (Data(whole.replacing("\n", with: "\r\n").utf8.dropLast(200)), "script-truncated"),
                (try #require(whole.data(using: .utf16)), "artifact-utf-16"),
            ] {
                try bytes.write(to: script)
                let (outcome, red) = try await source.drill("script", checks: Self.counted, bins: bins)
                #expect(outcome.code == 1 && red.findings.contains { $0.rule == rule }, "\(rule): \(outcome.text)")
            }
        }
    }

    /// In a new database there is nothing to put the rows into: said before anything is tried, in a drill and in an inspection.
    @Test(arguments: [
        ("script", "a.sql", ["-a"]), ("script", "a.sql", ["-a", "--inserts"]), ("daily", "a.dump", ["-a", "-Fc"]),
        ("daily", "a.dump", ["-a", "-Ft"]), ("folder", "a.dir", ["-a", "-Fd"]),
    ])
    func rowsAlone(_ backup: String, _ name: String, _ form: [String]) async throws {
        try await PostgresSource.with(.system) { source in
            try await source.sql(Self.table)
            try await source.dump("\(source.bin)/pg_dump", form, to: name)
            let (outcome, red) = try await source.drill(backup, checks: Self.counted, bins: [source.bin])
            #expect(outcome.code == 1 && red.findings.contains { $0.rule == "dump-data-only" && $0.hint.contains("-a") }, "\(outcome.text)")
            let deep = try await source.fixture.run(["inspect", source.fixture.estate.path, "--deep"])
            #expect(deep.text.contains("dump-data-only"), "\(deep.text)")
            // A schema without rows is no such thing.
            try await source.sql("DROP TABLE orders; CREATE VIEW v AS SELECT 1 AS one", database: "shop")
            try FileManager.default.removeItem(at: source.fixture.store.appendingPathComponent(name))
            try await source.dump("\(source.bin)/pg_dump", form.filter { $0 != "-a" }, to: name)
            let (_, empty) = try await source.drill(backup, bins: [source.bin])
            #expect(!empty.findings.contains { $0.rule == "dump-data-only" }, "\(empty.findings)")
        }
    }

    /// `pg_dump … > FILE 2>&1`: a warning before the script, every step of the work in it, and before an archive.
    @Test func messagesInTheDump() async throws {
        try await PostgresSource.with(.system) { source in
            // A key that leads round in a circle has pg_dump warn.
            try await source.sql(Self.table + "CREATE TABLE cat (id int PRIMARY KEY, up int REFERENCES cat);")
            for (backup, name, words) in [("script", "a.sql", "-a"), ("script", "a.sql", "-v"), ("daily", "a.dump", "-v -Fc")] {
                let target = source.fixture.store.appendingPathComponent(name).path
                // Of data alone it warns; its tables are put before it.
                try await Program.require(
                    [
                        "sh", "-ec",
                        """
                        cd '\(source.fixture.store.path)'; rm -f *; dump="\(source.bin)/pg_dump -h \(source.host) -U postgres shop"
                        $dump \(words) > '\(target)' 2>&1
                        if [ '\(words)' = -a ]; then $dump -s >> '\(target)'; fi
                        """,
                    ])
                let (outcome, red) = try await source.drill(backup, checks: Self.counted, bins: [source.bin])
                let told = red.findings.contains { $0.rule == "dump-with-messages" && $0.hint.contains("2>&1") }
                #expect(outcome.code == 1 && told, "\(words): \(outcome.text)")
                guard words != "-a" else { continue }
                let made = try await source.fixture.run(["init", source.fixture.store.path, "--output", source.folder.path + "/none"])
                #expect(made.code == 2 && made.out.contains("\(name): pg_dump's own messages"), "\(made.text)")
            }
        }
    }

    // MARK: Whole clusters

    /// Two databases, an empty one, a role, settings and rights.
    private static func fill(_ source: PostgresSource) async throws {
        try await source.sql("CREATE ROLE app LOGIN PASSWORD 'hunter2'; ALTER ROLE app SET work_mem = '9MB'", database: "postgres")
        for name in ["crm", "empty"] { try await source.sql("CREATE DATABASE \(name) OWNER app", database: "postgres") }
        try await source.sql("ALTER DATABASE shop SET work_mem = '7MB'; GRANT CONNECT ON DATABASE shop TO app", database: "postgres")
        try await source.sql(table + "ALTER TABLE orders OWNER TO app")
        try await source.sql("CREATE TABLE people (id int); INSERT INTO people SELECT generate_series(1, 7)", database: "crm")
    }

    private static func dumpAll(_ source: PostgresSource, _ words: [String] = [], to name: String = "a.sql") async throws {
        let target = source.fixture.store.appendingPathComponent(name).path
        try await Program.require(["\(source.bin)/pg_dumpall", "-h", source.host, "-U", "postgres", "-f", target] + words)
    }

    @Test(arguments: [[], ["--clean", "--if-exists"], ["-l", "shop"]]) func aWholeCluster(_ words: [String]) async throws {
        try await PostgresSource.with(.system) { source in
            try await Self.fill(source)
            try await Self.dumpAll(source, words)
            let people =
                "{rows: {table: public.people, exactly: 7, database: crm}}, "
                + "{sql: {name: people, query: select count(*) from people, expect: \"7\", database: crm}}"
            let settings =
                "{sql: {name: its settings, query: \"select setconfig::text from pg_db_role_setting where setdatabase <> 0\", "
                + "expect: \"= {work_mem=7MB}\"}}"
            let drill = try await source.expectGreen(
                "script", checks: "\(Self.counted), \(people), \(settings)", bins: [source.bin], noticed: ["database-empty"])
            #expect(!drill.findings.contains { ["roles-created-empty", "object-not-restored"].contains($0.rule) }, "\(drill.findings)")
            #expect(drill.cases.contains { $0.name == "rows of public.people: exactly 7 in crm" && $0.verdict == "passed" })
            #expect(drill.cases.contains { $0.name == "the restore produced something in crm" && $0.verdict == "passed" })
            #expect(drill.unproven.contains { $0.contains("empty") }, "\(drill.unproven)")
            // The whole of it can be sealed, for the database that the estate names.
            let sealed = try await source.fixture.run([
                "seal", source.fixture.estate.path, "--service", "postgres", "--backup", "script", "--existing", "latest",
            ])
            #expect(sealed.code == 0 && sealed.err.contains("note: the seal is about the database shop"), "\(sealed.text)")
            let proven = try await source.expectGreen("script", checks: people, bins: [source.bin])
            #expect(proven.cases.contains { $0.name == "public.orders" && $0.verdict == "passed" }, "\(proven.cases.map(\.name))")
        }
    }

    /// The last run's report knows it: said once, in the first drill of a script without it.
    @Test func aDatabaseThatIsGone() async throws {
        try await PostgresSource.with(.system) { source in
            try await Self.fill(source)
            try await Self.dumpAll(source)
            let output = source.fixture.reports.appendingPathComponent("one", isDirectory: true)
            let file = try source.fixture.drillFile("postgres", from: "script", more: "checks: {postgres: [\(Self.counted)]}")
            func drill() async throws -> Report.Drill {
                let outcome = try await source.fixture.run(
                    ["run", file.path, "--output", output.path], environment: PostgresSource.environment([source.bin]))
                #expect(outcome.code == 0, "\(outcome.text)")
                // Two of one second are told apart by chance alone, and no drill takes less.
                let newest = try #require(try FileManager.default.contentsOfDirectory(atPath: output.path).max())
                return try #require(try RunFolder(url: output.appendingPathComponent(newest, isDirectory: true)).report().drills.first)
            }
            func gone(_ drill: Report.Drill) -> [String] { drill.findings.filter { $0.rule == "database-gone" }.map(\.object) }
            #expect(try await gone(drill()).isEmpty)
            try await source.sql("DROP DATABASE crm WITH (FORCE)", database: "postgres")
            try await Self.dumpAll(source)
            let first = try await drill()
            #expect(gone(first) == ["crm"], "\(first.findings)")
            let second = try await drill()
            #expect(gone(second).isEmpty && second.cases.contains { $0.name == "no database is gone since the last run" })
            // One database is left, and then another dump of none but that.
            try await source.sql("DROP DATABASE empty WITH (FORCE)", database: "postgres")
            try await Self.dumpAll(source)
            #expect(try await gone(drill()) == ["empty"])
            #expect(try await gone(drill()).isEmpty)
        }
    }

    @Test func whichDatabaseIsAsked() async throws {
        try await PostgresSource.with(.system) { source in
            try await Self.fill(source)
            try await Self.dumpAll(source)
            let bins = [source.bin]
            func red(_ checks: String, _ code: Int32, _ rule: String) async throws {
                let (outcome, drill) = try await source.drill("script", checks: checks, bins: bins)
                #expect(outcome.code == code && drill.findings.contains { $0.rule == rule }, "\(rule): \(outcome.text)")
            }
            // `init` takes it for a dump, and not for the globals that it begins as.
            let found = try await source.fixture.run(["init", source.fixture.store.path, "--output", source.folder.path + "/found"])
            #expect(found.code == 0 && !found.text.contains("globals"), "\(found.text)")
            try await red("{rows: {table: public.orders, exactly: 20, database: nosuch}}", 1, "database-not-in-backup")
            try await red("{rows: {table: public.orders, exactly: 20, database: crm}}", 1, "table-missing")
            // Without the estate's word nobody has chosen, and nothing is guessed.
            let text = try String(contentsOf: source.fixture.estate, encoding: .utf8)
            try Data(text.replacing("database: shop, ", with: "").utf8).write(to: source.fixture.estate)
            try await red(Self.counted, 2, "database-ambiguous")
            try await source.expectGreen(
                "script", checks: "{rows: {table: public.orders, exactly: 20, database: shop}}", bins: bins, noticed: ["database-empty"])
            let file = try source.fixture.drillFile(
                "postgres", from: "script, database: shop", more: "checks: {postgres: [\(Self.counted)]}")
            let (chosen, _) = try await source.fixture.drill(file, environment: PostgresSource.environment(bins))
            #expect(chosen.code == 0, "\(chosen.text)")
            let empty = try source.fixture.drillFile("postgres", from: "script, database: empty")
            let (lost, report) = try await source.fixture.drill(empty, environment: PostgresSource.environment(bins))
            #expect(lost.code == 1 && report.drills[0].findings.contains { $0.rule == "nothing-restored" }, "\(lost.text)")
        }
    }

    /// A physical copy holds several too: the drill names one, and a check another.
    @Test func thePhysicalCopyOfACluster() async throws {
        try await PostgresSource.with(.system) { source in
            try await Self.fill(source)
            let text = try String(contentsOf: source.fixture.estate, encoding: .utf8)
            let bare = text.replacing("database: shop, ", with: "").replacing(", wal: {match: \"wal/*\", encryption: none}", with: "")
            try Data(bare.utf8).write(to: source.fixture.estate)
            let base = source.fixture.store.appendingPathComponent("base")
            try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
            try await Program.require([
                "\(source.bin)/pg_basebackup", "-h", source.host, "-U", "postgres", "-D", base.appendingPathComponent("b1").path, "-c",
                "fast",
            ])
            func drill(_ database: String, _ checks: String) async throws -> (Outcome, Report) {
                let file = try source.fixture.drillFile(
                    "postgres", from: "base, database: \(database)", more: "checks: {postgres: [\(checks)]}")
                return try await source.fixture.drill(file, environment: PostgresSource.environment([source.bin]))
            }
            let people = "{rows: {table: public.people, exactly: 7, database: crm}}"
            let (green, report) = try await drill("shop", "\(Self.counted), \(people)")
            #expect(green.code == 0, "\(green.text)")
            #expect(report.drills[0].cases.contains { $0.name == "rows of public.people: exactly 7 in crm" && $0.verdict == "passed" })
            let (red, _) = try await drill("shop", people.replacing("7", with: "8"))
            #expect(red.code == 1 && red.text.contains("rows-out-of-bounds"), "\(red.text)")
            let (missing, _) = try await drill("nosuch", people)
            #expect(missing.code == 1 && missing.text.contains("database-unreachable"), "\(missing.text)")
            let (lost, _) = try await drill("shop", people.replacing("crm", with: "nosuch"))
            #expect(lost.code == 1 && lost.text.contains("database-not-in-backup"), "\(lost.text)")
        }
    }

    /// One empty database of several may be so in the source; all of them, or tables without a row, are what `--schema-only` leaves.
    @Test func aClusterWithoutItsRows() async throws {
        try await PostgresSource.with(.system) { source in
            let text = try String(contentsOf: source.fixture.estate, encoding: .utf8)
            try Data(text.replacing("database: shop, ", with: "").utf8).write(to: source.fixture.estate)
            try await Self.fill(source)
            try await source.sql("CREATE TABLE numbered (id serial PRIMARY KEY)", database: "crm")
            try await Self.dumpAll(source, ["--schema-only"])
            let asked = "{rows: {table: public.orders, exactly: 0, database: shop}}"
            let (outcome, red) = try await source.drill("script", checks: asked, bins: [source.bin])
            let lost = red.cases.filter { $0.verdict == "failed" && $0.findings.contains { $0.rule == "nothing-restored" } }
            #expect(outcome.code == 1 && lost.count == 3, "\(outcome.text)")
        }
    }

    /// A cluster of one database needs no word, also where that one is `postgres`; of none nothing came back.
    @Test func aClusterOfOneDatabase() async throws {
        try await PostgresSource.with(.system) { source in
            let bins = [source.bin]
            let text = try String(contentsOf: source.fixture.estate, encoding: .utf8)
            try Data(text.replacing("database: shop, ", with: "").utf8).write(to: source.fixture.estate)
            try await source.sql(Self.table)
            try await Self.dumpAll(source)
            try await source.expectGreen("script", checks: Self.counted, bins: bins)
            try await source.sql("DROP DATABASE shop WITH (FORCE)", database: "postgres")
            try await Self.dumpAll(source)
            let (outcome, red) = try await source.drill("script", checks: "", bins: bins)
            #expect(outcome.code == 1 && red.findings.contains { $0.rule == "nothing-restored" }, "\(outcome.text)")
            try await source.sql(Self.table, database: "postgres")
            try await Self.dumpAll(source)
            try await source.expectGreen("script", checks: Self.counted, bins: bins)
        }
    }
}
