// The runs that the golden files show: every verdict, a walk-back, an unsealed backup, the fast profile, an interruption.

import DrillModel
import Foundation

enum Fixtures {
    /// Four drills: one passes, one fails after a walk-back, one is fast and unsealed, one can't be asked.
    static var fullRun: EventScript {
        var script = EventScript()
        script.run(drills: 4)
        script.wait(.milliseconds(20))
        passing(&script)
        failing(&script)
        fast(&script)
        broken(&script)
        script.add(.runFinished(.failed))
        return script
    }

    /// Cut off while Postgres is being restored; of three drills the second and third never end.
    static var interruptedRun: EventScript {
        var script = EventScript()
        script.run(drills: 3)
        passing(&script)
        script.drill("half-way")
        _ = script.step(.identify, takes: .milliseconds(31), .passed, "1 recovery point")
        script.point("postgres", hoursBefore: 6, .seal, sealed: .source, path: "postgres/daily/2026-03-14.dump.enc")
        script.add(.caseFinished(CaseResult(.quarantine, service: "postgres", name: "archive_command is off", verdict: .passed)))
        script.add(.stepStarted(.restore, service: "postgres"))
        for second in 1...3 {
            script.wait(.seconds(1))
            script.add(.progress(restoring(Int64(second) * 30_000_000)))
        }
        return script
    }

    static func restoring(_ bytes: Int64, of total: Int64? = 74_213_004) -> DrillModel.Progress {
        DrillModel.Progress(step: .restore, service: "postgres", label: "restoring", completed: bytes, total: total, unit: .bytes)
    }

    private static let worst = WorstCase(
        from: EventScript.start - 30 * 3600, to: EventScript.start - 6 * 3600, backupDuration: .seconds(192), points: 35)

    private static func passing(_ script: inout EventScript) {
        let start = script.now
        script.drill("database-corruption")
        script.add(.fact(Fact("postgres.server-version", "15.6")))
        script.add(.fact(Fact("redis.server-version", "7.0.15")))
        var done = [script.step(.identify, takes: .milliseconds(44), .passed, "35 recovery points, the newest is 6h old")]
        script.point("postgres", hoursBefore: 6, .seal, sealed: .source, path: "postgres/daily/2026-03-14.dump.enc")
        script.point("redis", hoursBefore: 5.5, .rdbCreationTime, sealed: .backup, path: "redis/2026-03-14.rdb.enc")
        done.append(script.step(.stop, takes: .zero, .skipped, "a drill has no application to stop"))
        done.append(script.step(.retrieve, "postgres", takes: .milliseconds(812), .passed, "decrypted 74.2 MB"))
        done.append(script.step(.retrieve, "redis", takes: .milliseconds(61), .passed, "decrypted 2.1 MB"))
        script.add(.stepStarted(.restore, service: "postgres"))
        for tenth in 1...8 {
            script.wait(.milliseconds(100))
            script.add(.progress(restoring(Int64(tenth) * 9_000_000)))
        }
        done.append(script.step(.restore, "postgres", takes: .milliseconds(13_450), .passed, "restored 14 tables with 2 jobs"))
        done.append(script.step(.restore, "redis", takes: .milliseconds(340), .passed, "loaded 5,204 keys"))
        done.append(script.step(.verify, takes: .milliseconds(2_200), .passed, "asked 9 questions"))
        done.append(script.step(.restart, takes: .milliseconds(15), .passed, "both servers answer"))
        for name in ["archive_command is off", "no TCP port is open"] {
            script.add(
                .caseFinished(CaseResult(.quarantine, service: "postgres", name: name, verdict: .passed, duration: .milliseconds(2))))
        }
        for table in ["domains", "scans", "users"] {
            let name = "public.\(table)"
            script.add(.caseFinished(CaseResult(.rows, service: "postgres", name: name, verdict: .passed, duration: .microseconds(900))))
            script.add(.caseFinished(CaseResult(.content, service: "postgres", name: name, verdict: .passed, duration: .milliseconds(41))))
        }
        let note = Finding(
            Rule("role-created-empty"), .warning, object: "role reporting", expected: "in the globals file", actual: "missing",
            message: "the role was created without its attributes", hint: "back up the globals beside the dump")
        script.add(.caseFinished(.judged(.restore, service: "postgres", name: "roles", duration: .milliseconds(8), findings: [note])))
        script.add(.caseFinished(CaseResult(.keys, service: "redis", name: "digest", verdict: .passed, duration: .milliseconds(23))))
        script.add(.caseFinished(CaseResult(.objective, name: "RTO", verdict: .passed)))
        let objectives = Objectives(
            rto: RecoveryTime(
                measured: script.now - start, allowances: [Allowance(name: "decide", duration: .seconds(900))], target: .seconds(14_400),
                profile: .production, accepting: ["postgres": .milliseconds(15_120), "redis": .milliseconds(15_460)]),
            rpo: [
                .fixture("postgres", hours: 6, .seal, worst: worst, target: .seconds(25 * 3600)),
                .fixture("redis", hours: 5.5, .rdbCreationTime, target: nil),
            ], skew: .seconds(1800))
        script.finish(.passed, done, since: start, objectives: objectives)
    }

