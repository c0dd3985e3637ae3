// Finds the files of a load, reads each once, and gathers the problems of all of them.

import DrillModel
import Foundation

/// One load of drills.
struct DrillLoader {
    typealias Problem = DrillFileError.Problem

    /// What a file at a path turned out to be.
    private enum Shape {
        case drill, estate, actions, neither
    }

    let now: Date
    /// The path of the estate file that stands in for the one that each drill names.
    private let standIn: String?
    private var problems: [Problem] = []
    /// By path; nil inside for an estate with problems, which have been told.
    private var estates: [String: Estate?] = [:]

    init(now: Date, estate: String? = nil) {
        self.now = now
        standIn = estate
    }

    mutating func load(_ paths: [String]) throws(DrillFileError) -> [DrillPlan] {
        // What is wrong with it is told once, and not beside each drill.
        let standIn = if let path = standIn { (path: path, estate: try loadEstate(path)) } else { nil as (path: String, estate: Estate)? }
        var plans: [(plan: DrillPlan, path: String, problem: Problem)] = []
        var seen = Set<URL>()
        for (path, isGiven) in files(paths) {
            let url = URL(fileURLWithPath: path, isDirectory: false).standardizedFileURL.absoluteURL
            guard seen.insert(url).inserted, let found = drill(path: path, url: url, isGiven: isGiven, against: standIn) else { continue }
            if let twin = plans.first(where: { $0.plan.name == found.plan.name }) {
                var problem = found.problem
                problem.message = "drill name \"\(found.plan.name)\" is taken by \(twin.path)"
                problems.append(problem)
            }
            plans.append((found.plan, path, found.problem))
        }
        if plans.isEmpty, problems.isEmpty {
            report(paths.joined(separator: ", "), "no drill to run", hint: "name a drill file, or a folder that holds one")
        }
        guard problems.isEmpty else { throw DrillFileError(problems: problems) }
        return plans.sorted { $0.path < $1.path }.map(\.plan)
    }

    mutating func loadEstate(_ path: String) throws(DrillFileError) -> Estate {
        let file = SourceFile(path: path, url: URL(fileURLWithPath: path, isDirectory: false).standardizedFileURL.absoluteURL)
        if file.root != nil, Self.shape(of: file) == .drill {
            report(path, "is a drill, not an estate", hint: "name the file that its \"estate\" line names")
        }
        let estate = problems.isEmpty ? EstateReader.read(file) : nil
        problems += file.problems
        guard let estate, problems.isEmpty else { throw DrillFileError(problems: problems) }
        return estate
    }

    mutating func loadActions(_ path: String) throws(DrillFileError) -> ActionPlan {
        let file = SourceFile(path: path, url: URL(fileURLWithPath: path, isDirectory: false).standardizedFileURL.absoluteURL)
        let plan = ActionReader.read(file)
        guard let plan, file.problems.isEmpty else { throw DrillFileError(problems: file.problems) }
        return plan
    }

