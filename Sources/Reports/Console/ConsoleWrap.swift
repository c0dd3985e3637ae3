// A line that is wider than the terminal, in several: broken between words, as a terminal would not.

extension ConsoleLine {
    private typealias Piece = (text: String, style: Style)

    /// The same text in lines of so many columns; a word that is wider, such as a path, stays whole for whoever copies it.
    ///
    /// - Parameter columns: nil: as it is.
    func wrapped(to columns: Int?) -> [ConsoleLine] {
        guard let columns, width > columns else { return [self] }
        let indent = String(repeating: " ", count: min(hang ?? leadingBlanks + 2, columns / 2))
        var lines: [ConsoleLine] = []
        var line = ConsoleLine()
        var isBegun = false
        for (blanks, word) in words() {
            let length = word.reduce(0) { $0 + Self.width(of: $1.text) }
            if isBegun, line.width + blanks.reduce(0, { $0 + Self.width(of: $1.text) }) + length > columns {
                lines.append(line)
                line = ConsoleLine(indent)
            } else {
                for piece in blanks { line.add(piece.text, piece.style) }
            }
            for piece in word { line.add(piece.text, piece.style) }
            isBegun = true
        }
        return lines + [line]
    }

    private var leadingBlanks: Int {
        var count = 0
        for piece in pieces {
            let blanks = piece.text.prefix { $0 == " " }.count
            count += blanks
            if blanks < piece.text.count { break }
        }
        return count
    }

    /// Its words, each with the blanks before it; a change of style breaks no word.
    private func words() -> [(blanks: [Piece], word: [Piece])] {
        var words: [(blanks: [Piece], word: [Piece])] = []
        var (blanks, word): ([Piece], [Piece]) = ([], [])
        for piece in pieces {
            for run in Self.runs(piece.text) {
                if run.first == " " {
                    if !word.isEmpty {
                        words.append((blanks, word))
                        (blanks, word) = ([], [])
                    }
                    blanks.append((run, piece.style))
                } else {
                    word.append((run, piece.style))
                }
            }
        }
        return word.isEmpty ? words : words + [(blanks, word)]
    }

    private static func runs(_ text: String) -> [String] {
        var runs: [String] = []
        for character in text {
            if let last = runs.last, (last.first == " ") == (character == " ") {
                runs[runs.count - 1].append(character)
            } else {
                runs.append(String(character))
            }
        }
        return runs
    }
}
