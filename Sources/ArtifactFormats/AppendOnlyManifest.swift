// The manifest of an append-only folder: which files belong to the set, in the order in which a server loads them.

/// `file appendonly.aof.2.base.rdb seq 2 type b`, a line for each file.
public struct AppendOnlyManifest: Sendable, Hashable {
    public static let suffix = ".manifest"

    public struct Part: Sendable, Hashable {
        public enum Kind: String, Sendable, Hashable {
            case base = "b"
            case increment = "i"
            /// Superseded by a rewrite and about to be deleted: no server reads it.
            case history = "h"
        }
        public var name: String
        public var sequence: Int
        public var kind: Kind

        public init(name: String, sequence: Int, kind: Kind) {
            self.name = name
            self.sequence = sequence
            self.kind = kind
        }
    }
    public var parts: [Part]

    /// What a server loads, in this order.
    public var loaded: [Part] { parts.filter { $0.kind != .history } }
    public var base: Part? { parts.first { $0.kind == .base } }
    public var increments: [Part] { parts.filter { $0.kind == .increment } }

    /// - Returns: nil where a line is none that a server would take.
    public init?(_ bytes: [UInt8]) {
        parts = []
        for line in bytes.split(separator: 0x0a) {
            let line = line.last == 0x0d ? line.dropLast() : line
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            guard let words = Self.words(Array(line)), words.count.isMultiple(of: 2) else { return nil }
            var values: [String: String] = [:]
            // More keys come with newer servers, which all servers pass over: 8.2 adds `startoffset` and `endoffset`.
            for index in stride(from: 0, to: words.count, by: 2) { values[words[index].lowercased()] = words[index + 1] }
            guard let name = values["file"], !name.isEmpty, !name.contains("/"), let sequence = values["seq"].flatMap({ Int($0) }),
                let kind = values["type"].flatMap(Part.Kind.init)
            else { return nil }
            parts.append(Part(name: name, sequence: sequence, kind: kind))
        }
    }

    /// Redis' quoted form: words parted by blanks; between double quotes `\xNN` and `\n`, `\r`, `\t`, `\b`, `\a`, and any other byte behind
    /// a backslash as itself; between single quotes `\'` alone.
    private static func words(_ line: [UInt8]) -> [String]? {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
        var words: [String] = []
        var place = 0
        while true {
            while place < line.count, isBlank(line[place]) { place += 1 }
            guard place < line.count else { return words }
            var word: [UInt8] = []
            let quote = [UInt8(ascii: "\""), UInt8(ascii: "'")].first { $0 == line[place] }
            if let quote {
                place += 1
                var isClosed = false
                while place < line.count, !isClosed {
                    let byte = line[place]
                    place += 1
                    if byte == quote {
                        isClosed = true
                    } else if byte == UInt8(ascii: "\\"), place < line.count {
                        word.append(escaped(line, &place, quote: quote))
                    } else {
                        word.append(byte)
                    }
                }
                guard isClosed, place == line.count || isBlank(line[place]) else { return nil }
            } else {
                while place < line.count, !isBlank(line[place]) {
                    word.append(line[place])
                    place += 1
                }
            }
            words.append(String(decoding: word, as: UTF8.self))
        }
    }

    private static func escaped(_ line: [UInt8], _ place: inout Int, quote: UInt8) -> UInt8 {
        let next = line[place]
        guard quote == UInt8(ascii: "\"") else {
            // Between single quotes a backslash is itself, but before one of them.
            guard next == quote else { return UInt8(ascii: "\\") }
            place += 1
            return quote
        }
        if next == UInt8(ascii: "x"), place + 2 < line.count,
            let byte = UInt8(String(decoding: line[place + 1...place + 2], as: UTF8.self), radix: 16)
        {
            place += 3
            return byte
        }
        place += 1
        let letters: [Character: UInt8] = ["n": 0x0a, "r": 0x0d, "t": 0x09, "b": 0x08, "a": 0x07]
        return letters[Character(UnicodeScalar(next))] ?? next
    }
}
