// packaging/systemd holds what the pipelines' templates say for an installed package; with `MUSTER_UPDATE_GOLDEN`, made anew.

import Foundation
import Testing

@testable import Setup

@Suite struct PackagedUnitTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("packaging/systemd")

    /// What is there instead of an estate: commands find the one in /etc/muster by themselves.
    private struct View {
        let isPackaged = true
        let isMailed = true
        let checkout = "/var/lib/muster"
        /// Whoever installs them puts a path there.
        let program = "@bindir@/muster"
        let job: PipelineJob
    }

    @Test func theUnitsAreTheTemplates() throws {
        let environment = ProcessInfo.processInfo.environment
        let updates = environment["MUSTER_UPDATE_GOLDEN"] == "1" && environment["CI"] == nil
        let files = Pipeline.of(.systemd).files
        #expect(files.count == 4)
        for file in files {
            let name = try #require(file.job)
            let job = PipelineJob(name, words: name == .drill ? "run" : "inspect")
            let text = try file.render(View(job: job))
            #expect(!text.contains("<%") && !text.contains(" of \n"), "\(file.name)")
            let held = Self.folder.appendingPathComponent(file.name)
            if updates { try Data(text.utf8).write(to: held) }
            #expect(try String(contentsOf: held, encoding: .utf8) == text, "packaging/systemd/\(file.name) is stale")
        }
    }
}
