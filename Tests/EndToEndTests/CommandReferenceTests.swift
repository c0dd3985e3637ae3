// docs/command-line.md is what the built program says of itself.

import Foundation
import Testing

/// The program's own description, as swift-argument-parser dumps it.
private struct Description: Decodable {
    struct Command: Decodable {
        var commandName: String
        var abstract: String?
        var discussion: String?
        var arguments: [Argument]?
        var subcommands: [Command]?
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
        }
        var kind: String
        var abstract: String?
        var valueName: String?
        var names: [Name]?
        var defaultValue: String?
        var allValues: [String]?
        var isOptional: Bool
        var isRepeating: Bool
        var shouldDisplay: Bool
    }

    var command: Command
}

/// One Markdown page of all commands.
private struct CommandReference {
    private var lines: [String] = []

    static func of(_ root: Description.Command) -> String {
        var reference = CommandReference()
        reference.lines += [
            "# Command line", "",
            "Every command with its options, as the program itself describes them: `scripts/command-reference` writes this page and the",
            "man page anew, and a test holds both against the program.", "",
            "`make install` brings the program, its man page, and completions for bash, zsh and fish.", "",
        ]
        reference.add(root, path: [])
        return reference.lines.joined(separator: "\n") + "\n"
    }

    private mutating func add(_ command: Description.Command, path: [String]) {
        let path = path + [command.commandName]
        // Each has its own --help and --version; saying so once is enough.
        let arguments = (command.arguments ?? []).filter { argument in
            argument.shouldDisplay && (path.count == 1 || !["help", "version"].contains(argument.names?.last?.name))
        }
        let commands = (command.subcommands ?? []).filter { $0.commandName != "help" }
        lines += ["\(String(repeating: "#", count: min(path.count + 1, 4))) \(path.joined(separator: " "))", ""]
        if let abstract = command.abstract { lines += [Self.escaped(abstract), ""] }
        if let discussion = command.discussion { lines += [Self.escaped(discussion), ""] }
        let words = arguments.filter { $0.kind == "positional" }.map { argument in
            let word = "<\(argument.valueName ?? "value")>" + (argument.isRepeating ? "…" : "")
            return argument.isOptional ? "[\(word)]" : word
        }
        let usage = path + (arguments.count > words.count ? ["[options]"] : []) + words + (commands.isEmpty ? [] : ["<command>"])
        lines += ["```", usage.joined(separator: " "), "```", ""]
        if !arguments.isEmpty {
            lines += ["| | Default | Meaning |", "|---|---|---|"] + arguments.map(Self.row) + [""]
        }
        for command in commands { add(command, path: path) }
    }

    private static func row(_ argument: Description.Argument) -> String {
        let names = (argument.names ?? []).sorted { $0.name.count < $1.name.count }.map { ($0.kind == "short" ? "-" : "--") + $0.name }
        let value = argument.kind == "flag" ? "" : "<\(argument.valueName ?? "value")>"
        let title = [names.joined(separator: ", "), value].filter { !$0.isEmpty }.joined(separator: " ")
        let repeated = argument.isRepeating && argument.kind == "option" ? " May be given several times." : ""
        return
            "| `\(title.replacing("|", with: "\\|"))` | \(argument.defaultValue.map { "`\($0)`" } ?? "") | \(escaped(argument.abstract ?? ""))\(repeated) |"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("<", with: "&lt;").replacing("\n", with: " ").trimmingCharacters(in: .whitespaces)
    }
}

@Suite struct CommandReferenceTests {
    private static func docs(_ name: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("docs/\(name)")
    }

    private func described() async throws -> Description.Command {
        let dumped = try await Program.require([Program.muster, "--experimental-dump-help"])
        return try JSONDecoder().decode(Description.self, from: Data(dumped.out.utf8)).command
    }

    @Test func thePageIsTheProgram() async throws {
        let page = CommandReference.of(try await described())
        for command in ["run", "inspect", "seal", "sabotage", "lab create", "init", "doctor", "clean"] {
            #expect(page.contains("# muster \(command)\n"), "\(command) is missing")
        }
        let file = Self.docs("command-line.md")
        let environment = ProcessInfo.processInfo.environment
        if environment["MUSTER_UPDATE_GOLDEN"] == "1", environment["CI"] == nil { try Data(page.utf8).write(to: file) }
        #expect(try String(contentsOf: file, encoding: .utf8) == page, "docs/command-line.md is stale: run scripts/command-reference")
    }

    /// swift-argument-parser's own tool wrote it: here every sentence of the program's must stand in it.
    @Test func theManPageIsTheProgram() async throws {
        let page = try String(contentsOf: Self.docs("man/muster.1"), encoding: .utf8)
        var sentences: [String] = []
        func collect(_ command: Description.Command) {
            sentences += [command.abstract, command.discussion].compactMap { $0 }
            sentences += (command.arguments ?? []).filter(\.shouldDisplay).flatMap { argument in
                [argument.abstract].compactMap { $0 } + (argument.names ?? []).map { "Fl \($0.kind == "short" ? "" : "-")\($0.name)" }
            }
            (command.subcommands ?? []).filter { $0.commandName != "help" }.forEach(collect)
        }
        collect(try await described())
        #expect(sentences.count > 50)
        let missing = sentences.filter { !page.contains($0) && !page.contains($0.replacing("Fl ", with: "Fl h , ")) }
        #expect(missing == [], "docs/man/muster.1 is stale: run scripts/command-reference")
    }

    @Test func whatIsInstalledRunsAndCompletes() async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("installed-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        let script = Self.docs("../scripts/install").standardizedFileURL.path
        let built = URL(fileURLWithPath: Program.muster).deletingLastPathComponent().path
        _ = try await Program.require([script, built, root.path])
        let said = try await Program.require(["\(root.path)/bin/muster", "--version"])
        #expect(said.out.hasPrefix("0."))
        // It finds what it needs in libexec: without it, doctor says that a part of muster is missing.
        let doctor = try await Program.run(["\(root.path)/bin/muster", "doctor"])
        #expect(!doctor.text.contains("muster-sandbox"), "\(doctor.text)")
        let completed = try await Program.require(
            ["bash", "-c", "source \(root.path)/share/bash-completion/completions/muster && complete -p muster"])
        #expect(completed.out.contains("_muster"))
        for file in ["man/man1/muster.1", "zsh/site-functions/_muster", "fish/vendor_completions.d/muster.fish"] {
            let text = try String(contentsOf: root.appendingPathComponent("share/\(file)"), encoding: .utf8)
            #expect(text.contains("sabotage"), "\(file)")
        }
    }
}
