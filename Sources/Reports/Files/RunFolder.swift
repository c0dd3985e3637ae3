// Makes the folder of a run, or says what is in the way of it.

public import Foundation
import Glibc

/// The folder that one run's reports lie in.
public enum RunFolder {
    /// - Parameter folder: Relative where the user named it so: to the working folder, which for a scheduler is one that nobody chose.
    public static func make(_ folder: URL) throws(ReportError) {
        do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
            let here =
                folder.relativePath.hasPrefix("/")
                ? "" : ", which starts at the working folder, \(FileManager.default.currentDirectoryPath)"
            throw ReportError(
                path: folder.path, message: "the run's folder \(folder.path) can't be made\(obstacle(to: folder).map { ": \($0)" } ?? "")",
                hint: "check the path\(here), or choose another with --output, such as --output /var/lib/muster/reports")
        }
    }

    /// As far as the system says it; nil where it doesn't.
    private static func obstacle(to folder: URL) -> String? {
        var above = folder.absoluteURL.standardizedFileURL.path
        while above.count > 1, access(above, F_OK) != 0 { above = (above as NSString).deletingLastPathComponent }
        // Into what is no folder nothing can be written, whoever may write to it.
        guard access("\(above)/.", W_OK) != 0 else { return nil }
        return "\(String(cString: strerror(errno)).lowercased()) (\(above))"
    }

    /// Sorts by time, and two runs of one second differ.
    public static func name(for date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = .gmt
        formatter.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
        let tail = String(UInt16.random(in: .min ... .max), radix: 16)
        return "run-\(formatter.string(from: date))-\(String(repeating: "0", count: 4 - tail.count))\(tail)"
    }
}
