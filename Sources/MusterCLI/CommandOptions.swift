// Which options the command at hand has, for hints that name one.

import ArgumentParser
import DrillModel
import Synchronization

enum CommandOptions {
    private static let current = Mutex<(any ParsableCommand.Type)?>(nil)

    static func use(_ command: any ParsableCommand.Type) { current.withLock { $0 = command } }

    /// Of the command that runs; before one does, of none.
    static var ofThisCommand: HintOptions {
        HintOptions(own: current.withLock { $0.map(names) } ?? [], all: all(below: Muster.self))
    }

    private static func all(below command: any ParsableCommand.Type) -> Set<String> {
        command.configuration.subcommands.reduce(names(of: command)) { $0.union(all(below: $1)) }
    }

    /// By its own help, at the beginning of a line: what a sentence mentions may be another's.
    private static func names(of command: any ParsableCommand.Type) -> Set<String> {
        Set(Muster.helpMessage(for: command).matches(of: #/(?m)^ +(?:-[a-zA-Z], )?(--[a-z][a-z-]*)/#).map { String($0.output.1) })
    }
}
