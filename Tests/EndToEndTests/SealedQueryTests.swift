// Sealed queries of a drill file, with the built program: the restored database answers as the source did, or the drill is red.

import Foundation
import ServerVersions
import Testing

/// Queries of a drill file that the source answers when it is sealed, and the restored database afterwards.
@Suite struct SealedQueryTests {
    private static let checks = """
        {sealed: {name: all sales, query: select count(*) from sales, values: plain}}, \
        {sealed: {name: goods, query: "select md5(string_agg(word, ',' ORDER BY id)) from goods"}}, \
        {sealed: {name: nothing, query: select max(id) from sales where id < 0}}, \
        {sealed: {name: in a zone, query: "select timestamptz '2026-12-01 00:00+05:30'", values: plain}}
        """
    private static let names = ["all sales", "goods", "nothing", "in a zone"]

    private func drillFile(_ test: ArchivingSource, _ backup: String, _ target: String = "", checks: String = checks) throws -> URL {
        try test.fixture.drillFile(
            "postgres", from: backup, select: "latest\(target)", more: "checks: {postgres: [\(checks)]}")
    }

    private func verdicts(_ drill: Report.Drill) -> [String] {
        Self.names.map { name in drill.cases.first { $0.name == name && $0.group == "declared" }?.verdict ?? "none" }
    }

    @Test func aMomentHoldsTheirAnswers() async throws {
        try await ArchivingSource.with(settings: ["timezone=Asia/Kolkata", "datestyle='German'"]) { test in
            try await test.baseBackup("b1")
            try await test.sell(3)
            let file = try drillFile(test, "base", ", to: sealed-moment")
            // Sealed without its queries: nothing says what would have been right.
            try await test.requireSeal()
            let environment = PostgresSource.environment([test.source.bin])
            let (without, lacking) = try await test.fixture.drill(file, environment: environment)
            let unsealed = try #require(lacking.drills.first)
            #expect(without.code == 2 && verdicts(unsealed) == Self.names.map { _ in "error" }, "\(without.text)")
            #expect(unsealed.findings.contains { $0.rule == "query-not-sealed" && $0.hint.contains("--queries") })
            try await test.requireSeal(["--wait", "3m", "--switch-wal", "--queries", file.path])
            try await test.sell(4)
            let envelope = try JSONDecoder().decode([String: JSONText].self, from: Data(contentsOf: try test.newest()))
            let payload = try #require(envelope["payload"]?.text.flatMap { Data(base64Encoded: $0) })
            let text = String(decoding: payload, as: UTF8.self)
            let hidden = try await test.source.sql("select md5(string_agg(word, ',' ORDER BY id)) from goods")
            #expect(text.contains("\"value\":\"3\"") && hidden.count == 32 && !text.contains(hidden))
            let (green, report) = try await test.fixture.drill(file, environment: environment)
            let passed = try #require(report.drills.first)
            #expect(green.code == 0 && verdicts(passed) == Self.names.map { _ in "passed" }, "\(green.text)")
            // Another answer, plain and hashed: neither is shown but what is plain.
            try await test.edit { seal in
                var postgres = try #require(seal["postgres"] as? [String: Any])
                var answers = try #require(postgres["answers"] as? [[String: Any]])
                answers[0]["value"] = "4"
                answers[1]["salt"] = "00"
                postgres["answers"] = answers
                seal["postgres"] = postgres
            }
            let (red, failed) = try await test.fixture.drill(file, environment: environment)
            let drill = try #require(failed.drills.first)
            #expect(red.code == 1 && verdicts(drill) == ["failed", "failed", "passed", "passed"], "\(red.text)")
            let told = drill.findings.filter { $0.rule == "sealed-answer-differs" }.map { "\($0.object): \($0.expected), \($0.actual)" }
            #expect(told == ["all sales: 4, 3", "goods: the sealed answer, another answer"], "\(told)")
        }
    }

    /// A dump's too, of one database and of a cluster; what fails at the source is told, and the backup is made.
    @Test func aDumpHoldsTheirAnswers() async throws {
        try await ArchivingSource.with { test in
            try await test.sell(3)
            let broken = try drillFile(
                test, "daily",
                checks: Self.checks + ", {sealed: {name: broken, query: select 1/0}}, {sealed: {name: two, query: \"values (1), (2)\"}}")
            let sealed = try await test.source.seal(["--queries", broken.path], bins: [test.source.bin])
            #expect(sealed.code == 0 && sealed.text.contains("\"broken\" could not be answered: division by zero"), "\(sealed.text)")
            #expect(sealed.text.contains("\"two\" could not be answered: the query returned 2 rows of 1 columns"), "\(sealed.text)")
            let environment = PostgresSource.environment([test.source.bin])
            let (green, report) = try await test.fixture.drill(try drillFile(test, "daily"), environment: environment)
            let passed = try #require(report.drills.first)
            #expect(green.code == 0 && verdicts(passed) == Self.names.map { _ in "passed" }, "\(green.text)")
            let (lacking, _) = try await test.fixture.drill(broken, environment: environment)
            #expect(lacking.code == 2 && lacking.text.contains("query-not-sealed"), "\(lacking.text)")
            let none = try await test.source.seal(["--queries", try test.fixture.drillFile("postgres").path], bins: [test.source.bin])
            #expect(none.code == 64 && none.text.contains("names no sealed query of postgres"), "\(none.text)")
            // The same name, and another question.
            let other = Self.checks.replacing("select count(*) from sales", with: "select count(*) + 0 from sales")
            let (differs, told) = try await test.fixture.drill(try drillFile(test, "daily", checks: other), environment: environment)
            #expect(
                differs.code == 2
                    && told.drills.first?.findings.contains { $0.actual == "the answer to another query of that name" } == true)
        }
    }
}

/// A text of an envelope, whose other fields are no matter.
private struct JSONText: Decodable {
    var text: String?

    init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
}
