// `--keep-runs`: how many runs stay in the folder.

import ArgumentParser

struct KeepRunsOption: ParsableArguments {
    @Option(
        name: .customLong("keep-runs"),
        help: ArgumentHelp(
            "Remove the oldest runs afterwards, so that this many are left with this one. Without it all are kept.", valueName: "n"))
    var count: Int?

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--keep-runs wants a number above 0") }
    }
}
