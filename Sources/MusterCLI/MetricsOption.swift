// `--metrics`: the file that a collector of the monitoring system reads.

import ArgumentParser
import DrillModel
import Foundation
import Reports

struct MetricsOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Also write metrics into this .prom file, such as one in node_exporter's textfile folder: those of other drills in it stay.",
            valueName: "file"), completion: .file())
    var metrics: String?

    /// Looks at the file before anything runs: after hours it would be late to say that it can't be written.
    func file() throws -> MetricsFile? {
        guard let metrics else { return nil }
        let file = MetricsFile(URL(fileURLWithPath: metrics))
        do throws(ReportError) {
            if let warning = try file.examine() { Console.complain("muster: warning: \(warning)") }
        } catch {
            throw CommandFailure(.usage, "--metrics \(error.message)", hint: error.hint)
        }
        return file
    }
}
