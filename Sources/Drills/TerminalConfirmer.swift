// Asks whoever sits at the terminal whether a manual step is done.

public import DrillEngine
public import DrillModel
import Foundation
import Glibc
import Reports
import ScratchHost

/// Reads a name from standard input. Only for a run on a terminal.
public struct TerminalConfirmer: ManualConfirmer {
    /// Takes the question, which no line break ends.
    private let write: @Sendable (String) -> Void

    public init(write: @escaping @Sendable (String) -> Void) { self.write = write }

    public static var isPossible: Bool { isatty(STDIN_FILENO) == 1 }

    public func confirm(_ manual: ManualStep) async throws -> Confirmation? {
        // The console draws in its own time: let it finish, so that it doesn't write over the question.
        try await Task.sleep(for: .milliseconds(150))
        let own = Self.user
        // A key that was pressed before the question confirms nothing.
        tcflush(STDIN_FILENO, TCIFLUSH)
        write("\n? \(manual.step.rawValue): \(manual.name), allowed \(Readable.duration(manual.allowance)). Done by [\(own)]: ")
        guard let line = try await Self.line() else { return nil }
        let typed = String(line.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(100).map(Character.init))
        let name = typed.trimmingCharacters(in: .whitespaces)
        return Confirmation(name: name.isEmpty ? own : name, time: Date())
    }

    private static var user: String {
        let environment = ProcessInfo.processInfo.environment
        return environment["USER"] ?? environment["LOGNAME"] ?? ScratchHost.callerName
    }

    /// One line; nil at the end of the input. Looks, rather than waits, so that Ctrl-C ends it.
    private static func line() async throws -> String? {
        var bytes: [UInt8] = []
        while true {
            try Task.checkCancellation()
            var state = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&state, 1, 0) > 0 else {
                try await Task.sleep(for: .milliseconds(50))
                continue
            }
            var byte: UInt8 = 0
            let count = read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            if count <= 0 { return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            if bytes.count < 1000 { bytes.append(byte) }
        }
    }
}
