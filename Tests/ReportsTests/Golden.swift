// Golden files: what a report looked like when a person last agreed to it.

import Foundation
import Testing

enum Golden {
    /// Compares with `Golden/NAME`. A missing file fails; `MUSTER_UPDATE_GOLDEN=1` writes it instead.
    static func expect(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let environment = ProcessInfo.processInfo.environment
        if environment["MUSTER_UPDATE_GOLDEN"] == "1", environment["CI"] == nil {
            let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
            try Data(text.utf8).write(to: folder.appending(path: name))
            return
        }
        let file = Bundle.module.bundleURL.appending(path: "Golden").appending(path: name)
        guard let data = try? Data(contentsOf: file) else {
            Issue.record(
                "there is no golden file \(name): run with MUSTER_UPDATE_GOLDEN=1 and read what it wrote", sourceLocation: sourceLocation)
            return
        }
        let expected = String(decoding: data, as: UTF8.self)
        guard expected != text else { return }
        let (old, new) = (
            expected.split(separator: "\n", omittingEmptySubsequences: false), text.split(separator: "\n", omittingEmptySubsequences: false)
        )
        let line = zip(old, new).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(old.count, new.count)
        let (was, now) = (line < old.count ? old[line] : "(end)", line < new.count ? new[line] : "(end)")
        Issue.record("\(name) differs from line \(line + 1):\n- \(was)\n+ \(now)", sourceLocation: sourceLocation)
    }
}

/// A folder for one test, removed when the test is done with it.
func withFolder<T>(_ body: (URL) async throws -> T) async throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(path: "muster-reports-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}
