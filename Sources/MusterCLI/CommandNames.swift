// Refuses commands that aren't there, also where only help about them is asked for.

import ArgumentParser
import DrillFiles
import DrillModel

/// The argument parser answers `help nosuch` and `nosuch --help` with the help of what it knows, and with 0.
enum CommandNames {
    static func check(_ words: some Collection<String>, in root: any ParsableCommand.Type) throws(CommandFailure) {
        let isHelp = words.first == "help"
        var command = root
        var path: [String] = []
        for word in isHelp ? words.dropFirst() : words[...] {
            guard !word.hasPrefix("-") else { return }
            let known = command.configuration.subcommands
            // What follows a command is its own argument.
            if known.isEmpty, !isHelp { return }
            path.append(word)
            guard let next = known.first(where: { $0._commandName == word }) else {
                // It is an argument of the one that need not be named.
                if command.configuration.defaultSubcommand != nil, !isHelp { return }
                let parent = path.dropLast().joined(separator: " ")
                let names = known.map { $0._commandName }
                throw CommandFailure(
                    .usage, "there is no command \"\(path.joined(separator: " "))\"",
                    hint: known.isEmpty
                        ? "muster \(parent) --help shows what it takes" : DrillFiles.nearest(word, among: names, called: "commands"))
            }
            command = next
        }
    }
}
