// A real web server of Python's, which keeps what it is sent and answers as its path says.

import Foundation
import Testing

/// Tests/EndToEndTests/Support/webhook-server.py, running.
final class WebhookServer: Sendable {
    struct Request: Decodable {
        var path: String
        var headers: [String: String]
        var body: String
        var time: Double
        /// Where a secret of it showed.
        var shown: [String]
    }
    let port: Int
    let folder: URL
    private let process: Process
    private let input: Pipe

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("mhook-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("EndToEndTests/Support/webhook-server.py").path
        process = Process()
        input = Pipe()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", script, folder.path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)), "the server comes up")
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    /// - Parameter plan: One answer a request, by comma; `secret` comes behind it.
    func address(_ plan: String, _ secret: String) -> String { "http://127.0.0.1:\(port)/\(plan)/\(secret)" }

    /// In the order in which they came.
    func requests() throws -> [Request] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
            .map { try JSONDecoder().decode(Request.self, from: Data(contentsOf: folder.appendingPathComponent($0))) }
            .sorted { $0.time < $1.time }
    }
}
