// Hostile code in a backup, on each kind of machine: what it could do there, and what the report says of it.

import Foundation
import Glibc
import Testing

struct QuarantineTests {
    /// Who runs Muster, and what the machine allows.
    enum Machine: String, CaseIterable, CustomTestStringConvertible {
        case root, ordinary
        /// An ordinary user, and no namespaces: as in a default container.
        case container

        var testDescription: String { rawValue }

        /// The kernel counts a user namespace's own namespaces, and its owner may set how many there can be: none.
        private static let withoutNamespaces = [
            "unshare", "--user", "--map-current-user", "--keep-caps", "--", "sh", "-c",
            "for name in net mnt pid ipc user; do echo 0 > /proc/sys/user/max_${name}_namespaces || exit 99; done; "
                + "exec setpriv --inh-caps=-all --ambient-caps=-all -- \"$@\"", "sh",
        ]

        var prefix: [String] {
            let other = Program.isRoot ? Program.asOther : []
            return switch self {
            case .root: []
            case .ordinary: other
            case .container: other + Self.withoutNamespaces
            }
        }

        /// Whether the built program can be run so here.
        var isHere: Bool { self == .root ? Program.isRoot : Program.canRun(behind: prefix) }

        static let here = allCases.filter(\.isHere)
    }

    /// A backup whose restore runs a shell command: a constraint's function, called for each row that comes back.
    private func hostile(_ source: PostgresSource, _ command: String) async throws {
        let quoted = command.replacingOccurrences(of: "'", with: "''''")
        try await source.sql("CREATE TABLE kept (id int PRIMARY KEY); INSERT INTO kept SELECT generate_series(1, 40)")
        // In its own source it does nothing.
        try await source.sql(
            """
            CREATE FUNCTION act() RETURNS bool LANGUAGE plpgsql AS $act$ BEGIN
              IF current_setting('data_directory') LIKE '%/muster-%' THEN
                EXECUTE 'COPY (SELECT 1) TO PROGRAM ''sh -c "\(quoted)"''';
              END IF;
              RETURN true;
            END $act$;
            CREATE TABLE door (id int CHECK (public.act()));
            INSERT INTO door VALUES (1);
            """)
        try await source.dump("pg_dump", ["-Fc"], to: "shop-20261101T000000Z.dump")
    }

    private func run(_ source: PostgresSource, on machine: Machine, _ words: [String]) async throws -> Outcome {
        try await Program.start(
            machine.prefix + [Program.muster] + words, environment: ["MUSTER_SCRATCH_ROOT": source.fixture.scratch.path],
            folder: source.fixture.folder
        ).outcome()
    }