    /// The drills that name an estate's file: those that lie beside it, in a folder `drills` beside it, and in other folders.
    ///
    /// What else lies there is no matter of the estate's: only what is, or may be, a drill that is due and can't be read is a problem.
    mutating func drills(of estate: Estate, in others: [String]) -> (plans: [DrillPlan], problems: [Problem], doubts: [Problem]) {
        let own = estate.file.resolvingSymlinksInPath()
        let beside = estate.file.deletingLastPathComponent()
        let folders =
            [beside, beside.appendingPathComponent("drills", isDirectory: true)]
            + others.map { URL(fileURLWithPath: $0, isDirectory: true) }
        var plans: [DrillPlan] = []
        var found: [Problem] = []
        var locked: [Problem] = []
        var seen: Set<String> = []
        for folder in folders {
            if let problem = Self.closed(folder) { locked.append(problem) }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            for name in Self.listed(names) {
                let url = folder.appendingPathComponent(name)
                guard seen.insert(url.resolvingSymlinksInPath().path).inserted else { continue }
                let file = SourceFile(path: url.path, url: url)
                if file.root == nil {
                    switch Self.content(of: url) {
                    case nil: locked += file.problems
                    case .some(let text) where Self.isOfDueDrill(text): found += file.problems
                    default: break
                    }
                }
                guard file.root != nil, Self.shape(of: file) == .drill, let reader = DrillReader(file, now: now),
                    let written = reader.estatePath()
                else { continue }
                let named = file.resolve(written, isFolder: false)
                let isDue = reader.fields.stated.contains("due")
                guard FileManager.default.fileExists(atPath: named.path) else {
                    guard isDue else { continue }
                    reader.fields.report(
                        "estate", "estate file \(shown(written)) does not exist", hint: SourceFile.hintForMissing(named, shownAs: written))
                    found += file.problems
                    continue
                }
                guard named.resolvingSymlinksInPath() == own else { continue }
                guard let plan = reader.read(against: estate) else {
                    if isDue { found += file.problems }
                    continue
                }
                if let twin = plans.first(where: { $0.name == plan.name }) {
                    guard isDue || twin.cadence != nil else { continue }
                    found.append(
                        Problem(
                            file: url.path, line: reader.fields.place(of: "drill")?.line ?? 0, column: 0,
                            message: "drill name \"\(plan.name)\" is taken by \(twin.file.path)",
                            hint: "give each drill a name of its own: its reports are filed under it"))
                } else {
                    plans.append(plan)
                }
            }
        }
        // What may not be read may be anything: where drills are due it may be one, and elsewhere a file of secrets.
        let isDue = plans.contains { $0.cadence != nil }
        if isDue { found += locked }
        for plan in plans {
            for name in plan.formerNames where plan.cadence != nil && plans.contains(where: { $0.name == name }) {
                found.append(
                    Problem(
                        file: plan.file.path, line: 0, column: 0, message: "former name \"\(name)\" is that of a drill that is there",
                        hint: "name under formerly only what no other drill is called"))
            }
        }
        return (plans, found, isDue ? [] : locked)
    }

    /// A folder that is there and can't be listed.
    private static func closed(_ folder: URL) -> Problem? {
        guard let handle = opendir(folder.path) else {
            let code = errno
            guard code != ENOENT, code != ENOTDIR else { return nil }
            return Problem(
                file: folder.path, line: 0, column: 0,
                message: "can't be listed, so whether drills lie in it is not known: \(String(cString: strerror(code)).lowercased())",
                hint: "let this user read the folder")
        }
        closedir(handle)
        return nil
    }

    /// nil where it can't be read.
    private static func content(of file: URL) -> String? {
        (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether a text that is no YAML was meant as a drill that is due.
    private static func isOfDueDrill(_ text: String) -> Bool {
        let lines = text.split(separator: "\n")
        return lines.contains { $0.hasPrefix("drill:") } && lines.contains { $0.hasPrefix("due:") }
    }

    private mutating func report(_ path: String, _ message: String, hint: String) {
        problems.append(Problem(file: path, line: 0, column: 0, message: message, hint: hint))
    }

    /// The files that paths name, with whether each was named itself. Folders are listed, not their subfolders.
    private mutating func files(_ paths: [String]) -> [(path: String, isGiven: Bool)] {
        var files: [(path: String, isGiven: Bool)] = []
        for path in paths {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
                files.append((path, true))
                continue
            }
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
                report(path, "can't be listed", hint: "check the permissions of the folder")
                continue
            }
            let listed = Self.listed(names)
            let folder = path.hasSuffix("/") ? path : path + "/"
            if !Self.holdDrills(listed, in: folder) {
                let found = listed.isEmpty ? "no *.yaml or *.yml file in it" : "only estates in it"
                report(
                    path, "holds no drill: \(found)", hint: "name the folder that holds your drill files, or write one: docs/first-drill.md"
                )
            }
            files += listed.map { (folder + $0, false) }
        }
        return files
    }

