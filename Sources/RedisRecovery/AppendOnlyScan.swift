// Walks over the commands of an append-only file without looking at their values.

import Foundation

/// What must be known of the commands before a server loads them.
enum AppendOnlyScan {
    /// The highest database that they select; nil where they select none.
    ///
    /// A server with fewer databases refuses the SELECT, starts all the same, and puts what follows into the database before it; only its log says so
    /// (findings/aof-database-beyond-limit-lands-in-db0.sh).
    ///
    /// - Parameter start: Where the commands begin: behind the snapshot that a file opens with.
    static func highestDatabase(in file: URL, from start: Int = 0) -> Int? {
        guard let data = try? Data(contentsOf: file, options: .mappedIfSafe), start < data.count else { return nil }
        return data.withUnsafeBytes { highestDatabase($0, from: start) }
    }

    static func highestDatabase(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var place = start
        var highest: Int?
        /// The number of a line such as `*3` or `$6`, without its sign; nil where the file ends or holds something else.
        func number(_ sign: Character) -> Int? {
            guard place < bytes.count, bytes[place] == sign.asciiValue else { return nil }
            place += 1
            var value = 0
            let first = place
            while place < bytes.count, (0x30...0x39).contains(bytes[place]), place - first < 15 {
                value = value * 10 + Int(bytes[place] - 0x30)
                place += 1
            }
            guard place > first, place + 1 < bytes.count, bytes[place] == 0x0d, bytes[place + 1] == 0x0a else { return nil }
            place += 2
            return value
        }
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "#") {
                while place < bytes.count, bytes[place] != 0x0a { place += 1 }
                place += 1
                continue
            }
            guard let count = number("*"), count > 0 else { return highest }
            var selects = false
            for index in 0..<count {
                guard let length = number("$"), length <= bytes.count - place else { return highest }
                if index == 0, length == 6 {
                    selects = bytes[place..<place + 6].elementsEqual("SELECT".utf8) || bytes[place..<place + 6].elementsEqual("select".utf8)
                } else if index == 1, selects, let database = Int(String(decoding: bytes[place..<place + length], as: UTF8.self)) {
                    highest = max(highest ?? 0, database)
                }
                place += length + 2
            }
        }
        return highest
    }
}
