// `muster attach`: psql or redis-cli on a server that a run with --keep left.

import ArgumentParser
import Cleanup
import Drills
import Foundation
import ScratchHost

struct AttachCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Look into a server that a run with --keep left: psql or redis-cli on it.",
        discussion: """
            Starts it again inside the quarantine, with Muster's own configuration, opens psql or redis-cli on it as the quarantine's \
            user, and ends it afterwards. What is typed, piped or given after -- goes to that program, and its end is this command's end.
            """)

    @Argument(help: ArgumentHelp("The run as muster clean --kept lists it (a beginning or end will do), or its folder.", valueName: "run"))
    var kept: String

    @Option(help: ArgumentHelp("Which of several servers.", valueName: "name"))
    var service: String?

    @Option(help: ArgumentHelp("One command of SQL or Redis, in place of standard input.", valueName: "text"))
    var command: String?

    @OptionGroup var scratch: ScratchOption

    @Argument(parsing: .postTerminator, help: ArgumentHelp("After --: more words for psql or redis-cli.", valueName: "word"))
    var words: [String] = []

    func run() async throws {
        let folders = try KeptRuns(in: scratch.root).chosen([kept]).map(\.folder)
        let attachment = try KeptServers(in: folders).chosen(service, tell: Console.complain)
        let (command, words) = (command, words)
        let code = try await SignalGuard.run {
            try await attachment.open(command: command, words: words)
        } interruptedBy: {
            !attachment.takesInterrupts
        }
        if code != 0 { throw ArgumentParser.ExitCode(code) }
    }
}
