// Where an estate is looked for when none is named: the working folder first, then the user's own configuration, then the machine's.

public import Foundation
import Glibc

/// The places in their order. The first that holds an estate is taken, and nothing behind it is looked at.
///
/// A place holds one where its `estate.yaml` lies, or that of exactly one folder in it. What is there and can't be read is an error: another
/// estate, further down, would be the wrong one.
public struct EstatePlaces: Sendable {
    /// What an estate's file is called in its place.
    static let fileName = "estate.yaml"

    /// Paths of folders; that of the working folder is relative, as people write it.
    let folders: [String]
    /// The one that is the user's own, where a user has one.
    private let own: String?

    static let working = "drills"

    /// - Parameter environment: `XDG_CONFIG_HOME`, or else `HOME`, says where the user's configuration lies; `MUSTER_CONFIG_DIRS`, folders parted
    ///   by colons, stands in for `/etc/muster`. As in the XDG Base Directory Specification, what is empty or relative there doesn't count.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        func absolute(_ path: String?) -> String? { path.flatMap { $0.hasPrefix("/") ? $0 : nil } }
        own = (absolute(environment["XDG_CONFIG_HOME"]) ?? absolute(environment["HOME"]).map { "\($0)/.config" }).map {
            Self.clean("\($0)/muster")
        }
        let packaged = (environment["MUSTER_CONFIG_DIRS"] ?? "").split(separator: ":").compactMap { absolute(String($0)) }
        folders = [Self.working] + [own].compactMap { $0 } + (packaged.isEmpty ? ["/etc/muster"] : packaged.map(Self.clean))
    }

    private static func clean(_ path: String) -> String { URL(fileURLWithPath: path, isDirectory: false).standardizedFileURL.path }

    /// What was found in the first place that holds anything.
    struct Found: Sendable, Hashable {
        /// The estate's file; nil where drills alone lie in the working folder's place: each names its own.
        var estate: String?
        /// The place, or the folder in it.
        var folder: String
        /// What could not be looked at on the way there.
        var notes: [String]

        /// Whether it is the one that everybody in this folder expects, so that nothing need be said of it.
        var isExpected: Bool { notes.isEmpty && (estate == nil || estate == "\(EstatePlaces.working)/\(EstatePlaces.fileName)") }

        /// The folders that its drills lie in: the estate's own, and `drills` in it.
        var drillFolders: [String] {
            let all = [folder, "\(folder)/drills"].filter(DrillLoader.mayHoldDrills)
            // Whoever reads it says that there is none.
            return all.isEmpty ? [folder] : all
        }
    }

    /// - Returns: nil where no place holds an estate.
    /// - Throws: ``DrillFileError`` where a place, or a file in it, can't be read, or holds several estates.
    func find() throws(DrillFileError) -> Found? {
        var notes: [String] = []
        for folder in folders {
            switch try look(in: folder) {
            case .estate(let below):
                let others = folder == Self.working || below != folder ? [] : try Self.estates(below: folder)
                notes += others.map { "\($0) is another estate: it is only taken where its file is named" }
                return Found(estate: "\(below)/\(Self.fileName)", folder: below, notes: notes)
            case .drills: return Found(estate: nil, folder: folder, notes: notes)
            case .closed: notes.append("\(folder) lies where this user may not look")
            case .missing, .bare: break
            }
        }
        return nil
    }

    /// What was met in each place, for people.
    func whatIsThere() throws(DrillFileError) -> String {
        var words: [String] = []
        for folder in folders {
            switch try look(in: folder) {
            case .missing: words.append("\(folder) is not there")
            case .closed: words.append("\(folder) lies where this user may not look")
            case .bare, .drills, .estate: words.append("\(folder) holds no \(Self.fileName)")
            }
        }
        return words.joined(separator: ", ")
    }

    // MARK: One place

    private enum Content {
        case missing
        /// A folder above it lets this user not pass, such as another user's home.
        case closed
        case bare
        /// Of the working folder's place: drills without an estate, as those that name `../estate.yaml`.
        case drills
        /// The folder that holds it.
        case estate(String)
    }

    private func look(in folder: String) throws(DrillFileError) -> Content {
        switch Self.status(of: folder) {
        case 0: break
        case ENOENT, ENOTDIR: return .missing
        // Services run under a HOME that isn't theirs, or that their unit hides: that can't be what keeps them from the machine's own estate.
        case EACCES where folder == own: return .closed
        case let code: throw Self.unreadable(folder, code)
        }
        // Opened, so that a link which leads nowhere is none that isn't there.
        guard let handle = opendir(folder) else {
            if errno == ENOTDIR { return .bare }
            // One that may be entered and not listed still has its file under its name.
            let code = errno
            if code == EACCES, Self.status(of: "\(folder)/\(Self.fileName)") == 0 { return .estate(folder) }
            throw Self.unreadable(folder, code)
        }
        closedir(handle)
        switch Self.status(of: "\(folder)/\(Self.fileName)") {
        case 0: return .estate(folder)
        case ENOENT: break
        case let code: throw Self.unreadable("\(folder)/\(Self.fileName)", code)
        }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
        if folder == Self.working, names.contains(where: { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }) { return .drills }
        let below = try Self.estates(below: folder)
        guard below.count <= 1 else {
            throw Self.problem(
                "\(folder) holds \(below.count) estates: \(below.joined(separator: ", "))", hint: "name the one that is meant")
        }
        if let file = below.first { return .estate((file as NSString).deletingLastPathComponent) }
        // Somebody configured something there: to pass it over would leave it undrilled without a word.
        let strays = names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
        guard strays.isEmpty else {
            throw Self.problem(
                "\(folder) holds \(strays.joined(separator: ", ")) and no \(Self.fileName)",
                hint: "an estate's file is called \(Self.fileName) there: rename it, or name the file that is meant")
        }
        return .bare
    }

    /// Files of the estates that lie in folders of a place.
    private static func estates(below folder: String) throws(DrillFileError) -> [String] {
        var files: [String] = []
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() where !name.hasPrefix(".") {
            switch status(of: "\(folder)/\(name)/\(fileName)") {
            case 0: files.append("\(folder)/\(name)/\(fileName)")
            case ENOENT, ENOTDIR: break
            case let code: throw unreadable("\(folder)/\(name)", code)
            }
        }
        return files
    }

    /// 0 where something is there, also a link that leads nowhere: whoever reads it says so.
    private static func status(of path: String) -> Int32 {
        var info = stat()
        return lstat(path, &info) == 0 ? 0 : errno
    }

    private static func unreadable(_ path: String, _ code: Int32) -> DrillFileError {
        problem(
            "can't be read, so whether an estate lies there is not known: \(String(cString: strerror(code)).lowercased())", file: path,
            hint: "let this user read it, or name the estate's file")
    }

    static func problem(_ message: String, file: String = "", hint: String) -> DrillFileError {
        DrillFileError(problems: [DrillFileError.Problem(file: file, line: 0, column: 0, message: message, hint: hint)])
    }
}
