// What a tool of the estate's says when it fails: its last lines, fit to be shown.

import Foundation
import ScratchHost

/// The reason that a person needs, without what nobody may read.
struct ToolWords: Sendable {
    /// Values that must not be shown.
    private let secrets: [String]

    /// - Parameters:
    ///   - environment: The tool's: it may have what it logs in with from there.
    ///   - hidden: Variables that hold keys of the estate's.
    init(environment: [String: String] = ProcessInfo.processInfo.environment, hiding hidden: Set<String> = []) {
        secrets = environment.filter { name, value in
            value.count >= 4 && (hidden.contains(name) || name.uppercased().contains(/PASS|SECRET|TOKEN|KEY|CREDENTIAL|PWD$/))
        }.map(\.value).filter { !$0.hasPrefix("/") }.sorted { $0.count > $1.count }
    }

    /// The last lines of each text, on one line, the later text last.
    ///
    /// - Returns: Empty where nothing was said.
    func tail(of texts: [String]) -> String {
        let lines = texts.flatMap { text in
            text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }.suffix(3)
        }
        let said = masked(lines.joined(separator: "; "))
        let plain = String(said.unicodeScalars.map { (32..<127).contains($0.value) || $0 == "…" ? Character($0) : "?" })
        return plain.count <= 300 ? plain : "… \(plain.suffix(298))"
    }

    /// The end of a file that a tool wrote into; empty where it isn't there.
    static func end(of file: URL) -> String {
        guard let handle = try? UnlinkedFile.reader(file), let size = try? handle.seekToEnd() else { return "" }
        defer { try? handle.close() }
        try? handle.seek(toOffset: size > 4096 ? size - 4096 : 0)
        return String(decoding: (try? handle.readToEnd()).flatMap { $0 } ?? Data(), as: UTF8.self)
    }

    private func masked(_ text: String) -> String {
        var text = text
        for secret in secrets { text = text.replacing(secret, with: "…") }
        // A login inside an address, and what stands behind a name that says what it is.
        text = text.replacing(#/://[^\s/@]+@/#, with: "://…@")
        return text.replacing(#/(?i)\b([a-z_\-]*(?:pass|secret|token|key|signature|credential)[a-z_\-]*)(["']?\s*[=:]\s*)\S+/#) {
            "\($0.output.1)\($0.output.2)…"
        }
    }
}
