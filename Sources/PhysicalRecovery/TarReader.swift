// Reads a tar as it streams by, entry by entry, without ever holding one.

import Foundation

/// A tar that can't be believed.
struct TarProblem: Error {
    var message: String
}

/// What one header of a tar announces.
struct TarEntry: Sendable, Hashable {
    enum Kind: Sendable { case file, folder, link }
    /// Relative, without `./` in front; never leads out of its folder.
    var path: String
    var size: Int64
    var kind: Kind
}

/// Takes chunks of any size. Not to be shared between tasks.
struct TarReader {
    private static let block = 512
    private var header: [UInt8] = []
    private var entry: TarEntry?
    /// Bytes of the entry's content, and then of its padding, that are still to come.
    private var content: Int64 = 0
    private var padding = 0
    /// Zero blocks seen: two end the archive.
    private var zeros = 0
    /// Content of an extension header that names the next entry.
    private var extended: [UInt8]?
    private var isPAX = false
    private var longName: String?

    /// Whether the end mark has come.
    var ended: Bool { zeros >= 2 }

    /// - Parameters:
    ///   - begin: An entry starts; its content, where it is a file, follows in pieces.
    ///   - piece: Content of the last entry.
    ///   - end: The last entry is whole.
    mutating func take(
        _ bytes: UnsafeRawBufferPointer, begin: (TarEntry) throws -> Void, piece: (UnsafeRawBufferPointer) throws -> Void,
        end: () throws -> Void
    ) throws {
        var rest = bytes[...]
        // What follows the end mark only fills the last record.
        while !rest.isEmpty, !ended {
            if content > 0 {
                let count = Int(min(Int64(rest.count), content))
                let part = UnsafeRawBufferPointer(rebasing: rest.prefix(count))
                if extended != nil {
                    extended? += part
                } else {
                    try piece(part)
                }
                content -= Int64(count)
                rest = rest.dropFirst(count)
                if content == 0 { try finish(end) }
            } else if padding > 0 {
                let count = min(rest.count, padding)
                padding -= count
                rest = rest.dropFirst(count)
            } else {
                let count = min(rest.count, Self.block - header.count)
                header += rest.prefix(count)
                rest = rest.dropFirst(count)
                guard header.count == Self.block else { return }
                try open(begin, end)
                header.removeAll(keepingCapacity: true)
            }
        }
    }

    private mutating func finish(_ end: () throws -> Void) throws {
        guard let bytes = extended else { return try end() }
        extended = nil
        if isPAX {
            longName = Self.paxPath(bytes) ?? longName
        } else {
            longName = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private mutating func open(_ begin: (TarEntry) throws -> Void, _ end: () throws -> Void) throws {
        if header.allSatisfy({ $0 == 0 }) {
            zeros += 1
            return
        }
        zeros = 0
        try checkSum()
        let size = try number(124, 12)
        let type = header[156]
        content = size
        padding = Int((512 - size % 512) % 512)
        switch type {
        case UInt8(ascii: "L"), UInt8(ascii: "x"):
            guard size <= 1 << 20 else { throw TarProblem(message: "an extension header is too long") }
            isPAX = type == UInt8(ascii: "x")
            extended = []
            if size == 0 { try finish(end) }
            return
        case UInt8(ascii: "g"):
            extended = []
            isPAX = true
            return
        default: break
        }
        let kind: TarEntry.Kind =
            switch type {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
            case UInt8(ascii: "5"): .folder
            default: .link
            }
        // Only files have content; the others' size field means nothing.
        if kind != .file { (content, padding) = (0, 0) }
        let prefix = header[257..<262].elementsEqual(Array("ustar".utf8)) ? text(345, 155) : ""
        let short = prefix.isEmpty ? text(0, 100) : prefix + "/" + text(0, 100)
        let entry = TarEntry(path: try Self.safe(longName ?? short), size: content, kind: kind)
        longName = nil
        try begin(entry)
        if content == 0 { try end() }
    }

    /// A name that leads out of its folder is no accident.
    private static func safe(_ path: String) throws -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard !path.hasPrefix("/"), !parts.contains("..") else { throw TarProblem(message: "it holds names that lead out of its folder") }
        return parts.joined(separator: "/")
    }

    private func checkSum() throws {
        let stated = try number(148, 8)
        let sum = header.enumerated().reduce(Int64(0)) { $0 + Int64(148..<156 ~= $1.offset ? 32 : $1.element) }
        guard sum == stated else { throw TarProblem(message: "a header of the tar is damaged") }
    }

    private func text(_ offset: Int, _ count: Int) -> String {
        String(decoding: header[offset..<offset + count].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Octal digits, or, for what they can't hold, base 256.
    private func number(_ offset: Int, _ count: Int) throws -> Int64 {
        let field = header[offset..<offset + count]
        if let first = field.first, first & 0x80 != 0 {
            var value = Int64(first & 0x7f)
            for byte in field.dropFirst() {
                guard value < 1 << 54 else { throw TarProblem(message: "a header of the tar is damaged") }
                value = value << 8 | Int64(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 32 }.prefix { $0 != 0 && $0 != 32 }
        guard let value = digits.isEmpty ? 0 : Int64(String(decoding: digits, as: UTF8.self), radix: 8), value >= 0 else {
            throw TarProblem(message: "a header of the tar is damaged")
        }
        return value
    }

    private static func paxPath(_ bytes: [UInt8]) -> String? {
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard let space = line.firstIndex(of: " ") else { continue }
            let pair = line[line.index(after: space)...]
            if pair.hasPrefix("path=") { return String(pair.dropFirst(5)) }
        }
        return nil
    }
}
