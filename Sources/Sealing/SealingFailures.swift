// Puts the errors of the libraries below into this module's words.

import Cryptography
import DrillModel
import Foundation
import PostgresClient
import RedisClient
import ScratchHost

extension SealingError {
    init(_ error: any Error, doing: String) {
        switch error {
        case let error as SealingError: self = error
        case is CancellationError: self = .cancelled(doing)
        case let error as CryptographyError where error.kind == .cancelled: self = .cancelled(doing)
        case let error as CryptographyError: self.init(.storage, "\(doing): \(error.message)", hint: error.hint)
        case let error as PostgresError where error.kind == .cancelled: self = .cancelled(doing)
        case let error as PostgresError:
            self.init(.source, "\(doing): \(error.message)", hint: error.hint.isEmpty ? "look into the server's log" : error.hint)
        case let error as RedisError where error.kind == .cancelled: self = .cancelled(doing)
        case let error as RedisError: self.init(.scratch, "\(doing): \(error.message)", hint: error.hint)
        case let error as ScratchError:
            self.init(error.kind == .toolMissing ? .tool : .scratch, "\(doing): \(error.message)", hint: error.hint)
        case let error as DrillFailure:
            // The scratch server's own words: what it refuses to load is no backup.
            self.init(.scratch, "\(doing): \(error.finding.message)", hint: error.finding.hint)
        case is CocoaError: self.init(.storage, "\(doing): a file can't be copied", hint: "check free space and permissions")
        default: self.init(.tool, "\(doing) failed: \(type(of: error))", hint: "report this as a defect of muster")
        }
    }

    private static func cancelled(_ doing: String) -> SealingError {
        SealingError(.cancelled, "\(doing) was cancelled", hint: "run it again")
    }
}
