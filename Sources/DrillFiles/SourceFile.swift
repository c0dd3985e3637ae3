// One file while it is read: its text, its folder, and the problems found so far.

import Foundation
import Yams

/// One file on disk, read as YAML. It gathers problems, so that all of them are told at once.
final class SourceFile {
    typealias Problem = DrillFileError.Problem

    /// As messages show it.
    let path: String
    let url: URL
    var problems: [Problem] = []
    private var document: YAMLDocument?

    /// Reads the file; ``root`` is nil and a problem is noted where that fails.
    init(path: String, url: URL) {
        self.path = path
        self.url = url
        do throws(YAMLDocument.Mistake) {
            let document = try YAMLDocument(try text())
            guard let root = document.root, !isNothing(root) else {
                throw YAMLDocument.Mistake(place: nil, message: "is empty", hint: "docs/complete-example.md shows a drill and an estate")
            }
            self.document = document
        } catch {
            report(at: error.place, error.message, hint: error.hint)
        }
    }

    var root: Node? { document?.root }

    /// A key's text as it was written; nil where the key is no scalar.
    func name(of key: Node) -> String? {
        document.flatMap { $0.name(of: key) }
    }

    func report(at place: Place?, _ message: String, hint: String) {
        problems.append(Problem(file: path, line: place?.line ?? 0, column: place?.column ?? 0, message: message, hint: hint))
    }

    /// The top-level keys, in order.
    var topLevelKeys: [String] {
        guard case .mapping(let mapping)? = root else { return [] }
        return mapping.compactMap { name(of: $0.key) }
    }

    /// A path from the file, from the file's folder on.
    func resolve(_ path: String, isFolder: Bool) -> URL {
        URL(
            fileURLWithPath: path, isDirectory: isFolder,
            relativeTo: url.deletingLastPathComponent()
        ).standardizedFileURL.absoluteURL
    }

    private func text() throws(YAMLDocument.Mistake) -> String {
        let real = url.resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: real) else {
            throw YAMLDocument.Mistake(place: nil, message: "does not exist", hint: Self.hintForMissing(url, shownAs: path))
        }
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw YAMLDocument.Mistake(place: nil, message: "is not a regular file", hint: "name a YAML file")
        }
        // A drill file is a page or two: a dump that was named by mistake isn't read into memory.
        guard let size = attributes[.size] as? NSNumber, size.intValue <= 1 << 20 else {
            throw YAMLDocument.Mistake(place: nil, message: "is larger than 1 MiB", hint: "name a drill or estate file, not a backup")
        }
        guard let data = FileManager.default.contents(atPath: real) else {
            throw YAMLDocument.Mistake(place: nil, message: "can't be read", hint: "check the permissions of the file and its folder")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw YAMLDocument.Mistake(place: Self.firstInvalid(data), message: "is not UTF-8 here", hint: "save the file as UTF-8")
        }
        return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    private static func firstInvalid(_ data: Data) -> Place? {
        var line = 1
        var column = 1
        var decoder = UTF8()
        var bytes = data.makeIterator()
        while true {
            switch decoder.decode(&bytes) {
            case .scalarValue("\n"): (line, column) = (line + 1, 1)
            case .scalarValue: column += 1
            case .error: return Place(line: line, column: column)
            case .emptyInput: return nil
            }
        }
    }

    /// Names the file of the same folder that was probably meant.
    static func hintForMissing(_ url: URL, shownAs path: String) -> String {
        let folder = url.deletingLastPathComponent().path
        let others = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let files = others.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
        guard let near = NearestWord.find(url.lastPathComponent, among: files) else { return "check the path" }
        return "did you mean \"\(String(path.dropLast(url.lastPathComponent.count)) + near)\"?"
    }
}

/// Whether a value says nothing: an empty plain scalar, `~` or `null`.
func isNothing(_ node: Node) -> Bool {
    guard case .scalar(let scalar) = node, isPlain(scalar) else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
}

/// Whether a scalar stands there without quotes, so that it may be a number or a truth value.
func isPlain(_ scalar: Node.Scalar) -> Bool {
    scalar.style == .plain && scalar.tag.rawValue != "tag:yaml.org,2002:str"
}
