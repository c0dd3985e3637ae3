// When an application is well: the probes, one kind after the other.

import DrillModel
import Foundation
import Yams

/// Reads the health of one application.
struct ProbeReader {
    /// One kind of probe: a new one is a line in ``kinds`` and a function.
    struct Kind: Sendable {
        var name: String
        var section: Section
        var read: @Sendable (Fields, ApplicationReader) -> HealthProbe?
    }

    static let kinds = [
        Kind(name: "http", section: .httpProbe, read: http),
        Kind(name: "tcp", section: .tcpProbe) { fields, _ in fields.port("port").map { .tcp(port: $0) } },
        Kind(name: "command", section: .commandProbe, read: command),
        Kind(name: "sql", section: .sqlProbe, read: sql),
    ]

    let file: SourceFile
    let application: ApplicationReader

    func health(_ entry: Entry) -> HealthPromise? {
        guard let fields = Fields(file, entry.node, .health, title: "\"health\"", place: entry.place) else { return nil }
        var promise = HealthPromise(probes: [])
        if let hold = fields.duration("hold") { promise.hold = hold }
        if let within = fields.duration("within") { promise.within = within }
        guard let probes = fields["probes"] else { return nil }
        guard case .sequence(let items) = probes.node, !items.isEmpty, !file.refusesTag(of: probes.node) else {
            fields.report(
                "probes", "\"probes\" must be a list of at least one", hint: "begin each with \"- \", as in \"- http: {path: /health}\"")
            return nil
        }
        for item in items {
            guard let probe = probe(item) else { continue }
            // Two findings of one name would read as one.
            if promise.probes.contains(where: { $0.name == probe.name && $0 == probe }) {
                file.report(at: item.place, "this probe is there twice", hint: "remove one of them")
            }
            promise.probes.append(probe)
        }
        return promise.probes.count == items.count ? promise : nil
    }

    private func probe(_ item: Node) -> HealthProbe? {
        let known = Self.kinds.map(\.name)
        guard let mapping = file.mapping(item, what: "a probe") else { return nil }
        let entries = file.entries(mapping)
        guard let entry = entries.first, entries.count == 1 else {
            file.report(
                at: item.place, entries.isEmpty ? "this probe asks nothing" : "a probe holds one kind, not \(entries.count) keys",
                hint: "begin each probe with \"- \", and indent what belongs to it further than its kind: \(known.joined(separator: ", "))")
            return nil
        }
        guard let kind = Self.kinds.first(where: { $0.name == entry.name }) else {
            file.report(
                at: entry.place, "unknown probe \(shown(entry.name))",
                hint: NearestWord.hint(for: entry.name, among: known, called: "probes"))
            return nil
        }
        guard let fields = Fields(file, entry.node, kind.section, title: "probe \"\(kind.name)\"", place: entry.place) else { return nil }
        return kind.read(fields, application)
    }

    @Sendable private static func http(_ fields: Fields, _: ApplicationReader) -> HealthProbe? {
        let path = fields.text("path")
        if let path, !path.hasPrefix("/") || path.contains(where: { $0.isWhitespace || !$0.isASCII }) {
            fields.report("path", "\"path\" is no path of a web page", hint: "begin it with /, and write other letters as %XX")
            return nil
        }
        let status = fields["status"] == nil ? 200 : fields.whole("status", in: 100...599)
        let port = fields["port"] == nil ? nil : fields.port("port")
        let body = fields.text("body")
        if let body, (try? Regex(body)) == nil {
            fields.report("body", "\"body\" is no regular expression", hint: "quote special characters with \\, and the whole in ''")
            return nil
        }
        guard let path, let status, port != nil || fields["port"] == nil else { return nil }
        return .http(path: path, status: status, body: body, port: port)
    }

    @Sendable private static func command(_ fields: Fields, _ application: ApplicationReader) -> HealthProbe? {
        let code = fields["expect-exit"] == nil ? 0 : fields.whole("expect-exit", in: 0...255)
        guard let run = application.command("run", in: fields), let code else { return nil }
        return .command(run: run, expectExit: code)
    }

    @Sendable private static func sql(_ fields: Fields, _ application: ApplicationReader) -> HealthProbe? {
        let service = application.database("service", in: fields)
        let query = fields.text("query")
        guard let expect = fields.expectation("expect"), let service, let query else { return nil }
        return .sql(service: service, query: query, expect: expect)
    }
}

extension Fields {
    fileprivate func port(_ key: String) -> Int? { whole(key, in: 1...65535) }
}
