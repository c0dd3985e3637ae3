// The examples in the docs load, and the pages of keys name every one.

import Foundation
import Testing

@testable import DrillFiles

@Suite struct DocumentationTests {
    private func page() throws -> String {
        try ["first-drill", "complete-example", "estate-file", "drill-file"].map {
            try String(contentsOf: Checkout.url("docs/\($0).md"), encoding: .utf8)
        }.joined(separator: "\n")
    }

    /// The examples of all pages that begin with `# file: path`, by path.
    private func examples() throws -> [String: String] {
        var examples: [String: String] = [:]
        let names = try ["docs", "docs/how-to"].flatMap { folder in
            try FileManager.default.contentsOfDirectory(atPath: Checkout.url(folder).path).filter { $0.hasSuffix(".md") }.map {
                "\(folder)/\($0)"
            }
        }
        let text = try names.map { try String(contentsOf: Checkout.url($0), encoding: .utf8) }.joined(separator: "\n")
        for block in text.matches(of: /(?m)^( *)```yaml\n *# file: (\S+)\n((?:.|\n)*?)^ *```$/).map(\.output) {
            let lines = block.3.split(separator: "\n", omittingEmptySubsequences: false)
            examples[String(block.2)] = lines.map { String($0.trimmingPrefix(block.1)) }.joined(separator: "\n")
        }
        return examples
    }

    @Test func examplesLoad() throws {
        let examples = try examples()
        #expect(
            examples.keys.sorted() == [
                "base-backups/estate.yaml", "base-backups/to-the-end.yaml", "cluster-dumps/cluster.yaml", "cluster-dumps/estate.yaml",
                "complete/database-corruption.yaml", "complete/estate.yaml", "complete/quarterly-corruption.yaml",
                "complete/quarterly-outage.yaml", "custom-dumps/estate.yaml", "custom-dumps/nightly.yaml", "docker-volumes/estate.yaml",
                "docker-volumes/nightly.yaml", "encrypted-dumps/estate.yaml", "encrypted-dumps/nightly.yaml", "failover/estate.yaml",
                "failover/failover.yaml", "five/estate.yaml", "five/nightly.yaml", "folder-per-day/estate.yaml",
                "folder-per-day/nightly.yaml", "pgbackrest/before-the-mistake.yaml", "pgbackrest/estate.yaml", "pgbackrest/to-the-end.yaml",
                "plain-dumps/estate.yaml", "plain-dumps/nightly.yaml", "redis/append-only.yaml", "redis/estate.yaml", "redis/snapshot.yaml",
                "s3/backup-host.yaml", "s3/estate.yaml", "s3/nightly-from-s3.yaml",
            ])
        let fixture = try Fixture()
        for (path, text) in examples { try fixture.write(path, text) }
        // Each page's by themselves: some have a drill of the same name.
        for folder in Set(examples.keys.map { String($0.prefix { $0 != "/" }) }).sorted() { #expect(fixture.problems([folder]) == []) }
    }

    @Test(arguments: [("complete/estate.yaml", Section.ofEstates), ("complete/database-corruption.yaml", Section.ofDrills)])
    func completePairIsComplete(path: String, sections: [Section]) throws {
        let text = try #require(try examples()[path])
        for key in sections.flatMap(\.keys) {
            let shows = try Regex("(?m)(^|[{, ])\(key):")
            #expect(text.contains(shows), "\(path) shows \(key)")
        }
    }

    @Test func pageNamesEveryKey() throws {
        let rows = try page().split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap { $0.split(separator: "|").first }
        let named = Set(rows.flatMap { $0.matches(of: /`([a-z-]+)`/).map { String($0.output.1) } })
        #expect(named == Set((Section.ofEstates + Section.ofDrills).flatMap(\.keys)))
    }
}
