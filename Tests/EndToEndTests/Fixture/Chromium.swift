// A real browser that opens a page: what it says of it, and pictures of it.

import Foundation
import Testing

/// Debian's Chromium, without a window. Its exit code says nothing: what counts is the file that it leaves and what it complains of.
struct Chromium: Sendable {
    static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first { FileManager.default.isExecutableFile(atPath: $0) }
    static let canRun = path != nil || Program.inCI

    /// Its profiles, and what it makes.
    let folder: URL

    /// The page's elements after it was loaded.
    func elements(of page: URL) async throws -> String { try await open(page, ["--dump-dom"]).out }

    func screenshot(of page: URL, name: String, width: Int, height: Int, isDark: Bool = false) async throws -> Data {
        let dark = isDark ? ["--blink-settings=preferredColorScheme=0"] : []
        return try await make(name, of: page, dark + ["--hide-scrollbars", "--window-size=\(width),\(height)"]) { "--screenshot=\($0)" }
    }

    func print(_ page: URL, name: String) async throws -> Data {
        try await make(name, of: page, ["--no-pdf-header-footer"]) { "--print-to-pdf=\($0)" }
    }

    private func make(_ name: String, of page: URL, _ words: [String], _ target: (String) -> String) async throws -> Data {
        let file = folder.appendingPathComponent(name)
        try? FileManager.default.removeItem(at: file)
        let outcome = try await open(page, words + [target(file.path)])
        return try #require(try? Data(contentsOf: file), "\(outcome.text)")
    }

    private func open(_ page: URL, _ words: [String]) async throws -> Outcome {
        let chromium = try #require(Self.path, "chromium is missing: scripts/setup-tests installs it")
        let profile = folder.appendingPathComponent("profile-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(at: profile) }
        // Whatever it wants to fetch goes to a proxy that isn't there, and what the page complains of goes to stderr.
        let own = [
            // Neither root nor a container gives it its sandbox, and it opens nothing but our own page.
            "--headless", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--user-data-dir=\(profile.path)",
            "--proxy-server=127.0.0.1:9", "--enable-logging=stderr",
            "--log-net-log=\(profile.path).net.json", "--disable-background-networking", "--disable-component-update", "--no-first-run",
            "--force-device-scale-factor=1",
        ]
        let outcome = try await Program.run(
            [chromium] + own + words + [page.absoluteString], environment: ["HOME": folder.path], patience: .seconds(180))
        let complaints = outcome.err.split(separator: "\n").filter { $0.contains(":CONSOLE:") }
        #expect(complaints == [])
        let log = URL(fileURLWithPath: profile.path + ".net.json")
        defer { try? FileManager.default.removeItem(at: log) }
        let fetched = String(decoding: try Data(contentsOf: log), as: UTF8.self).matches(of: /"url":"https?:\/\/([^"\/]+)/).map { $0.1 }
        // Chromium calls home by itself: what it fetches for the page, the page names.
        let text = try String(contentsOf: page, encoding: .utf8)
        let foreign = fetched.filter { text.contains($0) }
        #expect(foreign == [])
        return outcome
    }
}
