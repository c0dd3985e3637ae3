// Puts the errors of the libraries below into this module's words.

import Cryptography
import DrillModel
import PostgresClient
import RedisClient
import ScratchHost
import Sealing
import Seals

extension LabError {
    init(_ error: any Error, doing: String) {
        switch error {
        case let error as LabError: self = error
        case is CancellationError: self = .cancelled(doing)
        case let error as PostgresError where error.kind == .cancelled: self = .cancelled(doing)
        case let error as PostgresError:
            let state = error.sqlState.map { " (\($0))" } ?? ""
            self.init(.server, "\(doing): \(error.message)\(state)", hint: error.hint.isEmpty ? "run it again" : error.hint)
        case let error as RedisError where error.kind == .cancelled: self = .cancelled(doing)
        case let error as RedisError: self.init(.server, "\(doing): \(error.message)", hint: error.hint)
        case let error as CryptographyError where error.kind == .cancelled: self = .cancelled(doing)
        case let error as CryptographyError: self.init(.storage, "\(doing): \(error.message)", hint: error.hint)
        case let error as SealError: self.init(.storage, "\(doing): \(error.message)", hint: error.hint)
        case let error as ScratchError:
            self.init(error.kind == .toolMissing ? .toolMissing : .server, "\(doing): \(error.message)", hint: error.hint)
        case let error as SealingError where error.kind == .cancelled: self = .cancelled(doing)
        case let error as SealingError: self.init(.server, "\(doing): \(error.message)", hint: error.hint)
        case let error as DrillFailure: self.init(.server, "\(doing): \(error.finding.message)", hint: error.finding.hint)
        default: self.init(.storage, "\(doing): \(type(of: error))", hint: "check free space and permissions")
        }
    }

    private static func cancelled(_ doing: String) -> LabError {
        LabError(.cancelled, "\(doing) was cancelled", hint: "run it again")
    }
}
