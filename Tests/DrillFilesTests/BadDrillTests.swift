// Every mistake in a drill file, with its place, its message and its hint.

import Foundation
import Testing

@testable import DrillFiles

private let instantHint = "write now, or an instant with its zone such as 2026-03-01T02:00:00+05:30"
private let durationHint = "write it as 4h, 90m, 1h30m, 2d or 15s"
private let expectHint =
    "write \"> 0\", \">= 1\", \"< 5\", \"<= 5\", \"= text\", \"!= text\", \"is null\" or \"is not null\", in quotes"

private let ofTheDrill = [
    BadInput("unknown key", replace: "targets:", with: "‸targts:", "unknown key \"targts\"", hint: "did you mean \"targets\"?"),
    BadInput(
        "misspelt drill", replace: "drill: database", with: "‸dril: database", "unknown key \"dril\"", hint: "did you mean \"drill\"?"),
    BadInput(
        "no scenario", replace: "version: 1\ndrill: database-corruption\nestate: estate.yaml\nscenario: database-corruption",
        with: "‸version: 1\ndrill: d\nestate: estate.yaml", "missing key \"scenario\"", hint: "add \"scenario: database-corruption\""),
    BadInput(
        "scenario", replace: "scenario: database-corruption", with: "scenario: ‸database-coruption",
        "unknown scenario \"database-coruption\"", hint: "did you mean \"database-corruption\"?"),
    BadInput(
        "drill name", replace: "drill: database", with: "drill: ‸data base", "drill \"data base-corruption\" is not a valid name",
        hint: "use letters, digits, \".\", \"_\" and \"-\", not beginning with \".\", 100 at the most"),
    BadInput(
        "estate that isn't there", replace: "estate: estate.yaml", with: "estate: ‸estat.yaml", "estate file \"estat.yaml\" does not exist",
        hint: "did you mean \"estate.yaml\"?"),
    BadInput(
        "estate nowhere near", replace: "estate: estate.yaml", with: "estate: ‸nowhere/x.yaml",
        "estate file \"nowhere/x.yaml\" does not exist", hint: "check the path"),
    BadInput(
        "estate that is the drill", replace: "estate: estate.yaml", with: "estate: ‸drill.yaml", "\"drill.yaml\" is not an estate file",
        hint: "name the file that begins with \"estate: NAME\" and holds \"services\""),
    BadInput(
        "estate at home", replace: "estate: estate.yaml", with: "estate: ‸~/estate.yaml", "~ is not expanded in \"estate\"",
        hint: "write the full path, or one relative to this file"),
    BadInput(
        "profile", replace: "profile: fast", with: "profile: ‸quick", "unknown profile \"quick\"", hint: "known words: fast, production"),
    BadInput(
        "incident as text", replace: "incident: {at: 2026-03-01T02:00:00+05:30}", with: "incident: ‸now", "\"incident\" must be a mapping",
        hint: "write \"incident: {at: now}\""),
    BadInput(
        "incident without at", replace: "incident: {at: 2026-03-01T02:00:00+05:30}", with: "‸incident: {}",
        "missing key \"at\" in \"incident\"", hint: "add \"at: now\""),
    BadInput(
        "incident without zone", replace: "2026-03-01T02:00:00+05:30", with: "‸2026-03-01T02:00:00", "\"at\" has no time zone",
        hint: "add Z for UTC, or an offset such as +05:30"),
    BadInput(
        "incident without time", replace: "2026-03-01T02:00:00+05:30", with: "‸2026-03-01", "\"at\" has no time of day", hint: instantHint),
    BadInput("incident in words", replace: "2026-03-01T02:00:00+05:30", with: "‸yesterday", "\"at\" is not an instant", hint: instantHint),
    BadInput(
        "incident on no day", replace: "2026-03-01T02:00:00+05:30", with: "‸2026-02-30T02:00:00Z", "\"at\" is no moment of any calendar",
        hint: "check month, day, hour, minute and offset"),
    BadInput(
        "incident to come", replace: "2026-03-01T02:00:00+05:30", with: "‸2026-03-01T12:01:01Z", "the incident lies in the future",
        hint: "write now, or an instant that has passed; check its zone"),
    BadInput("bare number", replace: "rto: 4h", with: "rto: ‸4", "\"rto\" has no unit", hint: "say which: 4h, 4m or 4s"),
    BadInput(
        "zero", replace: "rto: 4h", with: "rto: ‸0h", "\"rto\" must be longer than nothing",
        hint: "write a duration such as 15m, or remove the line"),
    BadInput(
        "negative", replace: "rto: 4h", with: "rto: ‸-4h", "\"rto\" must be longer than nothing",
        hint: "write a duration such as 15m, or remove the line"),
    BadInput("words", replace: "rto: 4h", with: "rto: ‸four hours", "\"rto\" is not a duration", hint: durationHint),
    BadInput("sexagesimal", replace: "rpo: 6h", with: "rpo: ‸1:30", "\"rpo\" is not a duration", hint: durationHint),
    BadInput("too long", replace: "rpo: 6h", with: "rpo: ‸99999d", "\"rpo\" is longer than ten years", hint: durationHint),
    BadInput(
        "a list", replace: "rpo: 6h", with: "rpo: ‸[6h]", "\"rpo\" must be text, not a list",
        hint: "write a single value, in quotes where in doubt"),
    BadInput(
        "no targets", replace: "targets: {rto: 4h, rpo: 6h, rpo-worst-case: 7h}", with: "targets: ‸{}", "\"targets\" is empty",
        hint: "name at least one of rto, rpo and rpo-worst-case, or remove the line"),
    BadInput("allowance", replace: "decide: 15m", with: "decide: ‸15", "\"decide\" has no unit", hint: "say which: 15h, 15m or 15s"),
    BadInput(
        "allowance without a value", replace: "decide: 15m", with: "‸decide:", "allowance \"decide\" has no value",
        hint: "write one, or remove the line"),
    BadInput(
        "allowances as list", replace: "allowances:\n  decide: 15m\n  announce: 1h30m", with: "allowances: ‸[15m]",
        "\"allowances\" must be a mapping, not a list", hint: "write \"key: value\" lines, indented below it"),
    BadInput(
        "quarantine", replace: "network: required", with: "network: ‸require", "unknown network \"require\"",
        hint: "did you mean \"required\"?"),
    BadInput(
        "password in the drill", replace: "profile: fast", with: "‸db-password: hunter2",
        "\"db-password\" would be a secret written in the file",
        hint: "take it out, change it, and name where it is instead: {file: path}, {env: NAME} or {command: [program, argument]}"),
]

