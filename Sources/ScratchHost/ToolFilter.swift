// Runs a program on bytes that must not stand on a command line or on a disk.

import Foundation
import Subprocess

extension ToolRunner {
    /// Gives the bytes to the program's standard input and takes its standard output, 1 MiB at the most.
    ///
    /// - Throws: ``ScratchError`` where the program isn't there or can't be started. A non-zero exit is a normal result.
    public static func filter(_ command: [String], environment: [String: String], input: [UInt8]) async throws -> ToolResult {
        let configuration = try configuration(command, environment: self.environment(environment), workingFolder: nil)
        do {
            let result = try await run(configuration, input: .array(input), output: .bytes(limit: 1 << 20), error: .discarded)
            return ToolResult(result.terminationStatus, output: String(decoding: result.standardOutput, as: UTF8.self))
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw missing(command[0])
        }
    }
}
