// From the path of one backup to the glob of its series: what tells the time becomes `*`, in every part of it.

import Foundation

/// `2026-11-27/shop.dump` → `*/shop.dump`; `daily/s3-shop-20261127T020000Z.sql.bz2` → `daily/s3-shop-*.sql.bz2`.
enum DatePattern {
    /// - Parameter path: Relative, its parts separated by slashes.
    static func pattern(_ path: String) -> String {
        var parts: [String] = []
        // Folders such as 2026/11/27: what is a month or an hour there is a number elsewhere.
        var isWithinDate = false
        let all = path.split(separator: "/").map(String.init)
        for (index, part) in all.enumerated() {
            // A glob's own signs in a name must not become wild.
            let safe = part.map { "*?[]\\".contains($0) ? "?" : String($0) }.joined()
            var starred = Self.starred(safe)
            if safe.wholeMatch(of: /(?:19|20)[0-9]{2}/) != nil { starred = "*" }
            if isWithinDate, safe.wholeMatch(of: /[0-9]{2}|[0-9]{4}|[0-9]{6}/) != nil { starred = "*" }
            // As logrotate numbers them.
            if index == all.count - 1 { starred.replace(/^(.*[a-z][a-z0-9]*)\.[0-9]{1,3}$/.ignoresCase()) { "\($0.output.1).*" } }
            isWithinDate = starred == "*"
            parts.append(starred)
        }
        return parts.joined(separator: "/")
    }

    private static func starred(_ part: String) -> String {
        var result = ""
        var rest = part[...]
        while let match = rest.firstMatch(of: moment) {
            let before = part[..<match.range.lowerBound].last
            // Digits in front make it another number.
            if before?.isNumber == true || isShort(match.0) && before?.isLetter == true {
                let next = part.index(after: match.range.lowerBound)
                result += part[rest.startIndex..<next]
                rest = part[next...]
                continue
            }
            result += part[rest.startIndex..<match.range.lowerBound] + "*"
            rest = part[match.range.upperBound...]
        }
        result += rest
        return result.replacing(/\*(?:[-_.T]?\*)+/, with: "*")
    }

    /// Six digits may be anything that stands behind a letter.
    private static func isShort(_ text: Substring) -> Bool { text.count == 6 }

    /// A date, with a time, a zone and a weekday behind it where there are; seconds since 1970; a month or a week.
    private nonisolated(unsafe) static let moment =
        #/
        (?: (?:19|20)[0-9]{2} [-_.]? (?:0[1-9]|1[0-2]) [-_.]? (?:0[1-9]|[12][0-9]|3[01])
          | (?:0[1-9]|[12][0-9]|3[01]) [-_.] (?:0[1-9]|1[0-2]) [-_.] (?:19|20)[0-9]{2} )
        (?: [-_T.+\ ]? (?:[01][0-9]|2[0-3]) [-:_.h]? [0-5][0-9] (?: [-:_.m]? [0-5][0-9] (?: [.,][0-9]+ )? )? [ms]?
          | [-_T\ ] (?:[01][0-9]|2[0-3]) h? (?! [0-9] | \.[0-9] ) )? (?![0-9])
        (?: Z | [-+][0-9]{2}:?[0-9]{2} )?
        (?: [-_.] (?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day | [-_.] (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?![a-z]) )?
        | (?:19|20)[0-9]{2} [-_.] (?:0[1-9]|1[0-2]) (?![0-9])
        | (?:19|20)[0-9]{2} [-_]? W [0-5][0-9]
        | 1[5-9][0-9]{8} (?:[0-9]{3})? (?![0-9])
        | [0-9]{2} (?:0[1-9]|1[0-2]) (?:0[1-9]|[12][0-9]|3[01]) (?![0-9A-Za-z])
        /#
        .ignoresCase()
}
