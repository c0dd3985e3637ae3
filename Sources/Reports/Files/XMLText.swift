// Text that is safe inside an XML 1.0 document.

/// Escapes text for XML 1.0 and replaces what no XML 1.0 document can hold, not even as a reference.
enum XMLText {
    /// For the text of an element. Line breaks and tabs stay.
    static func body(_ text: String) -> String {
        escape(text, attribute: false)
    }

    /// For a value between double quotes. Line breaks and tabs become references: a parser would turn them into blanks.
    static func attribute(_ text: String) -> String {
        escape(text, attribute: true)
    }

    private static func escape(_ text: String, attribute: Bool) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count + 16)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"" where attribute: result += "&quot;"
            case "\n", "\t", "\r": result += attribute || scalar == "\r" ? "&#\(scalar.value);" : String(Character(scalar))
            // C0, DEL and C1 controls, and the two code points that are no characters.
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
