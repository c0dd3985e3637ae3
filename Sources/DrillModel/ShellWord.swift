// A word of a command line that a person copies.

/// Quoted only where a shell would take it apart.
public enum ShellWord {
    public static func of(_ text: String) -> String {
        let plain = text.allSatisfy { $0.isLetter || $0.isNumber || "/._-+=:@%,".contains($0) }
        return plain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