private let ofRecover = [
    BadInput(
        "recover nothing", replace: "recover:\n  postgres: {from: daily, select: latest, jobs: 2}\n  redis: {from: rdb}\nchecks:\n",
        with: "recover: ‸{}\nchecks:\n", "\"recover\" is empty", hint: "name at least one service to recover"),
    BadInput(
        "unknown service", replace: "  redis: {from: rdb}", with: "  redis: {from: rdb}\n  ‸rediss: {from: rdb}",
        "unknown service \"rediss\"", hint: "did you mean \"redis\"?"),
    BadInput(
        "unknown backup", replace: "from: daily", with: "from: ‸dayly", "unknown backup \"dayly\" of service \"postgres\"",
        hint: "did you mean \"daily\"?"),
    BadInput(
        "another service's backup", replace: "from: daily", with: "from: ‸rdb", "unknown backup \"rdb\" of service \"postgres\"",
        hint: "known backups: daily"),
    BadInput(
        "recover without from", replace: "redis: {from: rdb}", with: "‸redis: {select: latest}",
        "missing key \"from\" in \"recover\" of \"redis\"", hint: "add \"from: daily\""),
    BadInput(
        "recover as text", replace: "redis: {from: rdb}", with: "redis: ‸rdb", "\"recover\" of \"redis\" must be a mapping, not text",
        hint: "write \"key: value\" lines, indented below it"),
    BadInput(
        "select", replace: "select: latest", with: "select: ‸newest", "unknown select \"newest\"",
        hint: "known words: latest, latest-healthy"),
    BadInput("jobs", replace: "jobs: 2", with: "jobs: ‸0", "\"jobs\" is out of range", hint: "write a number from 1 to 64"),
    BadInput(
        "jobs as word", replace: "jobs: 2", with: "jobs: ‸two", "\"jobs\" must be a whole number", hint: "write it in digits, such as 1"),
    BadInput(
        "jobs of an RDB", replace: "{from: rdb}", with: "{from: rdb, jobs: ‸2}", "\"jobs\" does not fit kind \"rdb\"",
        hint: "remove it: only a pg_dump restores in parallel"),
]

