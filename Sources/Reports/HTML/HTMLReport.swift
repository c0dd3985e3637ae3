// report.html: the run for people, in one file that needs neither network nor script.

public import DrillModel
public import Foundation
import Mustache

/// Renders `report.html`. What it says is decided in the view structs; the templates only arrange it.
public struct HTMLReport {
    /// Mail and ticket systems take no more.
    static let largest = 8_000_000

    public static func render(_ report: RunReport) throws -> Data {
        Data(try render(report, largest: largest).utf8)
    }

    static func render(_ report: RunReport, largest: Int) throws -> String {
        try HTMLPage(HTMLPage.templates, main: "report").fitting(HTMLLimits.all, largest: largest) { RunView(report, $0) }
    }
}

/// How much of a run is listed in full. What is left out is counted, and `report.json` has all of it.
struct HTMLLimits {
    /// Of a drill.
    var findings: Int
    /// Of one group of one service: as many that aren't passed, and as many that are.
    var cases: Int
    /// Of one finding.
    var diffLines: Int
    /// Bytes of one text.
    var text: Int

    static let all = [
        HTMLLimits(findings: 200, cases: 200, diffLines: 200, text: 2_000), HTMLLimits(findings: 50, cases: 50, diffLines: 60, text: 500),
        HTMLLimits(findings: 10, cases: 5, diffLines: 20, text: 200),
    ]
}

/// The templates, which are part of the program: an installed one has no files beside it.
struct HTMLPage {
    private let library: MustacheLibrary
    private let main: String

    /// Those of a run's page.
    static let templates = [
        "report": PackageResources.report_mustache, "drill": PackageResources.drill_mustache, "finding": PackageResources.finding_mustache,
        "checks": PackageResources.checks_mustache, "timeline": PackageResources.timeline_mustache, "style": PackageResources.style_css,
    ]

    /// - Parameter main: The template that the page begins with.
    /// - Throws: Where a template is no Mustache, with the line.
    init(_ templates: [String: [UInt8]], main: String) throws {
        library = MustacheLibrary(
            templates: try templates.mapValues { try MustacheTemplate(string: String(decoding: $0, as: UTF8.self)) })
        self.main = main
    }

    func render(_ view: Any) throws -> String {
        guard let document = library.render(view, withTemplate: main) else {
            throw CocoaError(.fileNoSuchFile, userInfo: [NSLocalizedDescriptionKey: "the program holds no template \(main)"])
        }
        return document
    }

    /// The page under the first limits that keep it small enough, or under the last.
    func fitting<Limits>(_ all: [Limits], largest: Int, _ view: (Limits) -> Any) throws -> String {
        var document = ""
        for limits in all {
            document = try render(view(limits))
            if document.utf8.count <= largest { break }
        }
        return document
    }
}
