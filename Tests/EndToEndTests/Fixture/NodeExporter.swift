// Prometheus' node_exporter, which reads a folder of metrics files.

import Foundation
import Testing

struct NodeExporter: Sendable {
    static let path = ["/opt/muster-test", FileManager.default.currentDirectoryPath + "/.build/muster-test"]
        .map { $0 + "/node-exporter/bin/prometheus-node-exporter" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    var path: String
    /// Where it looks for `*.prom`.
    var folder: URL

    /// What it shows of the files' folder.
    func metrics(in place: URL) async throws -> String {
        let log = place.appendingPathComponent("node-exporter.log")
        // It takes a free port, and its log says which.
        let words = [
            "--collector.disable-defaults", "--collector.textfile", "--collector.textfile.directory=\(folder.path)",
            "--web.listen-address=127.0.0.1:0", "--web.disable-exporter-metrics",
        ]
        let running = try Program.start(["sh", "-c", "exec \"$@\" 2>'\(log.path)'", "sh", path] + words, folder: place)
        do {
            let address = try await listening(log)
            let answer = try await Program.require(["curl", "-sS", "--noproxy", "*", "http://\(address)/metrics"])
            running.send(SIGKILL)
            _ = await running.outcome()
            return answer.out
        } catch {
            running.send(SIGKILL)
            _ = await running.outcome()
            throw error
        }
    }

    private func listening(_ log: URL) async throws -> String {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
            if let match = text.firstMatch(of: /Listening on" address=(127\.0\.0\.1:[1-9][0-9]*)/) { return String(match.1) }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw CocoaError(.fileReadUnknown, userInfo: [NSLocalizedDescriptionKey: "node_exporter never listened"])
    }
}
