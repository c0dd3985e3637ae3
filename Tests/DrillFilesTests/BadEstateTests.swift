// Several mistakes in one estate file; each alone is a folder of Cases.

import Foundation
import Testing

@testable import DrillFiles

@Suite struct BadEstateTests {
    @Test func allProblemsAreToldAtOnceSortedByPlace() throws {
        let fixture = try Fixture()
        try fixture.write(
            "estate.yaml",
            Good.estate.replacing("version: 1", with: "version: 3").replacing("type: file, path: b", with: "tpye: file, path: b")
                .replacing("port: 5432", with: "port: 5432\n      port: 5433").replacing("digest: sha512", with: "digest: rot13")
                .replacing("encryption: none", with: "encryption: none\n        encryption: none"))
        #expect(
            fixture.estateProblems("estate.yaml").map { "\($0.line) \($0.message)" } == [
                "1 version 3 is not known", "5 unknown key \"tpye\" in store \"primary\"", "24 duplicate key \"port\"",
                "33 unknown digest \"rot13\"", "48 duplicate key \"encryption\"",
            ])
    }

    /// A mistake inside an anchored block is one mistake, however often it is used.
    @Test func problemOfAnAnchorIsToldOnce() throws {
        let fixture = try Fixture()
        try fixture.write(
            "estate.yaml",
            Good.estate.replacing("stores:\n", with: "stores:\n  a: &a {type: file, path: ~/x}\n  b: *a\n  c: {<<: *a}\n"))
        #expect(fixture.estateProblems("estate.yaml").map(\.message) == ["~ is not expanded in \"path\""])
    }
}
