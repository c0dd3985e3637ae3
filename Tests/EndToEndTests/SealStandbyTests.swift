// `muster seal` where the source is a standby: it loses nothing, stands still no longer than it must, and goes on on every path.

import Foundation
import Testing

/// A pair whose standby is sealed by the built program.
private struct SealedStandby: Sendable {
    let pair: StandbyPair
    let fixture: Fixture

    static func with(
        _ binaries: String? = nil, user: String = "postgres", _ body: @Sendable (SealedStandby) async throws -> Void
    ) async throws {
        try await StandbyPair.with(binaries) { pair in
            try await pair.withFixture { fixture in
                let test = SealedStandby(pair: pair, fixture: fixture)
                try await test.write(user: user)
                try await body(test)
            }
        }
    }

    private static let pauseState = "SELECT pg_get_wal_replay_pause_state()"

    func write(user: String = "postgres", host: String? = nil) async throws {
        let key = fixture.lab.appendingPathComponent("seal.key").path
        if !FileManager.default.fileExists(atPath: key) { try await fixture.makeSealingKey() }
        let estate = """
            version: 1
            estate: shop
            timezone: Asia/Kolkata
            stores: {one: {type: file, path: backups/primary}}
            seals: {sign-with: {file: seal.key}, trust: [seal.pub]}
            services:
              postgres:
                engine: postgres
                source: {host: \(host ?? pair.standby), database: shop, user: \(user)}
                backups:
                  daily: {kind: pg_dump, store: one, match: "*.dump", encryption: none}

            """
        try Data(estate.utf8).write(to: fixture.estate)
    }

    private static let words = ["--service", "postgres", "--backup", "daily"]

    func seal(_ more: [String] = [], environment: [String: String] = [:]) async throws -> Outcome {
        try await start(more, environment: environment).outcome()
    }

    func start(_ more: [String] = [], environment: [String: String] = [:]) throws -> Running {
        try fixture.start(["seal", fixture.estate.path] + Self.words + more, environment: environment)
    }

    /// A pg_dump for MUSTER_PG_BIN.
    func dumping(_ script: String) async throws -> [String: String] {
        ["MUSTER_PG_BIN": try await pair.binaries(fixture, "pg_dump", script)]
    }

    func expectGoesOn(_ location: SourceLocation = #_sourceLocation) async throws {
        #expect(try await pair.ask(pair.standby, Self.pauseState) == "not paused", sourceLocation: location)
    }

    func waitUntilStill() async throws { try await pair.wait(for: "paused", of: pair.standby, Self.pauseState) }

    func waitUntilItGoesOn() async throws { try await pair.wait(for: "not paused", of: pair.standby, Self.pauseState) }

    func expectNoBackup(_ location: SourceLocation = #_sourceLocation) {
        #expect((try? FileManager.default.contentsOfDirectory(atPath: fixture.store.path)) == [], sourceLocation: location)
    }

    /// What was sealed last.
    func payload() throws -> Payload {
        struct Envelope: Decodable { var payload: String }
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.store.path).filter { $0.hasSuffix(".seal.json") }
        let file = fixture.store.appendingPathComponent(try #require(names.max()))
        let envelope = try JSONDecoder().decode(Envelope.self, from: Data(contentsOf: file))
        return try JSONDecoder().decode(Payload.self, from: try #require(Data(base64Encoded: envelope.payload)))
    }

    struct Payload: Decodable {
        struct Standby: Decodable {
            var pausedSeconds: Double
            var waitingBytes: Int64
            var pausedByOthers: Bool
            var unlogged: [String]
        }
        var snapshotTime: String
        var standby: Standby?
    }

    /// A drill of what was sealed must be green, and must have compared every table.
    func drill(_ checks: String, environment: [String: String] = [:]) async throws -> Report.Drill {
        let file = try fixture.drillFile("postgres", more: "checks: {postgres: [\(checks)]}")
        let (outcome, report) = try await fixture.drill(file, environment: environment)
        #expect(outcome.code == 0, "\(outcome.text)")
        let drill = try #require(report.drills.first)
        #expect(drill.recoveryPoints.first?.truth == "source")
        #expect(drill.cases(of: "content").contains { $0.verdict == "passed" })
        return drill
    }
}

/// A pg_dump whose first bytes come at once, and the rest when it is told.
private struct Halfway {
    let folder: URL

