// Tells what a transfer as text has made of a dump: CR LF line ends, UTF-16, an archive that no tool reads any more.

import ArtifactFormats
import DrillModel
import Foundation

extension Rule {
    static let scriptLineEnds = Rule("script-line-ends")
    static let archiveAsText = Rule("archive-as-text")
}

extension DrillFailure {
    /// The same, unless the archive's bytes show what has damaged it.
    func namingLineEnds(of dump: DumpSource) -> DrillFailure {
        guard verdict == .failed, !dump.isFolder else { return self }
        return LineEnds.translated(dump.location, object: finding.object) ?? self
    }
}

/// The line ends of dumps.
enum LineEnds {
    private static let mend =
        "let pg_dump write the file itself (-f FILE); else docker exec without -t, cmd /c instead of PowerShell's >, and transfers in binary mode"

    /// Of a script that psql takes all the same.
    static func warning(_ script: DumpScript, object: String) -> [Finding] {
        guard script.endsLinesWithCR else { return [] }
        return [
            Finding(
                .scriptLineEnds, .warning, object: object, expected: "lines that end with LF, as pg_dump writes them", actual: "CR LF",
                message: """
                    the dump went through something that ends lines with CR LF: psql takes that, and function bodies, and texts of several \
                    lines in INSERTs, come back with a CR at the end of each line
                    """,
                hint: mend)
        ]
    }

    /// Why an archive can't be read whose bytes went through such a thing; nil where this isn't it.
    static func translated(_ archive: URL, object: String) -> DrillFailure? {
        // Of bytes at random every 256th LF has a CR before it.
        var (lines, returned) = (0, 0)
        var previous: UInt8 = 0
        try? LineReader.forEachChunk(of: archive) { chunk in
            for byte in chunk {
                if byte == 0x0a {
                    lines += 1
                    if previous == 0x0d { returned += 1 }
                }
                previous = byte
            }
        }
        guard lines >= 4, lines == returned else { return nil }
        return .failed(
            Finding(
                .archiveAsText, object: object, expected: "an archive as pg_dump wrote it",
                actual: "a CR before each of its \(lines) LF bytes",
                message: "the archive went through something that ends lines with CR LF, which damages it for good", hint: mend))
    }
}
