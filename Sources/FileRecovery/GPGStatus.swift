// What gpg tells a program: its status lines, and whether they say that a message was decrypted and proven whole.

/// The status lines of one gpg call. None of their content is ever shown: it may hold names of recipients.
struct GPGStatus: Sendable {
    private let words: [Substring]

    /// - Parameter said: All that was written where `--status-fd` leads.
    init(_ said: String) {
        words = said.split(separator: "\n").compactMap { line in
            line.hasPrefix("[GNUPG:] ") ? line.dropFirst(9).split(separator: " ").first : nil
        }
    }

    /// Whether everything that was decrypted is proven unchanged, by MDC or by AEAD.
    ///
    /// An exit of 0 is not enough: gpg ends so, too, where a message was never encrypted, and told to ignore a missing MDC it says
    /// DECRYPTION_OKAY of one without. Nor do the fields of DECRYPTION_INFO tell: 2.2 says `0 9 0` both of AES without any protection (tag 9) and
    /// of OCB (tag 20), 2.4 says `0 9 2` of the latter. GOODMDC comes from both, for each message with an MDC or a tag of OCB that held.
    var isAuthenticated: Bool {
        let messages = count("DECRYPTION_INFO")
        return messages > 0 && count("DECRYPTION_OKAY") == messages && count("GOODMDC") == messages && count("BADMDC") == 0
            && count("DECRYPTION_FAILED") == 0
    }

    private func count(_ word: String) -> Int { words.count { $0 == word } }
}