    @Test(arguments: Machine.here) func whatCodeInABackupCanDo(on machine: Machine) async throws {
        try await PostgresSource.with(.system) { source in
            let fixture = source.fixture
            let key = fixture.lab.appendingPathComponent("seal.key")
            let time = "644.\(Int.random(in: 1000...9999))"
            // Each attempt leaves a trace in the place that it reached.
            let attempts = [
                "cat \(key.path) > leaked", "ls \(fixture.store.path) >> leaked", "touch \(fixture.store.path)/added",
                "psql -h \(source.host) -U postgres -d shop -c 'CREATE TABLE called ()'",
                // Where the mark lies, and what Muster would run to clean up; and where it writes a log of its own.
                "touch ../../planted",
                "for f in pg_restore-list contents schema pg_restore; do ln -sf \(fixture.store.path)/linked ../$f.log; done",
                // Closed to its own user, who may have to remove it.
                "mkdir -p ../closed/in; touch ../closed/in/file; chmod 0 ../closed/in ../closed",
                "env -i setsid sh -c 'cd /; exec sleep \(time)' >/dev/null 2>&1 &",
            ]
            try await hostile(source, attempts.joined(separator: "; "))
            if Program.isRoot, machine != .root { try await Program.require(["chown", "-R", "65534:65534", fixture.folder.path]) }
            if Program.isRoot { try await Program.require(["chmod", "777", fixture.store.path]) }
            let file = try fixture.drillFile(
                "postgres", from: "daily", more: "checks: {postgres: [rows: {table: public.kept, at-least: 40}]}")
            let output = fixture.reports.appendingPathComponent("hostile")
            let outcome = try await run(source, on: machine, ["run", file.path, "--keep", "--output", output.path])
            let drill = try #require(try Fixture.runFolder(in: output, outcome).report().drills.first, "\(outcome.text)")
            #expect(outcome.code == 0, "\(outcome.text)")

            let leaks = try FileManager.default.subpathsOfDirectory(atPath: fixture.scratch.path).filter { $0.hasSuffix("/leaked") }
            #expect(!leaks.isEmpty, "the code of the backup has run")
            for leak in leaks {
                let size = try FileManager.default.attributesOfItem(atPath: fixture.scratch.path + "/" + leak)[.size] as? Int
                #expect(size == 0, "neither the key nor the store could be read")
            }
            #expect(!FileManager.default.fileExists(atPath: fixture.store.path + "/added"))
            #expect(!FileManager.default.fileExists(atPath: fixture.store.path + "/linked"), "no link of a backup's leads Muster anywhere")
            for run in try FileManager.default.contentsOfDirectory(atPath: fixture.scratch.path) {
                #expect(!FileManager.default.fileExists(atPath: "\(fixture.scratch.path)/\(run)/planted"))
            }
            let called = try await source.sql("SELECT to_regclass('called') IS NOT NULL")
            // Landlock knows no Unix sockets that have a path: without a view a server may call none at all.
            #expect(called == "f")
            #expect(!ProcessList.all().contains { $0.arguments.hasPrefix("sleep \(time)") }, "nothing outlives a drill")

            let cases = Dictionary(grouping: drill.cases.filter { $0.group == "quarantine" }, by: \.name)
            // Landlock keeps nobody from giving what it owns another mode.
            let files = cases["keys and stores are out of its reach"]?.map(\.verdict)
            #expect(files == [machine == .container ? "skipped" : "passed"], "\(cases)")
            #expect(cases["what it starts ends with it"]?.allSatisfy { $0.verdict == "passed" } == true)
            #expect(cases["no route leads out"]?.allSatisfy { $0.verdict == "passed" } == true)
            let sockets = cases["no other server's socket is in its reach"]?.map(\.verdict)
            #expect(sockets == ["passed"], "\(drill.unproven)")
            #expect(try await run(source, on: machine, ["clean", "--kept", "--yes"]).code == 0)
            fixture.expectNothingLeft()

            // What a drill insists on: where the machine can't give it, nothing of the backup has run before that is known.
            try await source.sql("DROP TABLE IF EXISTS called")
            try fixture.edit(file, "recover:", "quarantine: {network: required, files: required}\nrecover:")
            let strict = try await run(
                source, on: machine, ["run", file.path, "--output", fixture.reports.appendingPathComponent("strict").path])
            #expect(strict.code == (machine == .container ? 2 : 0), "\(strict.text)")
            #expect(strict.text.contains("sockets-not-isolated") == (machine == .container), "\(strict.text)")
            #expect(try await source.sql("SELECT to_regclass('called') IS NOT NULL") == "f", "its code has not run, or reached nothing")
            if machine == .container {
                let told = try #require(
                    try Fixture.runFolder(in: fixture.reports.appendingPathComponent("strict"), strict).report().drills.first)
                #expect(told.steps.allSatisfy { $0.verdict == "skipped" }, "\(strict.text)")
                #expect(Set(told.cases.filter { $0.verdict == "error" }.flatMap(\.findings).map(\.rule)).contains("files-not-isolated"))
            }
            fixture.expectNothingLeft()
        }
    }

    /// A link in place of the scratch server's socket leads Muster, which sees all of the machine, to a living server: it would answer for the backup,
    /// and be written to.
    @Test(arguments: Machine.here) func aLinkToALivingServer(on machine: Machine) async throws {
        try await PostgresSource.with(.system, settings: ["log_statement = 'all'", "log_line_prefix = '%a '"]) { source in
            let fixture = source.fixture
            // A script is restored in one session, which goes on.
            try await hostile(source, "ln -s \(source.host)/.s.PGSQL.5432 ../s/x && mv -T ../s/x ../s/.s.PGSQL.5432")
            try await source.dump("pg_dump", [], to: "shop-20261101T000000Z.sql")
            // What the backup lacks, the living server has.
            try await source.sql("INSERT INTO kept SELECT generate_series(41, 100)")
            if Program.isRoot, machine != .root { try await Program.require(["chown", "-R", "65534:65534", fixture.folder.path]) }
            let file = try fixture.drillFile(
                "postgres", from: "script", more: "checks: {postgres: [rows: {table: public.kept, at-least: 100}]}")
            let outcome = try await run(source, on: machine, ["run", file.path, "--output", fixture.reports.path])
            #expect(outcome.code == 1 || outcome.code == 2, "the backup has 40 rows: \(outcome.text)")
            #expect(outcome.text.contains("another program answers in the scratch server's place"), "\(outcome.text)")
            let log = try String(contentsOf: source.folder.appendingPathComponent("p/log"), encoding: .utf8)
            #expect(log.contains("pg_dump LOG:  statement"), "it says who asks")
            #expect(!log.contains("muster LOG:  statement") && !log.contains("muster LOG:  execute"), "the living server was asked")
        }
    }

    @Test(arguments: Machine.here) func doctorSaysWhatTheMachineGives(on machine: Machine) async throws {
        try await Fixture.with { fixture in
            if Program.isRoot, machine != .root { try await Program.require(["chown", "-R", "65534:65534", fixture.folder.path]) }
            let outcome = try await Program.start(
                machine.prefix + [Program.muster, "doctor", fixture.estate.path],
                environment: ["MUSTER_SCRATCH_ROOT": fixture.scratch.path],
                // Where services and containers start; and where a link such as /bin, which leads to usr/bin, can be mistaken for its end.
                folder: URL(fileURLWithPath: "/", isDirectory: true)
            ).outcome()
            switch machine {
            case .root: #expect(outcome.out.contains("✓ quarantine: namespaces: network, files, processes"), "\(outcome.text)")
            case .ordinary: #expect(outcome.out.contains("✓ quarantine: user namespaces: network, files, processes"), "\(outcome.text)")
            case .container:
                #expect(outcome.out.contains("– quarantine: seccomp: network; Landlock: files"), "\(outcome.text)")
                #expect(outcome.out.contains("sysctl user.max_user_namespaces="), "a mend that this kernel has: \(outcome.text)")
            }
        }
    }

    /// Copied without the program that confines a backup's code, it says so instead of running without.
    @Test func aMusterAlone() async throws {
        try await Fixture.with { fixture in
            let alone = fixture.folder.appendingPathComponent("alone", isDirectory: true)
            try FileManager.default.createDirectory(at: alone, withIntermediateDirectories: true)
            let copy = alone.appendingPathComponent("muster")
            // By another process: nobody else's child may hold what is to be run open for writing.
            try await Program.require(["cp", Program.muster, copy.path])
            let outcome = try await Program.start(
                [copy.path, "run", try fixture.drillFile().path, "--output", fixture.reports.path],
                environment: ["MUSTER_SCRATCH_ROOT": fixture.scratch.path], folder: fixture.folder
            ).outcome()
            #expect(outcome.code == 2 && outcome.err.contains("muster-sandbox is not beside muster"), "\(outcome.text)")
        }
    }
}
