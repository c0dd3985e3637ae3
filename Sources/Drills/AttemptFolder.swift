// The folders that an attempt works in.

import BackupAccess
import DrillEngine
import DrillModel
import Foundation
import ScratchHost

extension Attempt {
    /// A private folder inside the scratch folder, which makes room for the next attempt.
    func folder(_ name: String, on host: ScratchHost, of service: String) throws(DrillFailure) -> URL {
        let folder = try host.privateFolder(name, of: service)
        ifDiscarded { try? FileManager.default.removeItem(at: folder) }
        return folder
    }
}
