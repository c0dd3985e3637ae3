// Small programs that are run to their end at once, such as one that says its own version.

import Foundation

extension ScratchHost {
    /// Runs a program with one word, to its end: `postgres --version`. It hears nothing, and of our environment sees what every tool sees.
    ///
    /// - Returns: What it says on standard output; nil where it can't be started.
    public static func version(of path: String, _ word: String = "--version") -> String? { said(by: path, [word]) }

    /// - Returns: What it says on standard output; nil where it can't be started.
    static func said(by path: String, _ words: [String]) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = words
        // Keys may stand in ours.
        process.environment = ToolRunner.environment([:])
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        guard (try? process.run()) != nil else { return nil }
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }
}
