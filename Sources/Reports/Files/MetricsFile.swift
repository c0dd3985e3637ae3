// The metrics file that a collector reads: each run replaces its own drills in it, and knows from it when they were green last.

import DrillModel
public import Foundation

/// A `.prom` file in a collector's folder, which outlives the runs.
public struct MetricsFile: Sendable {
    /// What an older run left there.
    public struct Content: Sendable {
        let samples: [MetricSample]

        static let nothing = Content(samples: [])
    }

    public let url: URL

    public init(_ url: URL) {
        self.url = url
    }

    /// Asks before a run what would be found out only after it.
    ///
    /// - Returns: What a person must be told: the file is damaged, and nothing of it will be believed.
    /// - Throws: ``ReportError`` where no collector would read it, where its folder can't be written, and where it is somebody else's.
    public func examine(now: Date = Date()) throws(ReportError) -> String? {
        guard url.pathExtension == "prom" else {
            throw ReportError(
                path: url.path, message: "\(url.path) doesn't end in .prom", hint: "node_exporter reads no other file: name it so")
        }
        let folder = url.deletingLastPathComponent().path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue,
            FileManager.default.isWritableFile(atPath: folder)
        else {
            throw ReportError(
                path: url.path, message: "\(folder) is no folder that can be written",
                hint: "name a file in the folder that node_exporter is given by --collector.textfile.directory")
        }
        do throws(Damage) {
            _ = try content(now: now)
            return nil
        } catch {
            guard case .line(let number) = error else { throw stranger }
            return
                "\(url.path) is damaged in line \(number): nothing of it is believed, so the drills have no last success until they pass again"
        }
    }

    /// A recorder that writes the file when the run has ended.
    public func recorder() -> FinalReport {
        FinalReport(file: url) { report in
            let older: Content
            do throws(Damage) {
                older = try content(now: Date())
            } catch {
                guard case .line = error else { throw stranger }
                older = .nothing
            }
            return MetricsReport.render(report, after: older)
        }
    }

    private var stranger: ReportError {
        ReportError(
            path: url.path, message: "\(url.path) is no metrics file of muster's, and stays as it is", hint: "name a file of its own")
    }

    /// Why a file is not believed.
    private enum Damage: Error {
        case stranger
        case line(Int)
    }

    /// All of it or nothing: what isn't word for word as Muster writes it has passed through other hands.
    private func content(now: Date) throws(Damage) -> Content {
        guard FileManager.default.fileExists(atPath: url.path) else { return .nothing }
        guard let data = try? Data(contentsOf: url) else { throw .stranger }
        let text = String(decoding: data, as: UTF8.self)
        guard !text.isEmpty else { throw .line(1) }
        guard text.hasPrefix("# TYPE muster_") || text == "# EOF\n" else { throw .stranger }
        var samples: [MetricSample] = []
        for (index, line) in text.split(separator: "\n").enumerated() where !line.hasPrefix("#") {
            guard let sample = MetricSample(String(line)), sample.isPlausible(now: now) else { throw .line(index + 1) }
            samples.append(sample)
        }
        guard MetricsReport.text(of: samples) == text else {
            // Headings, order or end differ: the first line that does.
            let lines = zip(MetricsReport.text(of: samples).split(separator: "\n"), text.split(separator: "\n")).prefix { $0 == $1 }
            throw .line(lines.count + 1)
        }
        return Content(samples: samples)
    }
}

extension MetricSample {
    /// Reads a line back.
    init?(_ line: String) {
        guard let match = line.wholeMatch(of: /([a-z_]+)\{((?:[a-z]+="(?:[^"\\]|\\["\\])*",?)+)\} (-?[0-9]+(?:\.[0-9]+)?)/),
            let family = MetricFamily(rawValue: String(match.1))
        else { return nil }
        self.family = family
        labels = match.2.matches(of: /([a-z]+)="((?:[^"\\]|\\["\\])*)"/).map { label in
            (name: String(label.1), value: String(label.2.replacing(/\\(["\\])/) { String($0.1) }))
        }
        value = String(match.3)
    }

    /// What was green in a time to come was never green: a clock went backwards, or the file was written by hand.
    func isPlausible(now: Date) -> Bool {
        guard family == .lastRun || family == .lastSuccess, let moment = Double(value) else { return Double(value) != nil }
        return moment > 0 && moment <= now.timeIntervalSince1970 + 60
    }
}
