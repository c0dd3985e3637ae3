// The argument that commands share which ask about one estate.

import ArgumentParser
import DrillFiles
import DrillModel

/// The estate that is meant: the one that is named, or else the one that is found.
struct EstateArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The estate file. Without it, estate.yaml is looked for in drills, in muster below $XDG_CONFIG_HOME (~/.config), and in "
                + "/etc/muster.", valueName: "estate.yaml"), completion: .file())
    var file: String?

    func load() throws -> (estate: Estate, path: String) { try EstatePlaces().estate(file, tell: Console.complain) }
}
