// Where a compliance report's files are put.

public import DrillModel
import Foundation

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
            let files = try all.map { (name: $0.fileName, data: try $0.render(report)) }
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for (name, data) in files { try data.write(to: folder.appendingPathComponent(name), options: .atomic) }
            return folder.appendingPathComponent(files.first?.name ?? "").relativePath
        } catch {
            throw CommandFailure(
                .unverified, "the report can't be written to \(folder.path)",
                hint: "check the path and the space there, or name another with --into")
        }
    }
}
