// Programs that a test writes and runs at once.

public import Foundation

/// Writes a script that can be run at once.
///
/// By a process of its own: a file that this one has just written may still be held open by a child that another test is starting, and
/// the kernel runs no program that somebody could write to.
public func writeProgram(_ text: String, to file: URL) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"", "sh", file.path, text]
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: file.path]) }
}
