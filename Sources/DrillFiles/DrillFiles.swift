// The door of this module: paths in, drills and estates out.

public import DrillModel
public import Foundation

/// Reads drill and estate files. docs/drill-file.md and docs/estate-file.md describe their shape, docs/schema holds it as JSON Schema.
public enum DrillFiles {
    /// Loads drills.
    ///
    /// - Parameter paths: Drill files, and folders of which every `*.yaml` and `*.yml` is read, not of their subfolders.
    ///   Estate files in a folder are passed over; any other YAML in it is an error. A file named twice is read once.
    /// - Parameter estate: The estate file that they are read against, in place of the one that each names; nil: the one that each names.
    /// - Returns: Sorted by path; never empty. Each estate is loaded once.
    /// - Throws: Every problem of every file at once. A folder without a drill, and a drill name used twice, are problems.
    public static func load(_ paths: [String], estate: String? = nil) throws(DrillFileError) -> [DrillPlan] {
        try load(paths, estate: estate, now: Date())
    }

    /// Loads one estate file.
    public static func loadEstate(_ path: String) throws(DrillFileError) -> Estate {
        var loader = DrillLoader(now: Date())
        return try loader.loadEstate(path)
    }

    /// The drills that name an estate's file, by their files, and what is wrong with others that do.
    ///
    /// - Parameter others: Folders that are looked into beside that of the estate's file, and the folder `drills` in it.
    public static func drills(
        of estate: Estate, in others: [String]
    ) -> (plans: [DrillPlan], problems: [DrillFileError.Problem], doubts: [DrillFileError.Problem]) {
        var loader = DrillLoader(now: Date())
        return loader.drills(of: estate, in: others)
    }

    /// Loads a file of corrective actions.
    public static func loadActions(_ path: String) throws(DrillFileError) -> ActionPlan {
        var loader = DrillLoader(now: Date())
        return try loader.loadActions(path)
    }

    /// Reads an instant as drill files write it, with its zone: `2026-03-01T02:00:00+05:30`; nil where it is none.
    public static func instant(_ text: String) -> Date? {
        try? InstantText.parse(text)
    }

    /// What was probably meant by a word that isn't known: the nearest of those that are, or all of them.
    public static func nearest(_ word: String, among known: [String], called name: String) -> String {
        NearestWord.hint(for: word, among: known, called: name)
    }

    /// Reads a duration as drill files write it: `30m`, `1h30m`; nil where it is none.
    public static func duration(_ text: String) -> Duration? {
        try? DurationText.parse(text)
    }

    static func load(_ paths: [String], estate: String? = nil, now: Date) throws(DrillFileError) -> [DrillPlan] {
        var loader = DrillLoader(now: now, estate: estate)
        return try loader.load(paths)
    }
}
