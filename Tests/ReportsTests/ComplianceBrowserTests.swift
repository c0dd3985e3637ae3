// compliance.html in a real browser: it complains of nothing, fits a phone, and prints with its verdict and its pages' numbers.

import Foundation
import Testing

@testable import Reports

/// Debian's Chromium, without a window. Its exit code says nothing: what counts is what it leaves and what it complains of.
private struct Browser {
    static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first { FileManager.default.isExecutableFile(atPath: $0) }
    static let canRun = path != nil || ProcessInfo.processInfo.environment["CI"] != nil
    let folder: URL

    @discardableResult func open(_ page: URL, _ words: [String]) throws -> String {
        let path = try #require(Self.path, "chromium is missing: scripts/setup-tests installs it")
        let profile = folder.appending(path: "profile-\(UUID().uuidString)")
        let (out, err) = (folder.appending(path: "out"), folder.appending(path: "err"))
        for file in [out, err] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = URL(filePath: path)
        // Neither root nor a container gives it its sandbox, and it opens nothing but our own page.
        process.arguments =
            [
                "--headless", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--user-data-dir=\(profile.path)",
                "--proxy-server=127.0.0.1:9", "--enable-logging=stderr", "--disable-background-networking", "--disable-component-update",
                "--no-first-run", "--force-device-scale-factor=1",
            ] + words + [page.absoluteString]
        process.environment = ProcessInfo.processInfo.environment.merging(["HOME": folder.path]) { $1 }
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        try process.run()
        process.waitUntilExit()
        let complaints = try String(contentsOf: err, encoding: .utf8).split(separator: "\n").filter { $0.contains(":CONSOLE:") }
        #expect(complaints == [])
        return try String(contentsOf: out, encoding: .utf8)
    }
}

@Suite(.enabled(if: Browser.canRun, "scripts/setup-tests installs chromium"), .serialized)
struct ComplianceBrowserTests {
    private static let samples = [
        ("quarter", ComplianceSample.quarter), ("year", ComplianceSample.year), ("green", ComplianceSample.green),
        ("empty", ComplianceSample.empty), ("long", ComplianceSample.quarter { String(repeating: $0.replacing(" ", with: ""), count: 40) }),
    ]

    /// `MUSTER_REPORTS_KEEP` names a folder for the pages, to be looked at.
    @Test func itFitsAPhoneAndComplainsOfNothing() async throws {
        try await withFolder { folder in
            let browser = Browser(folder: folder)
            for (name, report) in Self.samples {
                let html = String(decoding: try ComplianceHTML.render(report), as: UTF8.self)
                if let kept = ProcessInfo.processInfo.environment["MUSTER_REPORTS_KEEP"] {
                    for format in ComplianceFormat.all {
                        try format.render(report).write(to: URL(filePath: kept).appending(path: "\(name).\(format.fileName)"))
                    }
                }
                // The page itself forbids scripts: only a copy without that can be measured by one.
                let meter = """
                    <script>
                    document.querySelectorAll("details").forEach(details => details.open = true);
                    const wide = [...document.querySelectorAll("main *, header *, .keys *")].filter(element =>
                      element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
                      && !element.closest(".scroll, .hidden, svg")).slice(0, 5).map(element => element.tagName + "." + element.className);
                    document.title = "width " + document.documentElement.scrollWidth + " of " + document.documentElement.clientWidth + ";" + wide;
                    </script></body>
                    """
                let copy = html.replacing(/<meta http-equiv="Content-Security-Policy"[^>]*>/, with: "").replacing("</body>", with: meter)
                let file = folder.appending(path: "\(name).html")
                try Data(copy.utf8).write(to: file)
                // No window is as narrow as a phone: a frame is.
                let frame = folder.appending(path: "\(name).frame.html")
                try Data(
                    """
                    <!doctype html><iframe src="\(name).html" style="width: 360px; height: 800px; border: 0"
                      onload="document.title = this.contentDocument.title"></iframe>
                    """.utf8
                ).write(to: frame)
                let elements = try browser.open(frame, ["--allow-file-access-from-files", "--hide-scrollbars", "--dump-dom"])
                let width = try #require(elements.firstMatch(of: /<title>width (\d+) of (\d+);([^<]*)<\/title>/))
                #expect(width.1 == width.2 && width.2 == "360" && width.3.isEmpty, "\(name): \(width.0)")

                try Data(html.utf8).write(to: file)
                let whole = try browser.open(file, ["--dump-dom"])
                #expect(whole.contains("</main>") && !whole.contains("<script"))
            }
        }
    }

    @Test func itIsDrawnLightAndDarkAndPrinted() async throws {
        try await withFolder { folder in
            let browser = Browser(folder: folder)
            let file = folder.appending(path: "year.html")
            try ComplianceHTML.render(ComplianceSample.year).write(to: file)
            var pictures: [Data] = []
            for (name, words) in [("light", []), ("dark", ["--blink-settings=preferredColorScheme=0"])] {
                let picture = folder.appending(path: "\(name).png")
                try browser.open(file, words + ["--hide-scrollbars", "--window-size=1200,2000", "--screenshot=\(picture.path)"])
                pictures.append(try Data(contentsOf: picture))
            }
            #expect(pictures.allSatisfy { $0.starts(with: [0x89, 0x50, 0x4E, 0x47]) && $0.count > 20_000 } && pictures[0] != pictures[1])

            let pdf = folder.appending(path: "year.pdf")
            try browser.open(file, ["--no-pdf-header-footer", "--print-to-pdf=\(pdf.path)"])
            #expect(try Data(contentsOf: pdf).starts(with: Data("%PDF".utf8)))
            let reader = "/usr/bin/pdftotext"
            guard FileManager.default.isExecutableFile(atPath: reader) || ProcessInfo.processInfo.environment["CI"] != nil else { return }
            let process = Process()
            process.executableURL = URL(filePath: reader)
            let text = folder.appending(path: "year.txt")
            process.arguments = ["-layout", pdf.path, text.path]
            try process.run()
            process.waitUntilExit()
            let words = try String(contentsOf: text, encoding: .utf8)
            let pages = try #require(words.firstMatch(of: /1 of (\d+)/)).1
            #expect(words.contains("FAILED") && words.contains("MISSING") && words.contains("\(pages) of \(pages)"))
            // What is folded on a screen is open on paper.
            #expect(words.contains("restore with more jobs"))
        }
    }
}
