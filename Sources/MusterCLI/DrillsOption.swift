// The option that commands share which ask how often an estate's drills are due.

import ArgumentParser
import Foundation

/// Where else an estate's drills lie.
struct DrillsOption: ParsableArguments {
    @Option(
        name: .customLong("drills"),
        help: ArgumentHelp(
            "Look for the estate's drills in this folder too; may be given several times. Always looked into: the estate file's own folder, "
                + "and drills in it.", valueName: "folder"), completion: .directory)
    var folders: [String] = []

    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
