// What was made and removed in a folder, in the order that it happened.

import Foundation
import Glibc
import Testing

/// The kernel's own record of one folder (inotify), from its making on.
final class FolderWatch {
    private let descriptor: Int32
    private var events: [(mask: UInt32, name: String)] = []

    init(_ folder: URL) throws {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        try #require(descriptor >= 0)
        try #require(inotify_add_watch(descriptor, folder.path, UInt32(IN_CREATE | IN_DELETE | IN_MOVED_TO)) >= 0)
    }

    deinit { close(descriptor) }

    func created() -> [String] { names(of: IN_CREATE) + names(of: IN_MOVED_TO) }
    func deleted() -> [String] { names(of: IN_DELETE) }

    private func names(of kind: Int32) -> [String] {
        read()
        return events.filter { $0.mask & UInt32(kind) != 0 }.map(\.name)
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return }
            var offset = 0
            // wd, mask, cookie and len, of four bytes each; then the name, filled up with zeros.
            while offset + 16 <= count {
                let mask = buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self) }
                let length = Int(buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self) })
                let name = buffer[offset + 16..<offset + 16 + length].prefix { $0 != 0 }
                events.append((mask, String(decoding: name, as: UTF8.self)))
                offset += 16 + length
            }
        }
    }
}
