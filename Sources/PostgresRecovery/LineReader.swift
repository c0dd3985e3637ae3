// Reads a text file line by line in constant memory.

import Foundation
import ScratchHost

/// Lines of a file of any size.
enum LineReader {
    /// A line is looked at up to this many bytes; only rows are ever longer.
    static let longest = 1 << 20

    /// Bytes that are no UTF-8 are replaced, never fatal.
    ///
    /// - Parameter most: Bytes that are read of what code of a backup may have made as large as it likes.
    /// - Throws: ``ScratchError/Kind/refused`` where there are more.
    static func forEachLine(of file: URL, upTo most: Int = .max, _ body: (Substring) throws -> Void) throws {
        var rest: [UInt8] = []
        try forEachChunk(of: file, upTo: most) { chunk in
            var start = 0
            while let end = chunk[start...].firstIndex(of: UInt8(ascii: "\n")) {
                let room = longest - rest.count
                rest.append(contentsOf: chunk[start..<end].prefix(room))
                try body(String(decoding: rest, as: UTF8.self)[...])
                rest.removeAll(keepingCapacity: true)
                start = end + 1
            }
            let room = longest - rest.count
            rest.append(contentsOf: chunk[start...].prefix(room))
        }
        if !rest.isEmpty { try body(String(decoding: rest, as: UTF8.self)[...]) }
    }

    /// The file in pieces, each gone when the next comes. It may lie where code of a backup can write: no link is followed.
    static func forEachChunk(of file: URL, upTo most: Int = .max, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let handle = try UnlinkedFile.reader(file)
        defer { try? handle.close() }
        var room = most
        while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
            room -= data.count
            if room < 0 { throw UnlinkedFile.tooLarge(file) }
            try data.withUnsafeBytes { try body($0) }
        }
    }
}
