// What runs a script.

public import Foundation

/// The program that the first line of a script names: `#!/usr/bin/python3`, `#!/usr/bin/env node`.
public enum ScriptInterpreter {
    /// nil where the file is no script, or can't be read.
    public static func of(_ file: URL) -> String? {
        guard let handle = try? FileHandle(forReadingFrom: file), let head = try? handle.read(upToCount: 256) else { return nil }
        // By bytes: CR LF is one letter to Swift, and to the kernel a name that ends with CR.
        let line = String(decoding: head.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard line.hasPrefix("#!") else { return nil }
        if line.hasSuffix("\r") { return "\(line.dropFirst(2).dropLast()) with a CR behind it (lines that end with CR LF)" }
        let words = line.dropFirst(2).split(separator: " ").map(String.init)
        guard words.first?.hasSuffix("/env") == true else { return words.first }
        return words.dropFirst().first { !$0.hasPrefix("-") }
    }
}
