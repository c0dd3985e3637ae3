// Words of a calendar in the names of backups, where each new one takes the place of that of a week or a year before.

/// A weekday, a month or a week that stands alone in a name: `shop-mon.dump`, `Monday/shop.dump`, `shop-jan.dump`, `shop-week-48.dump`.
public enum CalendarWord: Sendable, Hashable, CaseIterable {
    case weekday, month, week

    /// The first one in a name or a path.
    ///
    /// - Returns: Its kind, and where it stands; of a week its number alone.
    public static func first(in name: String) -> (kind: CalendarWord, range: Range<String.Index>)? {
        var rest = name.startIndex
        while let begin = name[rest...].firstIndex(where: \.isLetter) {
            let end = name[begin...].firstIndex { !$0.isLetter } ?? name.endIndex
            rest = end
            let word = name[begin..<end].lowercased()
            if let kind = allCases.first(where: { $0.words.contains(word) }) {
                guard kind == .week else { return (kind, begin..<end) }
                if let number = week(behind: end, in: name) { return (kind, number) }
            }
        }
        return nil
    }

    /// A glob for any word of the kind, in the letters of one of them; nil where digits tell as much.
    public static func glob(_ word: String) -> String? {
        guard let (kind, range) = first(in: word), range == word.startIndex..<word.endIndex else { return nil }
        let letters = (0..<3).map { place -> String in
            let all = Set(kind.words.compactMap { $0.dropFirst(place).first }).sorted().map(String.init).joined()
            return "[\(word.dropFirst(place).first?.isUppercase == true ? all.uppercased() : all)]"
        }.joined()
        switch kind {
        case .weekday: return letters + (word.count > 3 ? "*[dD][aA][yY]" : "")
        // May is as long as its short form.
        case .month: return letters + (word.count > 3 ? "*" : "")
        case .week: return nil
        }
    }

    private static func week(behind place: String.Index, in name: String) -> Range<String.Index>? {
        let begin = name[place...].first.map { "-_".contains($0) } == true ? name.index(after: place) : place
        let digits = name[begin...].prefix(while: \.isNumber)
        return (1...2).contains(digits.count) ? digits.startIndex..<digits.endIndex : nil
    }

    /// Whole, and as their first three letters.
    private var words: [String] {
        let whole =
            switch self {
            case .weekday: ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
            case .month:
                ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
            case .week: ["week", "wk", "kw", "cw"]
            }
        return self == .week ? whole : whole + whole.map { String($0.prefix(3)) }
    }
}
