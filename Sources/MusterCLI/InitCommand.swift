// `muster init`: the first files. Which ones is a subcommand's matter; that of backups need not be named.

import ArgumentParser

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write the first files: an estate and drills for backups, and pipelines that run them.",
        discussion: "muster init FOLDER is muster init backups FOLDER.",
        subcommands: [InitBackupsCommand.self, InitPipelineCommand.self], defaultSubcommand: InitBackupsCommand.self)
}
