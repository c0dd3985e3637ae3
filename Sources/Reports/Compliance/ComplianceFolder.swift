// Where a compliance report's files are put.

public import DrillModel
import Dispatch
import Foundation
import Synchronization

extension ComplianceReport {
    /// `compliance-domainscope-2026-Q4`: each report of a period takes the place of the one before it.
    public var folderName: String { "compliance-\(estate)-\(period.label.replacingOccurrences(of: " ", with: "-"))" }
}

extension ComplianceFormat {
    /// Writes every file beside and renames it: whoever looks sees the old one or the new one.
    ///
    /// - Returns: The path of the page for people.
    /// - Throws: ``CommandFailure`` (unverified): it can't be made, or can't be written.
    public static func write(_ report: ComplianceReport, into path: String) throws(CommandFailure) -> String {
        let folder = URL(fileURLWithPath: path, isDirectory: true)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let failures = Mutex<[any Error]>([])
            // Of ten thousand runs each takes a second: side by side, and none is kept longer than until it is written.
            DispatchQueue.concurrentPerform(iterations: all.count) { index in
                do {
                    try all[index].render(report).write(to: folder.appendingPathComponent(all[index].fileName), options: .atomic)
                } catch {
                    failures.withLock { $0.append(error) }
                }
            }
            if let failure = failures.withLock({ $0.first }) { throw failure }
            return folder.appendingPathComponent(all.first?.fileName ?? "").relativePath
        } catch {
            throw CommandFailure(
                .unverified, "the report can't be written to \(folder.path)",
                hint: "check the path and the space there, or name another with --into")
        }
    }
}
