// The probes that the application itself answers: HTTP, a listening port, a command beside it.

public import DrillModel
import Foundation
import ScratchHost

/// Asks a running application.
public struct ProcessProbes: Sendable {
    /// How long one answer may take.
    static let patience = Duration.seconds(5)
    /// More of a body is not read.
    static let mostBody = 1 << 20

    let application: ScratchApplication
    /// The environment of a command: what the application itself was given.
    let environment: [String: String]
    /// Fills in a command's places.
    let fill: @Sendable ([Template]) throws -> [String]

    public init(
        _ application: ScratchApplication, environment: [String: String], fill: @escaping @Sendable ([Template]) throws -> [String]
    ) {
        self.application = application
        self.environment = environment
        self.fill = fill
    }

    /// - Throws: ``DrillFailure`` (error) where a tool is missing, `CancellationError`.
    public func http(path: String, status: Int, body: String?, port: Int?) async throws -> ProbeAnswer {
        let answer = application.places.folder.appendingPathComponent("answer")
        defer { try? FileManager.default.removeItem(at: answer) }
        var command = [
            // First, so that no .curlrc is read.
            "curl", "-q", "--silent", "--globoff", "--noproxy", "*", "--max-time", String(Self.patience.components.seconds), "--output",
            answer.path, "--write-out", "%{http_code}",
        ]
        if port == nil { command += ["--unix-socket", application.places.socket.path] }
        command.append("http://\(port.map { "127.0.0.1:\($0)" } ?? "localhost")\(path)")
        let result = try await run(command, environment: [:], inNetwork: port != nil)
        guard let result else { return .fails(expected: "status \(status)", actual: "no answer in time") }
        guard result.succeeded, let actual = Int(result.output) else {
            return .fails(expected: "status \(status)", actual: Self.silence(result.exitCode))
        }
        guard actual == status else { return .fails(expected: "status \(status)", actual: "status \(actual)") }
        guard let body else { return .holds }
        // Whatever it says may be somebody's data: only whether it matches is told.
        let expected = "a body that matches \(body)"
        let bytes = UnlinkedFile.data(answer)?.prefix(Self.mostBody) ?? Data()
        guard let pattern = try? Regex(body), String(decoding: bytes, as: UTF8.self).firstMatch(of: pattern) != nil else {
            return .fails(expected: expected, actual: "status \(actual), and a body of \(bytes.count) bytes that doesn't match")
        }
        return .holds
    }

    public func tcp(port: Int) -> ProbeAnswer {
        guard let ports = NetworkView.listeningPorts(of: application.process.keeper) else {
            return .unasked(
                Finding(
                    .applicationNetworkMissing, object: application.application.name,
                    message: "/proc doesn't tell which ports it listens on",
                    hint: "mount /proc in this container"))
        }
        return ports.contains(port) ? .holds : .fails(expected: "a listening port \(port)", actual: "none")
    }

    public func command(_ run: [Template], expectExit: Int) async throws -> ProbeAnswer {
        let words = try fill(run)
        guard let program = words.first, let path = application.host.locate(program) else {
            throw DrillFailure.error(
                Finding(
                    .applicationToolMissing, object: words.first ?? "", message: "a health probe's program is not on this machine",
                    hint: "install it, or put its folder on PATH"))
        }
        let result = try await self.run(
            [path] + words.dropFirst(), environment: environment, inNetwork: application.application.usesTCP, patience: .seconds(10))
        guard let result else { return .fails(expected: "exit \(expectExit)", actual: "no end within 10 s") }
        return result.exitCode == Int32(expectExit) ? .holds : .fails(expected: "exit \(expectExit)", actual: result.ending)
    }

    /// - Returns: nil where it took too long.
    private func run(
        _ command: [String], environment: [String: String], inNetwork: Bool, patience: Duration = ProcessProbes.patience + .seconds(2)
    ) async throws -> ToolResult? {
        let (application, folder) = (application, application.places.files)
        do {
            return try await TimeLimit.run(patience) {
                try await application.host.run(
                    command, environment: environment, workingFolder: folder, inNetworkOf: inNetwork ? application.process : nil,
                    reaching: application.places.reachable)
            }
        } catch let error as ScratchError {
            throw DrillFailure.error(
                Finding(.applicationToolMissing, object: command.first ?? "", message: error.message, hint: error.hint))
        }
    }

    /// curl's own codes, in words.
    private static func silence(_ code: Int32?) -> String {
        switch code {
        case 7: "nobody listens"
        case 28: "no answer in time"
        case 52, 56: "the connection was closed without an answer"
        default: "no answer (curl ended with \(code.map(String.init) ?? "a signal"))"
        }
    }
}
