// Writes a tar's files out as it streams by, each one verified on the way.

import Foundation
import ScratchHost

// @unchecked: its calls come from one thread after the other, never from two at once: the stream that feeds it is sequential.
final class TarExtraction: @unchecked Sendable {
    private var reader = TarReader()
    private let prefix: String
    private let ledger: CopyLedger
    private let open: (String) throws -> URL
    private let makeFolder: (String) throws -> Void
    private let host: ScratchHost
    private var file: ScratchFile?
    private var check: FileCheck?

    init(
        prefix: String, ledger: CopyLedger, open: @escaping (String) throws -> URL, makeFolder: @escaping (String) throws -> Void,
        host: ScratchHost
    ) {
        self.prefix = prefix
        self.ledger = ledger
        self.open = open
        self.makeFolder = makeFolder
        self.host = host
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        try reader.take(bytes) { entry in
            let path = prefix + entry.path
            switch entry.kind {
            case .folder: if !entry.path.isEmpty { try makeFolder(path) }
            case .link: break
            case .file:
                file = try ScratchFile(try open(path))
                check = try ledger.begin(path)
            }
        } piece: { chunk in
            try check?.take(chunk)
            try file?.write(chunk)
        } end: {
            if let check { try ledger.finish(check) }
            try file?.give(to: host)
            file = nil
            check = nil
        }
    }

    /// - Throws: ``TarProblem`` where the end is missing.
    func finish() throws {
        guard reader.ended, check == nil else { throw TarProblem(message: "it ends before its end mark") }
    }
}
