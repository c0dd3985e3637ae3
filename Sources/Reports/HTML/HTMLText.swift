// Texts of a run as a page may hold them.

/// Text from a run, made safe for a page: the template escapes what is markup, and here goes what no page should hold.
enum HTMLText {
    /// Controls, and what turns the direction of all that follows, become `�`: a name must not rewrite the line it stands in.
    static func clean(_ text: String, longest bytes: Int = 2_000) -> String {
        let short = JUnitText.shortened(text, to: bytes)
        guard short.unicodeScalars.contains(where: isUnfit) else { return short }
        var result = ""
        for scalar in short.unicodeScalars { result.unicodeScalars.append(isUnfit(scalar) ? "\u{FFFD}" : scalar) }
        return result
    }

    private static func isUnfit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\n", "\t": false
        case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{200E}", "\u{200F}", "\u{2028}"..."\u{202E}", "\u{2066}"..."\u{2069}", "\u{FFFE}",
            "\u{FFFF}":
            true
        default: false
        }
    }
}
