// The docs' own rules: pages that are read to their end, one width, and an index that knows them all.

import Foundation
import Testing

@Suite struct PagesTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// By name; the docs, and what is read beside them.
    private func pages() throws -> [String: String] {
        let docs = try ["docs", "docs/how-to"].flatMap { folder in
            try FileManager.default.contentsOfDirectory(atPath: Self.root.appendingPathComponent(folder).path)
                .filter { $0.hasSuffix(".md") }.map { "\(folder)/\($0)" }
        }
        var pages: [String: String] = [:]
        for name in docs + ["README.md", "CONTRIBUTING.md", "findings/README.md", "drills/README.md"] {
            pages[name] = try String(contentsOf: Self.root.appendingPathComponent(name), encoding: .utf8)
        }
        return pages
    }

    @Test func noPageIsLong() throws {
        let pages = try pages()
        #expect(pages.count > 20)
        for (name, text) in pages { #expect(text.components(separatedBy: "\n").count <= 400, "\(name)") }
    }

    /// Tables and code are as wide as they are.
    @Test func proseHasOneWidth() throws {
        for (name, text) in try pages() where name != "docs/command-line.md" {
            var isCode = false
            for line in text.split(separator: "\n") {
                let start = line.drop { $0 == " " }
                if start.hasPrefix("```") { isCode.toggle() }
                if isCode || start.hasPrefix("|") || start.hasPrefix("```") { continue }
                #expect(line.count <= 140, "\(name): \(line)")
            }
        }
    }

    /// Whoever reads a rule in a report finds it in the docs.
    @Test func everyRuleIsExplained() throws {
        let folder = Self.root.appendingPathComponent("Sources")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        var rules = Set<String>()
        for file in files {
            let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            rules.formUnion(text.matches(of: /Rule\("([a-z0-9\-]+)"\)/).map { String($0.output.1) })
        }
        // What no report ever shows: a damage that nothing is told of.
        rules.remove("untold")
        var words = Set<String>()
        for text in try pages().values { words.formUnion(text.matches(of: /[a-z0-9][a-z0-9\-]+/).map { String($0.output) }) }
        #expect(rules.count > 250)
        #expect(rules.subtracting(words).sorted() == [])
    }

    @Test func theIndexKnowsEveryPage() throws {
        let pages = try pages()
        let index = try #require(pages["docs/README.md"])
        for name in pages.keys where name.hasPrefix("docs/") && name != "docs/README.md" {
            #expect(index.contains("](\(name.dropFirst("docs/".count)))"), "\(name)")
        }
    }

    /// A link to a page or a file of the repository leads there; one to a heading finds it.
    @Test func linksLeadSomewhere() throws {
        func anchors(_ text: String) -> Set<String> {
            Set(
                text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { heading in
                    heading.drop { $0 == "#" || $0 == " " }.lowercased().filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" }
                        .replacing(" ", with: "-")
                })
        }
        let pages = try pages()
        for (name, text) in pages {
            let folder = Self.root.appendingPathComponent(name).deletingLastPathComponent()
            for link in text.matches(of: /\]\(([^)\s]+)\)/).map(\.1) where !link.contains("://") {
                let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let file = parts[0].isEmpty ? Self.root.appendingPathComponent(name) : folder.appendingPathComponent(String(parts[0]))
                #expect(FileManager.default.fileExists(atPath: file.path), "\(name): \(link)")
                guard parts.count == 2, let target = try? String(contentsOf: file, encoding: .utf8) else { continue }
                #expect(anchors(target).contains(String(parts[1])), "\(name): \(link)")
            }
        }
    }
}

/// docs/tools.md names the code that it speaks of.
@Suite struct ToolPageTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func everyToolHasItsPlaceInTheCode() throws {
        let text = try String(contentsOf: Self.root.appendingPathComponent("docs/tools.md"), encoding: .utf8)
        var named: Set<String> = []
        // The first table: its second column.
        for row in text.split(separator: "\n").drop(while: { !$0.hasPrefix("| Tool | Where") }).dropFirst(2).prefix(while: {
            $0.hasPrefix("|")
        }) {
            let places = row.split(separator: "|")[1].matches(of: /`([A-Za-z\/]+)`/).map { String($0.1) }
            try #require(!places.isEmpty, "\(row)")
            var folder = ""
            for place in places {
                if let slash = place.lastIndex(of: "/") { folder = String(place[..<slash]) }
                let path = "Sources/\(folder)/\(place.split(separator: "/").last ?? "").swift"
                #expect(FileManager.default.fileExists(atPath: Self.root.appendingPathComponent(path).path), "\(path)")
                named.insert(path)
            }
        }
        let tools = try FileManager.default.contentsOfDirectory(atPath: Self.root.appendingPathComponent("Sources/OutsideTools").path)
        for tool in tools { #expect(named.contains("Sources/OutsideTools/\(tool)"), "docs/tools.md doesn't name \(tool)") }
    }
}
