// The JSON Schemas and the reader know the same keys, and agree on good and bad files.

import DrillModel
import Foundation
import Testing

@testable import DrillFiles

/// Files of the checkout that these tests hold the reader against.
enum Checkout {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func url(_ path: String) -> URL { root.appendingPathComponent(path) }

    static func schema(_ name: String) throws -> [String: Any] {
        let data = try Data(contentsOf: url("docs/schema/\(name).schema.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
}

@Suite struct SchemaTests {
    /// The mappings that a schema describes key by key: itself under its own name, the others under theirs in `$defs`.
    private func mappings(_ name: String) throws -> [String: [String: Any]] {
        let schema = try Checkout.schema(name)
        let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
        return definitions.merging([name: schema]) { first, _ in first }.filter { $0.value["properties"] != nil }
    }

    @Test(arguments: [("estate", Section.ofEstates, ["probe"]), ("drill", Section.ofDrills, ["check"])])
    func sameKeysOnBothSides(name: String, sections: [Section], others: [String]) throws {
        let mappings = try mappings(name)
        #expect(Set(mappings.keys) == Set(sections.map(\.name) + others), "each mapping has its table, and each table its mapping")
        for section in sections {
            let mapping = try #require(mappings[section.name])
            let properties = try #require(mapping["properties"] as? [String: [String: Any]])
            #expect(Set(properties.keys) == Set(section.keys), "\(section.name)")
            #expect(Set(mapping["required"] as? [String] ?? []) == Set(section.required.map(\.name)), "\(section.name)")
            #expect(mapping["additionalProperties"] as? Bool == false, "\(section.name)")
            #expect(Set(section.keys).count == section.keys.count, "\(section.name) names no key twice")
        }
    }

    @Test func sameChecksOnBothSides() throws {
        let check = try #require(try mappings("drill")["check"]?["properties"] as? [String: [String: String]])
        #expect(Set(check.keys) == Set(CheckReader.kinds.map(\.name)))
        for kind in CheckReader.kinds { #expect(check[kind.name] == ["$ref": "#/$defs/\(kind.section.name)"]) }
    }

    @Test func sameProbesOnBothSides() throws {
        let probe = try #require(try mappings("estate")["probe"]?["properties"] as? [String: [String: String]])
        #expect(Set(probe.keys) == Set(ProbeReader.kinds.map(\.name)))
        for kind in ProbeReader.kinds { #expect(probe[kind.name] == ["$ref": "#/$defs/\(kind.section.name)"]) }
    }

    /// Each key has a description, at its place or where it refers to: that is what an editor shows.
    @Test(arguments: ["estate", "drill"])
    func everyKeyIsDescribed(name: String) throws {
        let definitions = try #require(try Checkout.schema(name)["$defs"] as? [String: [String: Any]])
        for (title, mapping) in try mappings(name) {
            let properties = try #require(mapping["properties"] as? [String: [String: Any]])
            for (key, property) in properties {
                let target = (property["$ref"] as? String).flatMap { definitions[String($0.split(separator: "/").last ?? "")] }
                #expect((property["description"] ?? target?["description"]) is String, "\(title).\(key)")
            }
        }
    }

    @Test func sameWordsOnBothSides() throws {
        func words(_ schema: String, _ definition: String, _ key: String) throws -> Set<String> {
            let properties = try #require(try mappings(schema)[definition]?["properties"] as? [String: [String: Any]])
            let either = (properties[key]?["anyOf"] as? [[String: Any]])?.lazy.compactMap { $0["enum"] }.first
            return Set(try #require((properties[key]?["enum"] ?? either) as? [String]))
        }
        #expect(try words("drill", "drill", "scenario") == Set(Scenario.allCases.map(\.rawValue)))
        #expect(try words("drill", "drill", "profile") == Set(Profile.allCases.map(\.rawValue)))
        #expect(try words("drill", "recovery", "select") == Set(Recovery.Selection.allCases.map(\.rawValue)))
        #expect(try words("estate", "service", "engine") == Set(Service.Engine.allCases.map(\.rawValue)))
        #expect(try words("estate", "schedule", "weekday") == Set(Weekday.allCases.map(\.rawValue)))
        #expect(try words("estate", "backup", "kind") == Set(BackupSet.Kind.allCases.map(\.rawValue)))
        #expect(try words("estate", "webhook", "format") == Set(NotifyChannel.Format.allCases.map(\.rawValue)))
    }
}

/// Cases that a JSON Schema can't tell: names that refer to another place, comparisons, the clock.
private let onlyTheReader: Set<String> = [
    "drill-another-service-s-backup", "drill-bounds-crossed", "drill-check-of-another-engine", "drill-checks-of-an-unknown-service",
    "drill-database-of-a-redis",
    "drill-command-check-as-a-role-of-redis", "drill-command-check-in-another-s-name", "drill-command-check-of-another-service",
    "drill-command-check-outside",
    "drill-command-check-twice", "drill-command-check-with-a-secret",
    "drill-checks-of-code", "drill-due-on-no-day", "drill-checks-of-what-isn-t-recovered", "drill-estate-nowhere-near",
    "drill-estate-that-is-the-drill",
    "drill-estate-that-isn-t-there", "drill-incident-on-no-day", "drill-incident-to-come", "drill-jobs-of-an-rdb",
    "drill-manual-step-of-an-allowance-s-name", "drill-rows-of-redis", "drill-same-check-twice",
    "drill-samples-with-rpo", "drill-same-query-name-twice",
    "drill-unknown-backup", "drill-unknown-service", "estate-another-engine-s-value", "estate-body", "estate-code-of-a-database",
    "estate-configuration-of-nobody", "estate-cut-of-a-zone-where-nothing-lies", "estate-encryption-key-in-the-file",
    "estate-every-second", "estate-every-that-does-not-divide-a-day", "estate-every-two-days", "estate-key-file-that-begins-like-a-key",
    "estate-key-not-declared", "estate-password-of-an-application", "estate-place-in-a-probe",
    "estate-place-of-an-estate-s-repopulation", "estate-place-of-an-unknown-service", "estate-place-of-an-unknown-value",
    "estate-place-without-a-value", "estate-repopulation-of-a-database", "estate-repopulation-of-nobody", "estate-secret-of-a-bucket",
    "estate-sql-of-redis", "estate-time-zone", "estate-tolerance-too-wide", "estate-unknown-store", "estate-unknown-store-nothing-near",
    "lost-cache-cache-of-a-database", "lost-cache-cache-without-an-application", "lost-cache-place-of-a-repopulation",
    "outage-backup-of-the-lost-zone-alone", "outage-unknown-zone", "server-failure-recovered-and-existing",
    "server-failure-service-of-an-application", "server-failure-unknown-application",
]

/// What is lost or refused before a schema is asked, as the YAML library pleases.
private let ofYAML: Set<String> = [
    "estate-duplicate-key", "estate-duplicate-name", "estate-duplicate-once-quoted", "estate-iterations-with-underscores",
    "estate-octal-version", "estate-required-true",
]

@Suite(.enabled(if: PythonValidator.isThere, "python3 with the packages jsonschema and yaml is not installed"))
struct SchemaValidationTests {
    @Test func goodFilesAreValid() throws {
        let fixture = try Fixture()
        let files = [
            (
                "estate",
                try fixture.write("local.yaml", Good.estate.replacing("      host: /run/postgresql\n      port: 5432\n", with: ""))
            ),
            (
                "drill",
                try fixture.write("printed.yaml", Good.drill.replacing("2026-03-01T02:00:00+05:30", with: "\"2026-02-28 20:30:00.25+00\""))
            ),
            ("estate", try fixture.write("estate.yaml", Good.estate)), ("drill", try fixture.write("drill.yaml", Good.drill)),
            ("estate", try fixture.write("told.yaml", Good.estate.replacing("\nby-hand:", with: "\n\(NotifyFilesTests.all)\nby-hand:"))),
            ("drill", try fixture.write("failure.yaml", Good.serverFailure)), ("drill", try fixture.write("outage.yaml", Good.outage)),
            ("drill", try fixture.write("cache.yaml", Good.lostCache)),
            ("drill", try fixture.write("filled.yaml", OtherEstateTests.loss)),
            ("drill", try fixture.write("gone.yaml", OtherEstateTests.gone)),
            ("drill", try fixture.write("now.yaml", Good.drill.replacing("2026-03-01T02:00:00+05:30", with: "now"))),
        ]
        #expect(try PythonValidator.invalid(files, in: fixture).isEmpty)
    }

    /// Each mistake of the reader's tests is one of the schema's too, but for those that no schema can see.
    @Test func badFilesAreInvalid() throws {
        let fixture = try Fixture()
        var files: [(schema: String, path: String)] = []
        var names: [String: String] = [:]
        for input in FileCase.all {
            let path = input.place.appendingPathComponent("\(input.mistaken).yaml").path
            files.append((input.mistaken, path))
            names[path] = input.name
        }
        let invalid = try PythonValidator.invalid(files, in: fixture)
        let valid = Set(files.map(\.path)).subtracting(invalid).compactMap { names[$0] }
        #expect(Set(valid).subtracting(onlyTheReader).subtracting(ofYAML).sorted() == [], "the schema accepts what the reader refuses")
        #expect(onlyTheReader.subtracting(valid).sorted() == [], "the schema sees them after all: take them off the list")
    }
}

/// The public reference implementation of JSON Schema, in Python.
private enum PythonValidator {
    static let isThere = (try? run(["-c", "import jsonschema, yaml"]))?.status == 0

    /// Prints the path of each file that is not valid. YAML is read as version 1.2 has it, as editors do: no dates, no `yes`.
    private static let script = """
        import json, sys, jsonschema, yaml
        class Loader(yaml.SafeLoader): pass
        Loader.yaml_implicit_resolvers = {
            first: [(tag, form) for tag, form in forms if not tag.endswith((":timestamp", ":bool"))]
            for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()}
        import re
        Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
        schemas = {}
        for name in ("estate", "drill"):
            schema = json.load(open(sys.argv[1] + "/" + name + ".schema.json"))
            jsonschema.Draft202012Validator.check_schema(schema)
            schemas[name] = jsonschema.Draft202012Validator(schema)
        for line in open(sys.argv[2]):
            name, path = line.rstrip("\\n").split(" ", 1)
            try:
                document = yaml.load(open(path, encoding="utf-8"), Loader)
                if not schemas[name].is_valid(document): print(path)
            except (yaml.YAMLError, TypeError):
                print(path)
        print("done")
        """

    static func invalid(_ files: [(schema: String, path: String)], in fixture: Fixture) throws -> Set<String> {
        let list = try fixture.write("list.txt", files.map { "\($0.schema) \($0.path)\n" }.joined())
        let (status, output) = try run(["-c", script, Checkout.url("docs/schema").path, list])
        let lines = output.split(separator: "\n").map(String.init)
        try #require(status == 0 && lines.last == "done", "the validator ran to its end")
        return Set(lines.dropLast())
    }

    private static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-W", "ignore"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
