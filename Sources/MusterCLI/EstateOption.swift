// The option that commands share which read drills: another estate than the one that each drill names.

import ArgumentParser

/// Which estate drills are read against.
struct EstateOption: ParsableArguments {
    @Option(
        name: .customLong("estate"),
        help: ArgumentHelp(
            "Read the drills against this estate file, in place of the one that each names: a rehearsal estate, the lab, another region.",
            valueName: "estate.yaml"), completion: .file())
    var file: String?
}
