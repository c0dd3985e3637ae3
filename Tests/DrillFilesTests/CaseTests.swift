// Each mistake in an estate or a drill file is a folder below Cases: the files, and what must be said of them.

import Foundation
import Testing

@testable import DrillFiles

/// One folder: `estate.yaml` or `drill.yaml` or both, and `expected.txt`. A file that it lacks is that of the folder `good`; without a drill, the
/// estate alone is read.
struct FileCase: Sendable, CustomTestStringConvertible {
    var name: String

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases", isDirectory: true)
    static let all: [FileCase] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0 != "good" }.sorted().map {
            FileCase(name: $0)
        }

    var testDescription: String { name }
    var place: URL { Self.folder.appendingPathComponent(name, isDirectory: true) }

    /// Which of the two holds the mistake.
    var mistaken: String { FileManager.default.fileExists(atPath: place.appendingPathComponent("drill.yaml").path) ? "drill" : "estate" }

    /// What is said of the files, as `muster run` prints it, a mistake after the other.
    func said() throws -> String {
        let fixture = try Fixture()
        let own = Set(try FileManager.default.contentsOfDirectory(atPath: place.path)).subtracting(["expected.txt"])
        for file in own.union(["estate.yaml"]) {
            let source = own.contains(file) ? place : Self.folder.appendingPathComponent("good")
            try fixture.write(file, try Data(contentsOf: source.appendingPathComponent(file)))
        }
        let problems = own.contains("drill.yaml") ? fixture.problems(["drill.yaml"]) : fixture.estateProblems("estate.yaml")
        return problems.map { "\($0.file):\($0.line):\($0.column): \($0.message)\nhint: \($0.hint)\n" }.joined()
    }

    var expected: URL { place.appendingPathComponent("expected.txt") }
}

@Suite struct CaseTests {
    @Test func thereAreCases() { #expect(FileCase.all.count > 250) }

    /// What is good has nothing to be said of it, so that each case has its own mistake alone.
    @Test func theGoodFilesAreGood() throws {
        #expect(try FileCase(name: "good").said() == "")
    }

    @Test(arguments: FileCase.all) func isToldAtItsPlace(_ input: FileCase) throws {
        let said = try input.said()
        let environment = ProcessInfo.processInfo.environment
        if environment["MUSTER_UPDATE_GOLDEN"] == "1", environment["CI"] == nil { try Data(said.utf8).write(to: input.expected) }
        let expected = try #require(
            try? String(contentsOf: input.expected, encoding: .utf8), "no expected.txt: MUSTER_UPDATE_GOLDEN=1 writes it, to be read")
        #expect(!expected.isEmpty && said == expected)
        #expect(!said.lowercased().contains("hunter2"), "a secret is never repeated")
    }
}