private let ofChecks = [
    BadInput(
        "checks of code", replace: "  redis: {from: rdb}\nchecks:\n",
        with: "  redis: {from: rdb}\n  code: {from: mirror}\nchecks:\n  ‸code: [{rows: {table: a, at-least: 1}}]\n",
        "engine \"code\" has no checks of a drill's own",
        hint: "remove them: what must be in it stands with the backup in the estate file"),
    BadInput(
        "checks of what isn't recovered",
        replace:
            "  redis: {from: rdb}\nchecks:\n  postgres:\n    - rows: {table: public.domains, at-least: 1, at-most: 9}\n    - rows: {table: public.users, exactly: 20}\n    - sql: {name: newest scan is recent, query: \"select 1\", expect: \"> 0\"}\n  redis:",
        with: "checks:\n  ‸redis:", "service \"redis\" is checked, but not recovered",
        hint: "add it under \"recover\", or remove its checks"),
    BadInput(
        "checks of an unknown service", replace: "  redis:\n    - keys",
        with: "  ‸postgre:\n    - rows: {table: a, at-least: 1}\n  redis:\n    - keys", "unknown service \"postgre\"",
        hint: "did you mean \"postgres\"?"),
    BadInput(
        "no checks",
        replace:
            "  redis:\n    - keys: {pattern: \"session:*\", database: 1, at-least: 10}\n    - key: {name: config, database: 2, type: hash}",
        with: "  ‸redis: []", "\"checks\" of \"redis\" is empty", hint: "write a check, or remove the line"),
    BadInput(
        "checks as mapping",
        replace:
            "  redis:\n    - keys: {pattern: \"session:*\", database: 1, at-least: 10}\n    - key: {name: config, database: 2, type: hash}",
        with: "  redis: ‸{key: {name: a}}", "\"checks\" of \"redis\" must be a list, not a mapping",
        hint: "begin each check with \"- \", as in \"- rows: {table: public.domains, at-least: 1}\""),
    BadInput("unknown check", replace: "- sql:", with: "- ‸sqll:", "unknown check \"sqll\"", hint: "did you mean \"sql\"?"),
    BadInput(
        "check of another engine", replace: "- sql:", with: "- ‸key: {name: a}\n    - sql:",
        "check \"key\" does not fit engine \"postgres\"", hint: "for postgres, write rows or sql"),
    BadInput(
        "rows of Redis", replace: "- key:", with: "- ‸rows: {table: a, at-least: 1}\n    - key:",
        "check \"rows\" does not fit engine \"redis\"", hint: "for redis, write keys or key"),
    BadInput(
        "check as text", replace: "- sql:", with: "- ‸rows\n    - sql:", "a check must be a mapping, not text",
        hint: "write \"key: value\" lines, indented below it"),
    BadInput("empty check", replace: "- sql:", with: "- ‸{}\n    - sql:", "this check asks nothing", hint: "write rows or sql"),
    BadInput(
        "check whose keys are not indented", replace: "- sql:", with: "- ‸rows:\n      table: a\n      at-least: 1\n    - sql:",
        "a check holds one kind, not 3 keys", hint: "begin each check with \"- \", and indent what belongs to it further than its kind"),
    BadInput(
        "check without a value", replace: "- sql:", with: "- rows:‸\n    - sql:", "check \"rows\" must be a mapping, not nothing",
        hint: "write \"key: value\" lines, indented below it"),
    BadInput(
        "bounds crossed", replace: "at-least: 1, at-most: 9", with: "at-least: ‸10, at-most: 9", "\"at-least\" is greater than \"at-most\"",
        hint: "swap them"),
    BadInput(
        "no bound", replace: "- rows: {table: public.domains, at-least: 1, at-most: 9}", with: "- ‸rows: {table: public.domains}",
        "check \"rows\" has no bound: it could not fail", hint: "add at-least, at-most or exactly"),
    BadInput(
        "no bound for keys", replace: "- keys: {pattern: \"session:*\", database: 1, at-least: 10}",
        with: "- ‸keys: {pattern: \"session:*\"}", "check \"keys\" has no bound: it could not fail", hint: "add at-least or at-most"),
    BadInput(
        "bound that can't fail", replace: "at-least: 10", with: "at-least: ‸0", "\"at-least: 0\" holds for any count: it could not fail",
        hint: "write \"at-least: 1\", or add \"at-most\""),
    BadInput(
        "empty bound", replace: "at-least: 10", with: "‸at-least: ", "\"at-least\" has no value", hint: "write one, or remove the line"),
    BadInput(
        "misspelt bound", replace: "at-least: 10", with: "‸at_least: 10", "unknown key \"at_least\" in check \"keys\"",
        hint: "did you mean \"at-least\"?"),
    BadInput(
        "negative bound", replace: "at-least: 10", with: "at-least: ‸-1", "\"at-least\" is out of range", hint: "write a number 0 or more"),
    BadInput(
        "exactly and more", replace: "exactly: 20", with: "exactly: ‸20, at-most: 30", "\"exactly\" leaves no room for other bounds",
        hint: "keep \"exactly\", or \"at-least\" and \"at-most\""),
    BadInput(
        "exactly of keys", replace: "at-least: 10", with: "‸exactly: 10, at-least: 1", "unknown key \"exactly\" in check \"keys\"",
        hint: "known keys: at-least, at-most, database, pattern"),
    BadInput(
        "table", replace: "public.users", with: "‸public.users where true", "\"public.users where true\" is not a table name",
        hint: "write schema.table, with parts quoted as in SQL: '\"Odd\".\"Name\"'"),
    BadInput(
        "no table", replace: "- rows: {table: public.users, exactly: 20}", with: "- ‸rows: {exactly: 20}",
        "missing key \"table\" in check \"rows\"", hint: "add \"table: public.domains\""),
    BadInput(
        "no query", replace: "- sql: {name: newest scan is recent, query: \"select 1\", ", with: "- ‸sql: {name: n, ",
        "missing key \"query\" in check \"sql\"", hint: "add \"query: \"select …\"\""),
    BadInput(
        "name of two lines", replace: "name: newest scan is recent", with: "name: ‸\"a\\nb\"",
        "\"name\" must be one line of 200 letters at the most", hint: "shorten it, without line breaks"),
    BadInput("expectation", replace: "expect: \"> 0\"", with: "expect: ‸\"> many\"", "\"expect\" is not an expectation", hint: expectHint),
    BadInput(
        "expectation without operand", replace: "expect: \"> 0\"", with: "expect: ‸\">=\"", "\"expect\" is not an expectation",
        hint: expectHint),
    BadInput(
        "expectation of another language", replace: "expect: \"> 0\"", with: "expect: ‸\"== 1\"", "\"expect\" is not an expectation",
        hint: expectHint),
    BadInput(
        "expectation turned round", replace: "expect: \"> 0\"", with: "expect: ‸\"=> 1\"", "\"expect\" is not an expectation",
        hint: expectHint),
    BadInput(
        "expectation that is a truth value", replace: "expect: \"> 0\"", with: "expect: ‸true", "\"expect\" is a bare truth value",
        hint: "a boolean column reads t or f: write \"= t\" or \"= f\"; for the word itself write \"= true\""),
    BadInput(
        "expectation null", replace: "expect: \"> 0\"", with: "‸expect: null", "\"expect\" has no value", hint: "write \"expect: \"> 0\"\""),
    BadInput(
        "same check twice", replace: "- rows: {table: public.users, exactly: 20}",
        with: "- ‸rows: {table: '\"public\".Domains', exactly: 20}", "this check is there twice",
        hint: "remove one of them, or give it another name, table or pattern"),
    BadInput(
        "same query name twice", replace: "- rows: {table: public.users, exactly: 20}",
        with: "- sql: {name: n, query: a, expect: 1}\n    - ‸sql: {name: n, query: b, expect: 2}", "this check is there twice",
        hint: "remove one of them, or give it another name, table or pattern"),
    BadInput(
        "Redis database", replace: "database: 2", with: "database: ‸-2", "\"database\" is out of range",
        hint: "write a number from 0 to 2147483647"),
    BadInput("Redis type", replace: "type: hash", with: "type: ‸hsah", "unknown type \"hsah\"", hint: "did you mean \"hash\"?"),
    BadInput(
        "a key of a Redis key", replace: "{name: config,", with: "{name: config, ‸key: config,", "unknown key \"key\" in check \"key\"",
        hint: "known keys: database, name, type"),
]

@Suite struct BadDrillTests {
    static let inputs = ofTheDrill + ofRecover + ofChecks

    @Test(arguments: inputs)
    func isToldAtItsPlace(_ input: BadInput) throws {
        let desk = try Desk()
        try desk.write("estate.yaml", Good.estate)
        let (text, line, column) = try input.spoil(Good.drill)
        try desk.write("drill.yaml", text)
        let problems = desk.problems(["drill.yaml"])
        input.expect(problems, in: "drill.yaml", line: line, column: column)
        #expect(!problems.description.lowercased().contains("hunter2"), "a secret is never repeated")
    }
}
