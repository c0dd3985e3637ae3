// `muster init pipeline`: the files that have a scheduler inspect each day and drill each quarter.

public import ArgumentParser
import DrillFiles
import DrillModel
import Foundation
public import Setup

struct InitPipelineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline", abstract: "Write the files that inspect each day and drill each quarter, for a scheduler.",
        discussion: """
            Run it in the root of the repository that holds the estate and, beside it, its drills. Hours are in the estate's zone; keys are \
            named, and never read. Nothing that is there already is written over.
            """)

    @Argument(help: ArgumentHelp("The scheduler: systemd, github, gitlab, jenkins, kubernetes or cron.", valueName: "kind"))
    var kind: Pipeline.Kind

    @OptionGroup var estateFile: EstateArgument

    @Option(help: ArgumentHelp("Where the files go.", valueName: "folder"), completion: .directory)
    var output = "pipelines"

    @Option(
        help: ArgumentHelp("Of systemd, cron and kubernetes: where the repository lies on the machine that drills.", valueName: "folder"),
        completion: .directory)
    var checkout = "/srv/drills"

    @Option(help: ArgumentHelp("Only drills whose name matches this regular expression, such as ^quarterly-.", valueName: "regex"))
    var filter: String?

    @Option(
        help: ArgumentHelp(
            "Of github, gitlab and jenkins: the image that the job runs in, instead of the runner's own muster. Required for kubernetes.",
            valueName: "name"))
    var image: String?

    func run() throws {
        let (estate, _) = try estateFile.load()
        let plans = try DrillFiles.load([estate.file.deletingLastPathComponent().path])
        let setup = try PipelineSetup(
            kind, estate: estate, plans: plans, output: output, checkout: checkout, filter: filter, image: image)
        let (files, next) = try setup.write()
        for file in files { Console.print("wrote \(file)") }
        for step in next { Console.print("next: \(step)") }
    }
}

extension Pipeline.Kind: ExpressibleByArgument {}
