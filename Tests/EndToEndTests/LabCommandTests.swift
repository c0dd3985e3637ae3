// `muster lab`: it makes and removes only what is its own.

import Foundation
import Glibc
import Testing

struct LabCommandTests {
    @Test func createOnAFolderWithSomethingInIt() async throws {
        try await Fixture.with { fixture in
            let folder = fixture.folder.appendingPathComponent("full")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("mine\n".utf8).write(to: folder.appendingPathComponent("note.txt"))
            let outcome = try await fixture.run(["lab", "create", folder.path])
            #expect(outcome.code == 64 && outcome.err.contains("hint: "), "\(outcome.text)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["note.txt"])
        }
    }

    @Test func destroyRefusesWhatIsNoLab() async throws {
        try await Fixture.with { fixture in
            // The fixture's copy carries no mark: it holds a lab's files and is none.
            for folder in [fixture.lab, fixture.folder.appendingPathComponent("nowhere")] {
                for command in ["destroy", "start", "stop"] {
                    let outcome = try await fixture.run(["lab", command, folder.path])
                    #expect(outcome.code == 64 && outcome.err.contains("hint: "), "\(command): \(outcome.text)")
                }
            }
            #expect(try !fixture.artifacts(in: fixture.dumps).isEmpty)
        }
    }

    @Test func aWholeLife() async throws {
        try await Fixture.with { fixture in
            let folder = fixture.folder.appendingPathComponent("life")
            let made = try await fixture.run(["lab", "create", folder.path, "--days", "1", "--rows", "40"])
            #expect(made.code == 0, "\(made.text)")
            #expect(made.out.contains("muster run") && !made.out.contains("\u{1B}"))
            fixture.expectNothingLeft()
            let (outcome, report) = try await fixture.drill(folder.appendingPathComponent("drills"))
            #expect(outcome.code == 0, "\(report.drills.flatMap(\.findings).map { "\($0.rule) \($0.object) \($0.actual)" })")
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("drills").path)
            #expect(report.drills.count == files.count && files.count >= 4)
            // What a start leaves that was broken off, stop ends; after Ctrl-C there is nothing to end.
            for (signal, later) in [(SIGINT, 100), (SIGINT, 400), (SIGKILL, 250), (SIGKILL, 450)] {
                let starting = try fixture.start(["lab", "start", folder.path])
                try await Task.sleep(for: .milliseconds(later))
                starting.send(signal)
                let broken = await starting.outcome()
                if broken.code == 130 { #expect(ProcessList.mentioning(folder.path + "/source").isEmpty, "\(later) ms") }
                let stopped = try await fixture.run(["lab", "stop", folder.path])
                #expect(stopped.code == 0, "\(stopped.text)")
                #expect(ProcessList.mentioning(folder.path + "/source").isEmpty, "\(signal) after \(later) ms")
            }
            for round in 1...2 {
                let started = try await fixture.run(["lab", "start", folder.path])
                #expect(started.code == 0, "round \(round): \(started.text)")
            }
            #expect(!ProcessList.mentioning(folder.path + "/source").isEmpty)
            // Destroying stops what runs.
            let destroyed = try await fixture.run(["lab", "destroy", folder.path])
            #expect(destroyed.code == 0, "\(destroyed.text)")
            #expect(!FileManager.default.fileExists(atPath: folder.path))
            #expect(ProcessList.mentioning(folder.path).isEmpty)
        }
    }
}