    private static func failing(_ script: inout EventScript) {
        let start = script.now
        script.drill("newest-is-bad")
        var done = [script.step(.identify, takes: .milliseconds(40), .passed, "35 recovery points")]
        script.point("postgres", hoursBefore: 6, .seal, sealed: .source, path: "postgres/daily/2026-03-14.dump.enc")
        let truncated = Finding(
            Rule("archive-truncated"), object: "postgres/daily/2026-03-14.dump.enc", expected: "74,213,004 bytes",
            actual: "70,000,000 bytes", message: "the artifact is shorter than its seal says",
            hint: "copy it again from another store, and check the upload's exit code")
        script.add(
            .caseFinished(
                .judged(.backup, service: "postgres", name: "postgres/daily/2026-03-14.dump.enc is whole", findings: [truncated])))
        script.point("postgres", hoursBefore: 30, .seal, sealed: .source, rejected: 1, path: "postgres/daily/2026-03-13.dump.enc")
        done.append(script.step(.retrieve, "postgres", takes: .milliseconds(640), .passed, "decrypted 74.1 MB"))
        done.append(script.step(.restore, "postgres", takes: .seconds(14), .passed, "restored 14 tables with 2 jobs"))
        done.append(script.step(.verify, takes: .seconds(2), .failed, "asked 5 questions"))
        done.append(script.step(.restart, takes: .zero, .skipped, "nothing verified to bring back"))
        let content = Finding(
            Rule("rows-differ"), object: "public.domains", expected: "1,204 rows", actual: "1,204 rows of other content",
            message: "the content is not what was sealed",
            hint: "compare with the source: something wrote after the restore, or the dump is damaged")
        let rows = Finding(
            Rule("row-count-differs"), object: "public.scans", expected: "20,000 rows", actual: "9,710 rows", message: "rows are missing",
            hint: "the dump was cut off: see its last line")
        let index = Finding(
            Rule("index-differs"), object: "index public.domains_name_key", message: "the definition changed",
            hint: "recreate the index as sealed", diff: [" on public.domains", "-using btree (name)", "+using btree (lower(name))"])
        script.add(
            .caseFinished(.judged(.content, service: "postgres", name: "public.domains", duration: .milliseconds(40), findings: [content])))
        script.add(.caseFinished(.judged(.rows, service: "postgres", name: "public.scans", findings: [rows])))
        script.add(.caseFinished(.judged(.schema, service: "postgres", name: "indexes", duration: .milliseconds(12), findings: [index])))
        script.add(.caseFinished(CaseResult(.rows, service: "postgres", name: "public.domains", verdict: .passed)))
        let unasked = Finding(
            Rule("query-failed"), object: "newest scan is recent", message: "the query failed: relation \"scan\" does not exist",
            hint: "correct the query in the drill file")
        script.add(.caseFinished(.unasked(.declared, service: "postgres", name: "newest scan is recent", finding: unasked)))
        let objectives = Objectives(
            rto: RecoveryTime(
                measured: nil, allowances: [], target: .seconds(14_400), profile: .production, accepting: ["postgres": .seconds(14)]),
            rpo: [.fixture("postgres", hours: 30, .seal, worst: worst, target: .seconds(6 * 3600))], skew: nil)
        script.finish(.failed, done, since: start, objectives: objectives)
    }

    private static func fast(_ script: inout EventScript) {
        let start = script.now
        script.drill("nightly-integrity", profile: .fast)
        var done = [script.step(.identify, takes: .milliseconds(38), .passed, "1 recovery point")]
        script.point("postgres", hoursBefore: 6, .modificationTime, sealed: nil, path: "postgres/weekly/2026-03-14.dump")
        done.append(script.step(.restore, "postgres", takes: .milliseconds(9_700), .passed, "restored 14 tables with 2 jobs"))
        script.add(.caseFinished(.skipped(.content, service: "postgres", name: "fingerprints", reason: "not sealed")))
        script.add(.caseFinished(.skipped(.rows, service: "postgres", name: "row counts", reason: "not sealed")))
        script.add(.caseFinished(CaseResult(.restore, service: "postgres", name: "the restore produced something", verdict: .passed)))
        let old = Finding(
            Rule("rpo-missed"), object: "postgres", expected: "under 6h", actual: "6h 0m 3.600s",
            message: "more of the past is lost than was promised", hint: "back up more often, or promise less")
        script.add(.caseFinished(.judged(.objective, service: "postgres", name: "RPO", findings: [old])))
        let objectives = Objectives(
            rto: RecoveryTime(measured: .milliseconds(9_738), allowances: [], target: .seconds(14_400), profile: .fast, accepting: [:]),
            rpo: [.fixture("postgres", hours: 6.001, .modificationTime, target: .seconds(6 * 3600))], skew: nil)
        script.finish(
            .failed, done, since: start, objectives: objectives,
            unproven: [
                "The backup of postgres carries no seal: that its content is what the source held was not proven.",
                "The profile is fast: the RTO is indicative and meets no target.",
            ])
    }

    private static func broken(_ script: inout EventScript) {
        let start = script.now
        script.drill("no-tools")
        let missing = Finding(
            Rule("tool-missing"), object: "pg_restore 17", expected: "on this machine", actual: "missing",
            message: "no pg_restore of major version 17 was found", hint: "install postgresql-client-17")
        let done = [
            script.step(.identify, takes: .milliseconds(38), .passed, "1 recovery point"),
            script.step(.restore, "postgres", takes: .milliseconds(5), .error, "no pg_restore of major version 17 was found"),
        ]
        script.add(.caseFinished(.unasked(.step, service: "postgres", name: "restore", duration: .milliseconds(5), finding: missing)))
        script.add(.caseFinished(.skipped(.content, service: "postgres", name: "fingerprints", reason: "nothing was restored")))
        script.finish(.error, done, since: start)
    }
}
