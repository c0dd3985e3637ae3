// The members of a tar by their headers alone: what is in between is passed by.

import Foundation

/// What a tar holds, as far as somebody looked.
public struct TarMembers: Sendable, Hashable {
    public struct Member: Sendable, Hashable {
        public var name: String
        /// Where its content begins, in bytes from the tar's own beginning.
        public var offset: Int64
        public var size: Int64
        public var isFile: Bool
    }
    public var members: [Member]
    /// Whether the end was reached: there are no others.
    public var isWhole: Bool

    /// - Parameters:
    ///   - limit: So many members are looked at.
    ///   - read: The bytes at an offset, as many as there are up to a count; none behind the end.
    /// - Returns: nil where it doesn't begin with a tar's header.
    public init?(limit: Int = 256, read: (_ offset: Int64, _ count: Int) -> [UInt8]) {
        members = []
        isWhole = false
        var offset: Int64 = 0
        var longName: String?
        for _ in 0..<limit {
            let header = read(offset, Self.block)
            guard header.count == Self.block else { break }
            if header.allSatisfy({ $0 == 0 }) {
                isWhole = !members.isEmpty
                break
            }
            guard Self.isHeader(header), let size = Self.number(header[124..<136]) else { break }
            offset += Int64(Self.block)
            let type = header[156]
            switch type {
            // Names longer than a header has room for, of GNU and of POSIX.
            case UInt8(ascii: "L"): longName = Self.text(read(offset, Int(min(size, 4096)))[...])
            case UInt8(ascii: "x"), UInt8(ascii: "g"): longName = Self.path(in: read(offset, Int(min(size, 4096)))) ?? longName
            default:
                members.append(
                    Member(
                        name: longName ?? Self.name(header), offset: offset, size: size,
                        isFile: type == UInt8(ascii: "0") || type == 0 || type == UInt8(ascii: "7")))
                longName = nil
            }
            offset += (size + Int64(Self.block) - 1) / Int64(Self.block) * Int64(Self.block)
        }
        if members.isEmpty { return nil }
    }

    private static let block = 512

    /// By its own checksum, which counts itself as blanks.
    private static func isHeader(_ header: [UInt8]) -> Bool {
        guard let stated = number(header[148..<156]) else { return false }
        let sum = header.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(header[$1])) }
        return Int64(sum) == stated
    }

    /// Octal text, or of GNU's large sizes bytes behind a mark.
    private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        if field.first == 0x80 { return field.dropFirst().suffix(7).reduce(0) { $0 << 8 | Int64($1) } }
        let digits = field.drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
        return digits.isEmpty ? nil : Int64(String(decoding: digits, as: UTF8.self), radix: 8)
    }

    private static func name(_ header: [UInt8]) -> String {
        let name = text(header[0..<100])
        let prefix = header[257..<263].elementsEqual(Array("ustar".utf8) + [0]) ? text(header[345..<500]) : ""
        return prefix.isEmpty ? name : "\(prefix)/\(name)"
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String { String(decoding: field.prefix { $0 != 0 }, as: UTF8.self) }

    private static func path(in records: [UInt8]) -> String? {
        String(decoding: records, as: UTF8.self).split(separator: "\n").lazy.compactMap { line -> String? in
            line.firstRange(of: " path=").map { String(line[$0.upperBound...]) }
        }.first
    }
}
