// Finds the word that was probably meant.

/// Picks a known word for a misspelt one.
enum NearestWord {
    /// `did you mean "targets"?` where one is near, the list of the known ones otherwise.
    static func hint(for word: String, among known: some Collection<String>, called name: String) -> String {
        if let near = find(word, among: known) { return "did you mean \"\(near)\"?" }
        let list = known.sorted()
        guard !list.isEmpty else { return "" }
        return "known \(name): \(list.prefix(20).joined(separator: ", "))" + (list.count > 20 ? ", …" : "")
    }

    /// The nearest known word, nil where none is within a third of the word's length; case, `_` and `-` don't count.
    static func find(_ word: String, among known: some Collection<String>) -> String? {
        let typed = folded(word)
        let limit = max(1, (typed.count + 1) / 3)
        return known.sorted()
            .map { (word: $0, distance: distance(typed, folded($0))) }
            .filter { $0.distance <= limit && $0.distance < typed.count }
            .min { $0.distance < $1.distance }?
            .word
    }

    private static func folded(_ word: String) -> [Character] {
        word.lowercased().map { $0 == "_" ? "-" : $0 }
    }

    /// Insertions, deletions, replacements and swaps of neighbours, each at the cost of one.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        // Words this long are no typing mistakes, and the table would grow with their product.
        guard left.count <= 100, right.count <= 100 else { return .max }
        var before: [Int] = []
        var above = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var row = [i + 1]
            for (j, b) in right.enumerated() {
                var cost = min(above[j + 1] + 1, row[j] + 1, above[j] + (a == b ? 0 : 1))
                if i > 0, j > 0, a == right[j - 1], left[i - 1] == b { cost = min(cost, before[j - 1] + 1) }
                row.append(cost)
            }
            before = above
            above = row
        }
        return above[right.count]
    }
}