    /// The YAML files among names.
    private static func listed(_ names: [String]) -> [String] {
        names.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) }.sorted()
    }

    private static func holdDrills(_ listed: [String], in folder: String) -> Bool {
        listed.contains { ![.estate, .actions].contains(shape(ofFileAt: folder + $0)) }
    }

    /// Whether a folder is there and holds a file that isn't an estate or a list of actions. One that can't be listed may.
    static func mayHoldDrills(_ folder: String) -> Bool {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else { return false }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return true }
        return holdDrills(listed(names), in: folder + "/")
    }

    private mutating func drill(
        path: String, url: URL, isGiven: Bool, against standIn: (path: String, estate: Estate)?
    ) -> (plan: DrillPlan, problem: Problem)? {
        let file = SourceFile(path: path, url: url)
        defer { problems += file.problems }
        guard file.root != nil else { return nil }
        switch Self.shape(of: file) {
        case .drill: break
        case .estate:
            if isGiven { file.report(at: nil, "is an estate, not a drill", hint: "name a drill file, or the folder that holds them") }
            return nil
        case .actions:
            if isGiven {
                file.report(
                    at: nil, "holds corrective actions, and is no drill", hint: "name a drill file, or the folder that holds them")
            }
            return nil
        case .neither:
            file.report(
                at: nil, "is neither a drill nor an estate",
                hint: "begin it with \"version: 1\" and \"drill: NAME\", or move it to another folder")
            return nil
        }
        guard let reader = DrillReader(file, now: now) else { return nil }
        let named = reader.estatePath()
        let estate = standIn?.estate ?? named.flatMap { self.estate($0, named: reader.fields) }
        guard var plan = reader.read(against: estate) else {
            if let standIn { file.problems = told(file.problems, of: standIn.path, besides: path, url) }
            return nil
        }
        if let standIn, let named {
            let own = file.resolve(named, isFolder: false)
            // What leads to the same file is no other one.
            plan.namedEstate = own.resolvingSymlinksInPath() == standIn.estate.file.resolvingSymlinksInPath() ? nil : own
        }
        let place = reader.fields.place(of: "drill")
        return (
            plan,
            Problem(
                file: path, line: place?.line ?? 0, column: place?.column ?? 0, message: "",
                hint: "give each drill a name of its own: its reports are filed under it")
        )
    }

    /// What only shows against the estate that stands in says so: the drill's own file names another.
    private func told(_ problems: [Problem], of estate: String, besides path: String, _ url: URL) -> [Problem] {
        let alone = SourceFile(path: path, url: url)
        _ = DrillReader(alone, now: now)?.read(against: nil)
        let own = Set(alone.problems)
        return problems.map { problem in
            guard !own.contains(problem) else { return problem }
            var problem = problem
            problem.hint += "\(problem.hint.isEmpty ? "" : "; ")the drill is read against \(estate), which --estate names"
            return problem
        }
    }

    /// The estate that a drill names, from the cache where another drill named it before.
    private mutating func estate(_ written: String, named fields: Fields) -> Estate? {
        let url = fields.file.resolve(written, isFolder: false)
        if let known = estates[url.path] { return known }
        guard FileManager.default.fileExists(atPath: url.path) else {
            fields.report("estate", "estate file \(shown(written)) does not exist", hint: SourceFile.hintForMissing(url, shownAs: written))
            return nil
        }
        let folder = (fields.file.path as NSString).deletingLastPathComponent
        let path = written.hasPrefix("/") || folder.isEmpty ? written : (folder as NSString).appendingPathComponent(written)
        let file = SourceFile(path: path, url: url)
        if file.root != nil, !Self.mayBeEstate(file) {
            fields.report(
                "estate", "\(shown(written)) is not an estate file",
                hint: "name the file that begins with \"estate: NAME\" and holds \"services\"")
            return nil
        }
        let estate = EstateReader.read(file)
        problems += file.problems
        estates[url.path] = .some(estate)
        return estate
    }

    /// Whether a file that was named as an estate is to be read as one: one without its name is still a flawed estate.
    private static func mayBeEstate(_ file: SourceFile) -> Bool {
        shape(of: file) == .estate || (shape(of: file) == .neither && !ofEstates.isDisjoint(with: file.topLevelKeys))
    }

    private static let ofEstates = Set(Section.estate.keys).subtracting(Section.drill.keys)
    private static let ofDrills = Set(Section.drill.keys).subtracting(Section.estate.keys)

    private static func shape(ofFileAt path: String) -> Shape {
        shape(of: SourceFile(path: path, url: URL(fileURLWithPath: path, isDirectory: false)))
    }

    /// A misspelt `drill:` doesn't turn a drill into an estate that a folder's run would pass over in silence.
    private static func shape(of file: SourceFile) -> Shape {
        let keys = Set(file.topLevelKeys)
        if keys.contains("drill") { return .drill }
        if keys.contains("corrective-actions") { return .actions }
        if !keys.isDisjoint(with: ofDrills), keys.isDisjoint(with: ofEstates) { return .drill }
        return keys.contains("estate") ? .estate : .neither
    }
}
