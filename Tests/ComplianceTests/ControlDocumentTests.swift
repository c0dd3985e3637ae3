// docs/compliance-controls.md says what the catalogue says.

import Foundation
import Reports
import Testing

@testable import Compliance

struct ControlDocumentTests {
    /// From the first framework's heading on. `MUSTER_UPDATE_GOLDEN=1` writes it.
    @Test func theDocumentIsTheCatalogues() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/compliance-controls.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let start = try #require(text.range(of: "\n## ")?.lowerBound)
        let environment = ProcessInfo.processInfo.environment
        if environment["MUSTER_UPDATE_GOLDEN"] == "1", environment["CI"] == nil {
            try Data((text[..<start] + "\n" + Self.tables).utf8).write(to: file)
            return
        }
        let (was, now) = (text[start...].dropFirst().split(separator: "\n"), Self.tables.split(separator: "\n"))
        let differing = zip(was, now).first { $0 != $1 }
        #expect(differing == nil && was.count == now.count, "MUSTER_UPDATE_GOLDEN=1 writes it anew: read what it wrote")
        #expect(text.contains("Muster supports evidence, and certifies nothing"))
    }

    static var tables: String {
        var text = ""
        var framework = ""
        for clause in ControlCatalogue.all {
            if clause.framework != framework {
                framework = clause.framework
                text +=
                    (text.isEmpty ? "" : "\n") + "## \(framework)\n\n| clause | asks for | evidence | doesn't show |\n|---|---|---|---|\n"
            }
            let fields = clause.supports.map { "`\($0.field)`" }.joined(separator: ", ")
            text += "| \(clause.clause) | \(clause.asks) | \(fields) | \(clause.doesNotShow.joined(separator: "; ")) |\n"
        }
        text += "\n## The fields\n\n| field | shows |\n|---|---|\n"
        let fields = Dictionary(ControlCatalogue.all.flatMap(\.supports).map { ($0.field, $0.words) }, uniquingKeysWith: { $1 })
        for (field, words) in fields.sorted(by: { $0.key < $1.key }) { text += "| `\(field)` | \(words) |\n" }
        return text
    }
}
