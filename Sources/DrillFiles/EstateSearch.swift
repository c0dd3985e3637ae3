// What a command takes that may be given an estate or drills, and need not be: what is named, or what is found and told.

public import DrillModel

/// The estate that is meant, or the drills.
extension EstatePlaces {
    /// - Parameters:
    ///   - named: The estate's file; nil where none is named.
    ///   - always: Also tell of the one that everybody in this folder expects.
    ///   - tell: Takes a line that says which estate was found. It is no part of what the command answers, which a program may read.
    /// - Returns: The path too, as messages show it.
    public func estate(
        _ named: String?, tellsAlways always: Bool = false, tell: (String) -> Void
    ) throws(DrillFileError) -> (estate: Estate, path: String) {
        if let named { return (try DrillFiles.loadEstate(named), named) }
        let found = try require("estate")
        guard let file = found.estate else {
            throw Self.problem(found.withoutEstate, hint: "name the estate's file: the drills say it under \"estate\"")
        }
        found.say(always: always, tell)
        return (try DrillFiles.loadEstate(file), file)
    }

    /// - Returns: The paths that are named, or the folders of the drills of the estate that is found.
    public func drills(_ named: [String], tell: (String) -> Void) throws(DrillFileError) -> [String] {
        guard named.isEmpty else { return named }
        let found = try require("drill")
        found.say(always: false, tell)
        return found.drillFolders
    }

    /// The estate that is found, where it is no mistake that there is none.
    ///
    /// - Parameter tell: Takes the lines that say where it was looked for, and what was met there.
    public func anyEstate(tell: (String) -> Void) throws(DrillFileError) -> Estate? {
        let found = try find()
        guard let file = found?.estate else {
            let seen = if let found { found.withoutEstate } else { try whatIsThere() }
            tell("no estate is named or found, so only the machine itself is looked at: \(seen)")
            tell("    mend: name its file, or write one: muster init FOLDER")
            return nil
        }
        tell("✓ estate: \(file), looked for in \(folders.joined(separator: ", then "))")
        for note in found?.notes ?? [] { tell("    note: \(note)") }
        return try DrillFiles.loadEstate(file)
    }

    /// - Throws: Where none is found: it names every place.
    private func require(_ what: String) throws(DrillFileError) -> Found {
        if let found = try find() { return found }
        throw Self.problem(
            "no \(what) is named, and no estate is found: \(try whatIsThere())",
            hint: "name one, or write one: muster init FOLDER looks at your backups and writes \(Self.working)/\(Self.fileName)")
    }
}

extension EstatePlaces.Found {
    var withoutEstate: String { "\(folder) holds drills and no \(EstatePlaces.fileName)" }

    fileprivate func say(always: Bool, _ tell: (String) -> Void) {
        guard always || !isExpected else { return }
        for note in notes { tell("muster: note: \(note)") }
        tell("muster: estate \(estate ?? folder)")
    }
}
