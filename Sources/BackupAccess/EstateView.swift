// What a drill's scratch processes must never see of this machine, and what they must.

public import DrillModel
import Foundation
public import ScratchHost

extension Estate {
    /// Keys, passwords and stores are hidden wherever they lie; a server's own modules are shown.
    public var view: SandboxView {
        let secrets =
            Array(keys.values) + [seals.signingKey, evidence?.signingKey].compactMap(\.self)
            + services.values.flatMap { [$0.source?.password, $0.living?.password].compactMap(\.self) }
            + services.values.flatMap { service in service.backups.values.compactMap(\.configuration?.live) }
        let files = secrets.compactMap { if case .file(let file) = $0 { file } else { nil } }
        let rclone = stores.values.compactMap { store in
            if case .rclone(let remote) = store.remote { remote.configuration } else { nil }
        }
        let modules = services.values.flatMap(\.modules).map { URL(fileURLWithPath: $0.path).deletingLastPathComponent() }
        return SandboxView(
            readable: modules + services.values.compactMap(\.binaries),
            hidden: Self.distinct(files + rclone + stores.values.compactMap(\.folder)))
    }

    private static func distinct(_ urls: [URL]) -> [URL] {
        Dictionary(grouping: urls, by: { $0.standardizedFileURL.path }).keys.sorted().map { URL(fileURLWithPath: $0) }
    }
}
