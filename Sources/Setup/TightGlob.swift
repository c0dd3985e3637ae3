// A series' glob that takes nothing of its neighbours: where the star would, the digits of its dates stand in its place.

import ArtifactFormats
import Foundation
import Glibc

/// Holds a glob against all that lies in a store.
enum TightGlob {
    /// - Parameters:
    ///   - match: As ``DatePattern`` made it.
    ///   - paths: What belongs to it.
    ///   - seen: All that lies in the store, and may match.
    /// - Returns: The glob that takes no more than these, and what it takes of others where none does.
    static func fitted(_ match: String, to paths: [String], among seen: Set<String>) -> (match: String, strangers: [String]) {
        let own = Set(paths)
        func strangers(_ glob: String) -> [String] { seen.filter { !own.contains($0) && takes(glob, $0) }.sorted() }
        let first = strangers(match)
        guard !first.isEmpty else { return (match, []) }
        let tight = Set(paths.map { dated($0, as: match) })
        guard let only = tight.sorted().first(where: { glob in paths.allSatisfy { takes(glob, $0) } }) else { return (match, first) }
        let rest = strangers(only)
        return rest.count < first.count ? (only, rest) : (match, first)
    }

    /// As the catalogue does.
    static func takes(_ glob: String, _ path: String) -> Bool {
        let parts = glob.split(separator: "/").map(String.init)
        let names = path.split(separator: "/").map(String.init)
        return parts.count == names.count
            && zip(parts, names).allSatisfy { fnmatch($0, $1, FNM_PERIOD) == 0 && !$1.hasSuffix(".seal.json") }
    }

    /// One path with every digit of what a star stands for made a digit of any value, a weekday or a month any other of them, and every other
    /// sign there one of any kind.
    private static func dated(_ path: String, as match: String) -> String {
        let patterns = match.split(separator: "/").map(String.init)
        let names = path.split(separator: "/").map(String.init)
        let dated = zip(patterns, names).map { pattern, name -> String in
            let parts = pattern.components(separatedBy: "*")
            guard parts.count > 1, let before = parts.first, let after = parts.last, name.count >= before.count + after.count else {
                return pattern
            }
            let stood = name.dropFirst(before.count).dropLast(after.count)
            if let word = CalendarWord.glob(String(stood)) { return before + word + after }
            let moment = stood.map { sign in
                sign.isNumber ? "[0-9]" : sign.isLetter || "*?[]\\".contains(sign) ? "?" : String(sign)
            }
            return before + moment.joined() + after
        }
        return dated.joined(separator: "/")
    }
}
