// What can be wrong with a file as such, with several of them, and with a folder.

import Foundation
import Testing

@testable import DrillFiles

private typealias Problem = DrillFileError.Problem

@Suite struct FileTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture()
        try fixture.write("estate.yaml", Good.estate)
    }

    @Test(arguments: [
        BadInput(
            "tab", replace: "", with: "version: 1\n‸\tdrill: x\n",
            "not YAML: while scanning a plain scalar: found a tab character that violates indentation", hint: "indent with blanks, not tabs"
        ),
        BadInput(
            "tab at the start", replace: "", with: "‸\ta: b\n",
            "not YAML: while scanning for the next token: found character that cannot start any token",
            hint: "indent with blanks, not tabs, and quote a value that begins with @, % or `"),
        BadInput(
            "colon in a value", replace: "", with: "a: select x‸: y\n", "not YAML: mapping values are not allowed in this context",
            hint: "check the indentation, and quote a value that holds \": \""),
        BadInput(
            "unquoted >", replace: "", with: "expect: > ‸0\n",
            "not YAML: while scanning a block scalar: did not find expected comment or line break",
            hint: "quote a value that begins with > or |, as in expect: \"> 0\""),
        BadInput(
            "unquoted glob", replace: "", with: "match: *‸.dump\n",
            "not YAML: while scanning an alias: did not find expected alphabetic or numeric character",
            hint: "quote a value that begins with *"),
        BadInput(
            "undefined alias", replace: "", with: "match: ‸*dump\n", "not YAML: found undefined alias",
            hint: "quote a value that begins with *, or define the anchor above it"),
        BadInput(
            "open quote", replace: "", with: "a: \"x\n‸", "not YAML: while scanning a quoted scalar: found unexpected end of stream",
            hint: "close the quotes"),
        BadInput(
            "open bracket", replace: "", with: "a: [x\n‸", "not YAML: while parsing a flow sequence: did not find expected ',' or ']'",
            hint: "close the bracket or brace"),
        BadInput(
            "control character", replace: "", with: "a: b\nc: ‸\u{7}\n", "not YAML: control characters are not allowed",
            hint: "remove the control character"),
        BadInput(
            "two documents", replace: "", with: "version: 1\n---\n‸version: 1\n", "a second document begins here",
            hint: "one file holds one drill or one estate: move it to a file of its own, or remove the line of three dashes"),
        BadInput(
            "a list", replace: "", with: "‸- a\n", "the file must be a mapping, not a list",
            hint: "write \"key: value\" lines, indented below it"),
        BadInput(
            "text", replace: "", with: "‸hello\n", "the file must be a mapping, not text",
            hint: "write \"key: value\" lines, indented below it"),
    ])
    func notYAML(_ input: BadInput) throws {
        let marked = try input.spoilAll()
        try fixture.write("x.yaml", marked.text)
        input.expect(fixture.estateProblems("x.yaml"), in: "x.yaml", line: marked.line, column: marked.column)
    }

    @Test(arguments: ["", "\n\n", "# only a comment\n", "---\n", "~\n"])
    func empty(_ text: String) throws {
        try fixture.write("x.yaml", text)
        let problem = Problem(
            file: "x.yaml", line: 0, column: 0, message: "is empty", hint: "docs/complete-example.md shows a drill and an estate")
        #expect(fixture.problems(["x.yaml"]) == [problem])
        #expect(fixture.estateProblems("x.yaml") == [problem])
    }

    @Test func missing() throws {
        try fixture.write("drill.yaml", Good.drill)
        let problem = { Problem(file: $0, line: 0, column: 0, message: "does not exist", hint: $1) }
        #expect(fixture.problems(["dril.yaml"]) == [problem("dril.yaml", "did you mean \"\(fixture.folder.path)/drill.yaml\"?")])
        #expect(fixture.problems(["other/x.yaml"]) == [problem("other/x.yaml", "check the path")])
        #expect(fixture.estateProblems("estat.yaml") == [problem("estat.yaml", "did you mean \"\(fixture.folder.path)/estate.yaml\"?")])
    }

    @Test func notUTF8() throws {
        try fixture.write("x.yaml", Data("version: 1\ndrill: gr".utf8) + Data([0xFC, 0xDF]) + Data("e\n".utf8))
        #expect(
            fixture.problems(["x.yaml"]) == [
                Problem(file: "x.yaml", line: 2, column: 10, message: "is not UTF-8 here", hint: "save the file as UTF-8")
            ])
        try fixture.write("y.yaml", try #require(Good.drill.data(using: .utf16)))
        #expect(fixture.problems(["y.yaml"]).map(\.message) == ["is not UTF-8 here"])
    }

    @Test func notAFileOrTooLarge() throws {
        try FileManager.default.createDirectory(at: fixture.folder.appendingPathComponent("folder.yaml"), withIntermediateDirectories: true)
        #expect(fixture.estateProblems("folder.yaml").map(\.message) == ["is not a regular file"])
        try fixture.write("big.yaml", String(repeating: "# a backup\n", count: 100_000))
        #expect(fixture.problems(["big.yaml"]).map(\.message) == ["is larger than 1 MiB"])
    }

    @Test func deepNestingAndMultiplyingAliasesAreHarmless() throws {
        try fixture.write("deep.yaml", "a: " + String(repeating: "[", count: 100_000))
        #expect(fixture.estateProblems("deep.yaml").count == 1)
        var bomb = "a0: &a0 [x, x]\n"
        for level in 1...60 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        try fixture.write("bomb.yaml", bomb)
        #expect(fixture.estateProblems("bomb.yaml").contains { $0.message == "unknown key \"a60\"" })
    }

    @Test func manyDuplicatesAreAllToldWithTheirPlaces() throws {
        try fixture.write("x.yaml", "\"colour\": 1\ncolour: 2\n\"colour\": 3\nfarbe: {a: 1, b: 2, a: 3}\ncouleur: 1\ncouleur: 2\n")
        let duplicates = fixture.estateProblems("x.yaml").filter { $0.message.hasPrefix("duplicate") }
        // `a` stands in a mapping that nobody looks into.
        #expect(
            duplicates.map { "\($0.line):\($0.column) \($0.message)" } == [
                "2:1 duplicate key \"colour\"", "3:1 duplicate key \"colour\"", "6:1 duplicate key \"couleur\"",
            ])
    }

    @Test func duplicateThatCantBeRenamedStillStopsTheFile() throws {
        try fixture.write("x.yaml", "version: 1\n\"\": 1\n\"\": 2\n")
        let problem = Problem(file: "x.yaml", line: 2, column: 1, message: "duplicate key \"\"", hint: "keep one of them")
        #expect(fixture.estateProblems("x.yaml") == [problem])
    }

    @Test func takenDrillName() throws {
        try fixture.write("a.yaml", Good.drill)
        try fixture.write("b.yaml", Good.drill)
        #expect(
            fixture.problems(["a.yaml", "b.yaml"]) == [
                Problem(
                    file: "b.yaml", line: 2, column: 8, message: "drill name \"database-corruption\" is taken by a.yaml",
                    hint: "give each drill a name of its own: its reports are filed under it")
            ])
    }

    @Test func folderWithoutADrill() throws {
        try fixture.write("empty/README.md", "")
        try fixture.write("estates/estate.yaml", Good.estate)
        let hint = "name the folder that holds your drill files, or write one: docs/first-drill.md"
        #expect(
            fixture.problems(["empty", "estates"]) == [
                Problem(file: "empty", line: 0, column: 0, message: "holds no drill: no *.yaml or *.yml file in it", hint: hint),
                Problem(file: "estates", line: 0, column: 0, message: "holds no drill: only estates in it", hint: hint),
            ])
    }

    @Test func nothingNamed() {
        #expect(
            fixture.problems([]) == [
                Problem(file: "", line: 0, column: 0, message: "no drill to run", hint: "name a drill file, or a folder that holds one")
            ])
    }

    @Test func folderWithOtherYAML() throws {
        try fixture.write("drills/drill.yaml", Good.drill.replacing("estate.yaml", with: "../estate.yaml"))
        try fixture.write("drills/compose.yaml", "services: {web: {image: x}}\n")
        try fixture.write("drills/broken.yaml", "a: [\n")
        #expect(
            fixture.problems(["drills"]).map(\.description) == [
                "drills/broken.yaml:2:1: not YAML: while parsing a flow node: did not find expected node content\nhint: close the bracket or brace",
                "drills/compose.yaml: is neither a drill nor an estate\nhint: begin it with \"version: 1\" and \"drill: NAME\", or move it to another folder",
            ])
    }

    /// A drill whose `drill:` is misspelt looks a little like an estate: it must not be passed over.
    @Test func misspeltDrillInAFolderIsNotSkipped() throws {
        try fixture.write(
            "drills/drill.yaml",
            Good.drill.replacing("estate.yaml", with: "../estate.yaml").replacing("drill: database", with: "dril: database"))
        #expect(fixture.problems(["drills"]).map(\.message) == ["unknown key \"dril\""])
    }

    @Test func estateNamedAsDrillAndDrillNamedAsEstate() throws {
        try fixture.write("drill.yaml", Good.drill)
        #expect(
            fixture.problems(["estate.yaml"]) == [
                Problem(
                    file: "estate.yaml", line: 0, column: 0, message: "is an estate, not a drill",
                    hint: "name a drill file, or the folder that holds them")
            ])
        #expect(
            fixture.estateProblems("drill.yaml") == [
                Problem(
                    file: "drill.yaml", line: 0, column: 0, message: "is a drill, not an estate",
                    hint: "name the file that its \"estate\" line names")
            ])
    }

    /// Without its estate, a drill is still judged as far as it goes, and nothing is said twice.
    @Test func problemsOfDrillAndEstateTogether() throws {
        try fixture.write("drills/estate.yaml", Good.estate.replacing("engine: redis", with: "engine: redys"))
        try fixture.write(
            "drills/drill.yaml", Good.drill.replacing("rto: 4h", with: "rto: 4").replacing("from: daily", with: "from: nothing"))
        #expect(
            fixture.problems(["drills"]).map { "\($0.file):\($0.line) \($0.message)" } == [
                "drills/drill.yaml:7 \"rto\" has no unit", "drills/estate.yaml:37 unknown engine \"redys\"",
            ])
    }

    @Test func description() {
        let error = DrillFileError(problems: [
            Problem(file: "b.yaml", line: 12, column: 5, message: "unknown key \"targts\"", hint: "did you mean \"targets\"?"),
            Problem(file: "b.yaml", line: 2, column: 5, message: "m", hint: ""),
            Problem(file: "a.yaml", line: 0, column: 0, message: "does not exist", hint: "check the path"),
        ])
        #expect(
            "\(error)" == """
                a.yaml: does not exist
                hint: check the path
                b.yaml:2:5: m
                b.yaml:12:5: unknown key "targts"
                hint: did you mean "targets"?
                """)
    }
}

extension BadInput {
    /// For files that are wrong from the start.
    fileprivate func spoilAll() throws -> (text: String, line: Int, column: Int) {
        var whole = self
        whole.replace = "·"
        return try whole.spoil("·")
    }
}