    init(_ test: SealedStandby) { folder = test.fixture.folder.appendingPathComponent("half-\(UUID().uuidString.prefix(4))") }

    var script: String {
        """
        mkdir \(folder.path)
        $REAL "$@" | (dd bs=1 count=300 status=none; touch \(folder.path)/began; until [ -e \(folder.path)/go ]; do sleep 0.05; done; cat)
        """
    }

    func wait() async throws {
        for _ in 0..<9000 {
            if FileManager.default.fileExists(atPath: folder.appendingPathComponent("began").path) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("pg_dump never began")
    }

    func goOn() throws { try Data().write(to: folder.appendingPathComponent("go")) }
}

@Suite(.serialized) struct SealStandbyTests {
    /// Before the minors of November 2026 a shared snapshot took the open transaction's rows for aborted, for good. PostgreSQL 17.10 does.
    @Test(.enabled(if: NewerPostgres.isHere, "needs the PostgreSQL 17 of scripts/setup-tests"))
    func theRowsOfAnOpenTransactionStay() async throws {
        let bin = try #require(NewerPostgres.bin)
        try await SealedStandby.with(bin) { test in
            let pair = test.pair
            try await pair.ask(pair.primary, "CREATE TABLE t (i int); INSERT INTO t VALUES (1)")
            let commit = test.fixture.folder.appendingPathComponent("commit")
            let savepoints = (0..<80).map { "SAVEPOINT s\($0); INSERT INTO t VALUES (\(100 + $0));" }.joined(separator: "\n")
            let script = test.fixture.folder.appendingPathComponent("open.sql")
            let text = "BEGIN; INSERT INTO t VALUES (2);\n\(savepoints)\n\\! until [ -e \(commit.path) ]; do sleep 0.05; done\nCOMMIT;\n"
            try Data(text.utf8).write(to: script)
            let open = try Program.start(
                ["psql", "-qXh", pair.primary, "-U", "postgres", "-f", script.path, "shop"], folder: test.fixture.folder)
            try await pair.wait(
                for: "1", of: pair.primary,
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE 'INSERT%179)%'")
            try await pair.ask(pair.primary, "INSERT INTO t VALUES (3)")
            try await pair.wait(for: "2", of: pair.standby, "SELECT count(*) FROM t")

            let outcome = try await test.seal(environment: ["MUSTER_PG_BIN": bin])
            #expect(outcome.code == 0, "\(outcome.text)")
            try await test.expectGoesOn()

            try Data().write(to: commit)
            #expect(await open.outcome().code == 0)
            try await pair.catchUp()
            #expect(try await pair.ask(pair.primary, "SELECT count(*) FROM t") == "83")
            #expect(try await pair.ask(pair.standby, "SELECT count(*) FROM t") == "83")
            _ = try await test.drill("{rows: {table: public.t, exactly: 2}}", environment: ["MUSTER_PG_BIN": bin])
            // This minor release is known for it.
            #expect(outcome.err.contains("pg_dump with --jobs or --snapshot"), "\(outcome.err)")
        }
    }

    /// The primary goes on meanwhile; dump and truth are of one moment all the same.
    @Test func aBusyPairIsSealedToTheRow() async throws {
        try await SealedStandby.with { test in
            let pair = test.pair
            try await pair.ask(
                pair.primary, "CREATE TABLE w (i bigserial, t text); CREATE UNLOGGED TABLE u (i int); INSERT INTO u VALUES (1)")
            let loop =
                "INSERT INTO w (t) SELECT 'x' FROM generate_series(1, 20); UPDATE w SET t = t || 'y' WHERE i % 7 = 0; SELECT pg_sleep(0.002)\n"
            let script = test.fixture.folder.appendingPathComponent("write.sql")
            try Data(String(repeating: loop.replacing("\n", with: ";\n"), count: 3000).utf8).write(to: script)
            let writer = try Program.start(
                ["psql", "-qXAto", "/dev/null", "-h", pair.primary, "-U", "postgres", "-f", script.path, "shop"],
                folder: test.fixture.folder)
            try await pair.wait(for: "t", of: pair.standby, "SELECT count(*) > 200 FROM w")
            // Long enough for the two to drift apart, were it not for the pause.
            let outcome = try await test.seal(environment: try await test.dumping("sleep 1\n$REAL \"$@\" || exit\nexec sleep 1"))
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(outcome.out.contains("truth: the source") && outcome.out.contains("stood still for"), "\(outcome.out)")
            try await test.expectGoesOn()
            let rows = try #require(Int(try await pair.ask(pair.standby, "SELECT count(*) FROM w")))
            writer.send(SIGKILL)
            _ = await writer.outcome()

            let standby = try #require(try test.payload().standby)
            #expect(standby.pausedSeconds >= 2 && standby.waitingBytes > 0 && !standby.pausedByOthers)
            // A standby has none of its rows, and everybody is told.
            #expect(standby.unlogged == ["public.u"] && outcome.err.contains("public.u"))
            let drill = try await test.drill("{rows: {table: public.w, at-least: 200, at-most: \(rows)}}")
            #expect(drill.unproven.contains { $0.contains("public.u") }, "\(drill.unproven)")
        }
    }

    @Test func nobodyPausesWhoMayNot() async throws {
        try await SealedStandby.with(user: "clerk") { test in
            let pair = test.pair
            try await pair.ask(
                pair.primary, "CREATE ROLE clerk LOGIN; GRANT pg_read_all_data TO clerk; GRANT SELECT ON pg_largeobject TO clerk")
            try await pair.catchUp()
            let refused = try await test.seal()
            #expect(refused.code == 2 && refused.err.contains("GRANT EXECUTE ON FUNCTION pg_wal_replay_pause()"), "\(refused.text)")
            try await test.expectGoesOn()
            test.expectNoBackup()
            // As the hint says.
            let grant = try #require(refused.err.firstMatch(of: /GRANT EXECUTE [^;]*/))
            try await pair.ask(pair.primary, String(grant.output))
            try await pair.catchUp()
            let allowed = try await test.seal()
            #expect(allowed.code == 0, "\(allowed.text)")
            try await test.expectGoesOn()
        }
    }

    /// Also where the server ends sessions that do nothing for long.
    @Test func itStandsStillNoLongerThanItMay() async throws {
        try await SealedStandby.with(user: "sealer") { test in
            let pair = test.pair
            try await pair.ask(pair.primary, "CREATE ROLE sealer SUPERUSER LOGIN")
            for setting in [
                "idle_in_transaction_session_timeout = '300ms'", "idle_session_timeout = '300ms'", "statement_timeout = '300ms'",
                // Which a standby refuses.
                "default_transaction_isolation = serializable",
            ] {
                try await pair.ask(pair.primary, "ALTER ROLE sealer SET \(setting)")
            }
            try await pair.catchUp()
            let slow = try await test.seal(["--max-pause", "1s"], environment: try await test.dumping("exec sleep 600"))
            #expect(slow.code == 2 && slow.err.contains("--max-pause") && slow.took < .seconds(300), "\(slow.text)")
            try await test.expectGoesOn()
            test.expectNoBackup()
            // Where something waits to be replayed, the standby has moved before anybody hears that its time was up.
            let pressed = try test.start(["--max-pause", "15s"], environment: try await test.dumping("exec sleep 600"))
            try await test.waitUntilStill()
            try await pair.ask(pair.primary, "CREATE TABLE waits AS SELECT generate_series(1, 1000) n")
            let moved = await pressed.outcome()
            #expect(moved.code == 2 && moved.err.contains("--max-pause"), "\(moved.text)")
            try await test.expectGoesOn()
            try await pair.ask(pair.primary, "DROP TABLE waits")
            try await pair.catchUp()
            let patient = try await test.seal(
                ["--max-pause", "1m"], environment: try await test.dumping("sleep 2\n$REAL \"$@\" || exit\nexec sleep 1"))
            #expect(patient.code == 0, "\(patient.text)")
            // A primary is patient, too.
            try await test.write(user: "sealer", host: pair.primary)
            let primary = try await test.seal(environment: try await test.dumping("$REAL \"$@\" || exit\nexec sleep 2"))
            #expect(primary.code == 0 && !primary.out.contains("stood still"), "\(primary.text)")
            for wrong in ["0s", "1", "never"] {
                let outcome = try await test.seal(["--max-pause", wrong])
                #expect(outcome.code == 64 && outcome.err.contains("--max-pause"), "\(outcome.text)")
            }
        }
    }

    @Test(arguments: [(SIGTERM, 143), (SIGINT, 130)] as [(Int32, Int32)])
    func aSignalLetsItGoOn(signal: Int32, code: Int32) async throws {
        try await SealedStandby.with { test in
            let running = try test.start(environment: try await test.dumping("exec sleep 600"))
            try await test.waitUntilStill()
            running.send(signal)
            let outcome = await running.outcome()
            #expect(outcome.code == code, "\(outcome.text)")
            try await test.expectGoesOn()
            test.expectNoBackup()
        }
    }

    /// The server notices by itself, at once also where it is busy for the seal.
    @Test func afterAKillItGoesOn() async throws {
        try await SealedStandby.with { test in
            let pair = test.pair
            // Made in a moment and read for many minutes: each of these numbers is stored in a few bytes and has 131,072 digits.
            try await pair.ask(pair.primary, "CREATE TABLE big AS SELECT '1e131071'::numeric AS n FROM generate_series(1, 1000000)")
            try await pair.catchUp()
            let halfway = Halfway(test)
            let running = try test.start(environment: try await test.dumping(halfway.script))
            try await halfway.wait()
            let reading = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT count(*), coalesce(sum(h)%'"
            try await pair.wait(for: "1", of: pair.standby, reading)
            let replayed = "SELECT pg_last_wal_replay_lsn()"
            let place = try await pair.ask(pair.standby, replayed)
            running.send(SIGKILL)
            _ = await running.outcome()
            try await test.waitUntilItGoesOn()
            #expect(try await pair.ask(pair.standby, reading) == "1", "it did not wait for the session that reads")
            let names = try FileManager.default.contentsOfDirectory(atPath: test.fixture.store.path)
            #expect(names.count == 1 && names.allSatisfy { $0.hasSuffix(".partial") }, "\(names)")
            // What somebody else paused since is nobody's to end. Where the primary has sent nothing since, nobody can tell, and that is told, once.
            try await pair.ask(pair.standby, "SELECT pg_wal_replay_pause()")
            try await test.waitUntilStill()
            let isUnclear = try await pair.ask(pair.standby, replayed) == place
            let shown = try await test.fixture.run(["clean", "--dry-run"])
            #expect(shown.code == 0 && shown.out.contains("would look after the replay of postgres's standby"), "\(shown.text)")
            let cleaned = try await test.fixture.run(["clean"])
            #expect(cleaned.code == (isUnclear ? 2 : 0) && cleaned.err.contains("by somebody since") == isUnclear, "\(cleaned.text)")
            #expect(try await pair.ask(pair.standby, "SELECT pg_get_wal_replay_pause_state()") == "paused")
            test.fixture.expectNothingLeft()
            test.expectNoBackup()
            #expect(try await test.fixture.run(["clean"]).out.contains("nothing to clean"))
        }
    }

    private static let endKeeper = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE 'DO $muster$%'"

    /// Where the statement that keeps the pause is gone before it could end it, `muster clean` does, once it can.
    @Test func afterAKillCleanEndsThePause() async throws {
        try await SealedStandby.with { test in
            let pair = test.pair
            let running = try test.start(environment: try await test.dumping("exec sleep 600"))
            try await test.waitUntilStill()
            try await pair.ask(pair.primary, "INSERT INTO b VALUES (2)")
            try await pair.wait(for: "t", of: pair.standby, "SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()")
            try await waitForNote(of: test, "\"isWaiting\":true")
            running.send(SIGSTOP)
            #expect(try await pair.ask(pair.standby, Self.endKeeper) == "t")
            running.send(SIGKILL)
            _ = await running.outcome()
            // The estate file is not to be had: nothing is forgotten.
            let elsewhere = test.fixture.folder.appendingPathComponent("moved.yaml")
            try FileManager.default.moveItem(at: test.fixture.estate, to: elsewhere)
            for _ in 0..<2 {
                let missed = try await test.fixture.run(["clean"])
                #expect(missed.code == 2 && missed.err.contains("can't be read any more"), "\(missed.text)")
            }
            #expect(try await pair.ask(pair.standby, "SELECT pg_is_wal_replay_paused()") == "t")
            try FileManager.default.moveItem(at: elsewhere, to: test.fixture.estate)
            let cleaned = try await test.fixture.run(["clean"])
            #expect(cleaned.code == 0 && cleaned.out.contains("goes on, which a killed seal had paused"), "\(cleaned.text)")
            try await test.expectGoesOn()
            test.fixture.expectNothingLeft()
        }
    }

    private func waitForNote(of test: SealedStandby, _ words: String) async throws {
        for _ in 0..<9000 {
            // Under its own name: what is only about to take it is not written down yet.
            let found = try await Program.run(["grep", "-rqsF", "--include=.muster-replay.json", words, test.fixture.scratch.path])
            if found.code == 0 { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("no note holds \(words)")
    }

    /// Where the machine is lost, the server doesn't hear of it.
    @Test func afterItsMachineIsLost() async throws {
        try await SealedStandby.with { test in
            let pair = test.pair
            let folder = pair.folder.appendingPathComponent("x").path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let words = ["python3", LoopbackServer.support("holding-proxy.py"), folder + "/.s.PGSQL.5432", pair.standby + "/.s.PGSQL.5432"]
            let proxy = try #require(LoopbackServer(words))
            defer { proxy.end() }
            try await test.write(host: folder)
            let running = try test.start(environment: try await test.dumping("exec sleep 600"))
            try await test.waitUntilStill()
            try await waitForNote(of: test, "\"replayed\"")
            running.send(SIGKILL)
            _ = await running.outcome()
            try await Task.sleep(for: .seconds(1))
            #expect(try await pair.ask(pair.standby, "SELECT pg_is_wal_replay_paused()") == "t")
            let cleaned = try await test.fixture.run(["clean"])
            #expect(cleaned.code == 0 && cleaned.out.contains("goes on, which a killed seal had paused"), "\(cleaned.text)")
            try await test.expectGoesOn()
            // Nor does what had kept it end another pause later.
            try await pair.wait(for: "0", of: pair.standby, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO $muster$%'")
        }
    }

    /// Once it goes on, nothing that becomes of the seal touches it.
    @Test(arguments: [SIGINT, SIGKILL] as [Int32]) func aLaterPauseIsLeft(signal: Int32) async throws {
        try await SealedStandby.with { test in
            let pair = test.pair
            let halfway = Halfway(test)
            let running = try test.start(["--pause", "snapshot"], environment: try await test.dumping(halfway.script))
            try await halfway.wait()
            try await test.waitUntilItGoesOn()
            try await pair.wait(for: "0", of: pair.standby, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO $muster$%'")
            try await pair.ask(pair.standby, "SELECT pg_wal_replay_pause()")
            try await test.waitUntilStill()
            running.send(signal)
            _ = await running.outcome()
            let cleaned = try await test.fixture.run(["clean"])
            #expect(cleaned.code == 0 && !cleaned.text.contains("goes on"), "\(cleaned.text)")
            #expect(try await pair.ask(pair.standby, "SELECT pg_get_wal_replay_pause_state()") == "paused")
        }
    }

    /// A pause that was there before, at an older moment: it is used, told of, and left.
    @Test func whatSomebodyElsePausedStaysSo() async throws {
        try await SealedStandby.with { test in
            let pair = test.pair
            try await pair.ask(pair.primary, "INSERT INTO b VALUES (2)")
            try await pair.catchUp()
            try await pair.ask(pair.standby, "SELECT pg_wal_replay_pause()")
            try await test.waitUntilStill()
            let paused = try await pair.ask(
                pair.primary, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
            try await Task.sleep(for: .seconds(2))
            try await pair.ask(pair.primary, "INSERT INTO b VALUES (3)")
            let outcome = try await test.seal()
            #expect(outcome.code == 0 && outcome.out.contains("somebody else had paused"), "\(outcome.text)")
            #expect(try await pair.ask(pair.standby, "SELECT pg_get_wal_replay_pause_state()") == "paused")
            let payload = try test.payload()
            #expect(payload.standby?.pausedByOthers == true && payload.standby?.waitingBytes ?? 0 > 0)
            // The moment is that of what was replayed, never that of the seal: what came later is lost.
            #expect(payload.snapshotTime < paused, "\(payload.snapshotTime) \(paused)")
            _ = try await test.drill("{rows: {table: public.b, exactly: 2}}")
        }
    }

    @Test func oneThatMovesMeanwhileIsNotSealed() async throws {
        try await SealedStandby.with { test in
            let pair = test.pair
            for ending in ["pg_wal_replay_resume()", "pg_promote()"] {
                let halfway = Halfway(test)
                let running = try test.start(["--pause", "dump"], environment: try await test.dumping(halfway.script))
                try await halfway.wait()
                try await pair.ask(pair.primary, "INSERT INTO b VALUES (4)")
                try await pair.ask(pair.standby, "SELECT \(ending)")
                try halfway.goOn()
                let outcome = await running.outcome()
                #expect(outcome.code == 2 && outcome.err.contains("did not stand still"), "\(outcome.text)")
                test.expectNoBackup()
            }
        }
    }

    /// An address behind which several servers stand hands pg_dump to another one.
    @Test func aDumpOfAnotherServerIsNotSealed() async throws {
        try await SealedStandby.with { test in
            let outcome = try await test.seal(environment: try await test.dumping("PGHOST=\(test.pair.primary) exec $REAL \"$@\""))
            #expect(outcome.code == 2 && outcome.err.contains("not seen on the standby"), "\(outcome.text)")
            try await test.expectGoesOn()
            test.expectNoBackup()
        }
    }

    /// Where its settings let long readers live, a standby stands still no longer than it takes to get two equal snapshots.
    @Test func itGoesOnWhileRowsAreRead() async throws {
        try await SealedStandby.with { test in
            let pair = test.pair
            for sql in ["ALTER SYSTEM SET hot_standby_feedback = on", "SELECT pg_reload_conf()"] { try await pair.ask(pair.standby, sql) }
            try await pair.wait(for: "on", of: pair.standby, "SHOW hot_standby_feedback")
            try await pair.ask(pair.primary, "CREATE TABLE w (i int); INSERT INTO w SELECT generate_series(1, 500)")
            try await pair.catchUp()
            let halfway = Halfway(test)
            let running = try test.start(environment: try await test.dumping(halfway.script))
            try await halfway.wait()
            try await pair.ask(pair.primary, "INSERT INTO w SELECT generate_series(1, 50); DELETE FROM w WHERE i = 1")
            try await pair.ask(pair.primary, "VACUUM w")
            try await pair.wait(for: "548", of: pair.standby, "SELECT count(*) FROM w")
            try await test.expectGoesOn()
            try halfway.goOn()
            let outcome = await running.outcome()
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(try test.payload().standby?.pausedByOthers == false)
            _ = try await test.drill("{rows: {table: public.w, exactly: 500}}")
        }
    }

    /// Where replay spares nobody, nearly every question that comes before the pause is cancelled, the one that pauses included.
    @Test func conflictsBeforeThePauseAreOutlasted() async throws {
        try await SealedStandby.with { test in
            let pair = test.pair
            try await pair.ask(pair.primary, "CREATE TABLE w (i int, n int); INSERT INTO w SELECT g, 0 FROM generate_series(1, 5) g")
            try await pair.catchUp()
            for sql in ["ALTER SYSTEM SET max_standby_streaming_delay = 0", "SELECT pg_reload_conf()"] {
                try await pair.ask(pair.standby, sql)
            }
            let load = "DO $$ BEGIN LOOP UPDATE w SET n = n + 1 WHERE i = 1; COMMIT; END LOOP; END $$"
            let writing = try Program.start(["psql", "-qXh", pair.primary, "-U", "postgres", "shop", "-c", load], folder: pair.folder)
            for _ in 1...5 {
                let outcome = try await test.seal()
                #expect(outcome.code == 0, "\(outcome.text)")
                #expect(try test.payload().standby?.pausedByOthers == false)
                for file in try FileManager.default.contentsOfDirectory(atPath: test.fixture.store.path) {
                    try FileManager.default.removeItem(at: test.fixture.store.appendingPathComponent(file))
                }
            }
            try await pair.ask(
                pair.primary, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO %' AND pid <> pg_backend_pid()")
            _ = await writing.outcome()
            // Until then the standby would cancel the question as well.
            let end = try await pair.ask(pair.primary, "SELECT pg_current_wal_lsn()")
            try await pair.wait(for: "t", of: pair.primary, "SELECT replay_lsn >= '\(end)' FROM pg_stat_replication")
            try await test.expectGoesOn()
        }
    }

    /// Each database's dump would be of one pause, and the roles of none: it is refused before anything is paused.
    @Test func noWholeClusterIsSealedOfAStandby() async throws {
        try await SealedStandby.with { test in
            let estate = try String(contentsOf: test.fixture.estate, encoding: .utf8)
            let cluster = "match: \"*.sql.gz\", encryption: none, cluster: true}"
            try Data(estate.replacing("match: \"*.dump\", encryption: none}", with: cluster).utf8).write(to: test.fixture.estate)
            let outcome = try await test.seal()
            #expect(outcome.code == 2 && outcome.err.contains("the source is a standby"), "\(outcome.text)")
            #expect(outcome.err.contains("hint: name the primary as source"), "\(outcome.text)")
            test.expectNoBackup()
            try await test.expectGoesOn()
        }
    }

    /// A standby whose settings don't spare long readers stands still for all of the dump; who wants it otherwise is told what became of it.
    @Test func whatItReplaysMayEndTheReader() async throws {
        try await SealedStandby.with { test in
            let pair = test.pair
            for sql in ["ALTER SYSTEM SET max_standby_streaming_delay = 0", "SELECT pg_reload_conf()"] {
                try await pair.ask(pair.standby, sql)
            }
            try await pair.wait(for: "0", of: pair.standby, "SHOW max_standby_streaming_delay")
            try await pair.ask(pair.primary, "CREATE TABLE w (i int); INSERT INTO w SELECT generate_series(1, 500)")
            try await pair.catchUp()
            for (pause, code) in [("snapshot", Int32(2)), ("dump", 0)] {
                let halfway = Halfway(test)
                let running = try test.start(["--pause", pause], environment: try await test.dumping(halfway.script))
                try await halfway.wait()
                try await pair.ask(pair.primary, "DELETE FROM w")
                try await pair.ask(pair.primary, "VACUUM w")
                try await pair.ask(pair.primary, "INSERT INTO w SELECT generate_series(1, 500)")
                if code == 2 { try await pair.catchUp() }
                try halfway.goOn()
                let outcome = await running.outcome()
                #expect(outcome.code == code, "\(outcome.text)")
                #expect(outcome.err.contains("--pause dump") == (code == 2), "\(outcome.text)")
                if code == 2 { test.expectNoBackup() }
                try await pair.catchUp()
                try await test.expectGoesOn()
            }
            _ = try await test.drill("{rows: {table: public.w, exactly: 500}}")
        }
    }
}
