// Words as they are typed: shown to be pasted into a shell, and read of a command for redis-cli.

import DrillModel

enum CommandWords {
    static func line(_ words: [String]) -> String { words.map(ShellWord.of).joined(separator: " ") }

    /// The words of one command; quotes of either kind hold blanks together, and `\` takes the next letter as it is.
    ///
    /// redis-cli would split the line itself, and of a line that it reads it doesn't tell by its end whether the command failed.
    static func split(_ line: String) throws(CommandFailure) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in line {
            if isEscaped || (quote != nil && character != quote && character != "\\") {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == quote {
                quote = nil
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil, !isEscaped else {
            throw CommandFailure(.usage, "a quote in --command has no end", hint: "close it, or write the words after -- instead")
        }
        return words + (word.map { [$0] } ?? [])
    }
}
