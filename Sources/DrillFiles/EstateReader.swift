// An estate file to an estate.

import DrillModel
import Foundation

/// Reads one estate file.
struct EstateReader {
    /// Reads an estate; nil where the file has problems, which it then holds.
    static func read(_ file: SourceFile) -> Estate? {
        guard let root = file.root, let fields = Fields(file, root, .estate) else { return nil }
        fields.requireVersion()
        let name = fields.name("estate")
        let zone = timeZone(fields)
        var stores: [String: Store] = [:]
        let storeReader = StoreReader(file: file, keys: fields.declared("keys"))
        for entry in fields.named("stores", what: "store") ?? [] { stores[entry.name] = storeReader.read(entry) }
        var keys: [String: KeyReference] = [:]
        for entry in fields.named("keys", what: "key") ?? [] {
            keys[entry.name] = Secrets.read(file, entry.node, title: "key \"\(entry.name)\"", place: entry.place)
        }
        let services = ServiceReader(
            file: file, stores: fields["stores"] == nil ? nil : fields.declared("stores"), keys: fields.declared("keys"),
            remoteStores: Set(stores.values.filter { $0.remote != nil }.map(\.name)))
        var readServices: [String: Service] = [:]
        for entry in fields.named("services", what: "service") ?? [] { readServices[entry.name] = services.read(entry) }
        // A service whose name is flawed may be the very one that an application means.
        let declared = fields["services"] == nil ? nil : fields.declared("services")
        let isWhole = declared?.allSatisfy { readServices.keys.contains($0) || $0.wholeMatch(of: /[A-Za-z0-9_\-][A-Za-z0-9._\-]*/) != nil }
        let applications = ApplicationReader(file: file, services: isWhole == true ? declared : nil, read: readServices)
        var readApplications: [String: Application] = [:]
        if fields["applications"] != nil {
            for entry in fields.named("applications", what: "application") ?? [] { readApplications[entry.name] = applications.read(entry) }
        }
        // A standby's zone may be one that no store lies in.
        let inZones = stores.values.compactMap(\.zone) + readServices.values.compactMap { $0.standby?.zone }
        let isKnown = stores.count == fields.declared("stores")?.count && isWhole == true && readServices.count == declared?.count
        let zones = ZoneReader(file: file, fields: fields).read(known: isKnown ? Set(inZones) : nil)
        let seals = seals(fields)
        var byHand: [String: String] = [:]
        if fields["by-hand"] != nil {
            for entry in fields.named("by-hand", what: "promise") ?? [] {
                byHand[entry.name] = file.text(entry.node, what: "promise \"\(entry.name)\"")
            }
        }
        let evidence = evidence(fields)
        let notify = NotifyReader(file: file).read(fields)
        let sealedAs = OriginReader(fields: fields).sealedAs()
        guard file.problems.isEmpty, let name, let zone, let seals else { return nil }
        var estate = Estate(
            name: name, timeZone: zone, stores: stores, keys: keys, services: readServices, applications: readApplications, zones: zones,
            seals: seals, byHand: byHand, file: file.url)
        estate.sealedAs = sealedAs
        estate.evidence = evidence
        estate.notify = notify
        return estate
    }

    private static func timeZone(_ fields: Fields) -> TimeZone? {
        guard fields["timezone"] != nil else { return TimeZone(identifier: "UTC") }
        guard let text = fields.text("timezone") else { return nil }
        // Abbreviations such as IST name several zones, so only full names and UTC count.
        if text == "UTC" || text == "GMT" || text.contains("/"), let zone = TimeZone(identifier: text) { return zone }
        // Foundation's list leaves out some of the names that it knows.
        let known = TimeZone.knownTimeZoneIdentifiers + ["UTC", "Asia/Kolkata"]
        let near = NearestWord.find(text, among: known)
        fields.report(
            "timezone", "unknown time zone \(shown(text))",
            hint: near.map { "did you mean \"\($0)\"?" } ?? "write an IANA name such as Asia/Kolkata, or UTC")
        return nil
    }

    private static func seals(_ parent: Fields) -> SealPolicy? {
        guard let entry = parent["seals"] else { return SealPolicy() }
        guard let fields = Fields(parent.file, entry.node, .seals, title: "\"seals\"", place: entry.place) else { return nil }
        let trusted = trustedKeys(fields)
        let required = fields.flag("required")
        if required == true, fields["trust"] == nil {
            fields.report("required", "seals are required, but no key is trusted", hint: "add \"trust: [keys/seal.pub]\"")
        }
        return SealPolicy(trustedKeys: trusted ?? [], required: required ?? false, signingKey: signingKey(fields))
    }

    private static func evidence(_ parent: Fields) -> EvidencePolicy? {
        guard let entry = parent["evidence"],
            let fields = Fields(parent.file, entry.node, .evidence, title: "\"evidence\"", place: entry.place)
        else { return nil }
        let trusted = trustedKeys(fields)
        guard let key = signingKey(fields), let trusted else { return nil }
        return EvidencePolicy(signingKey: key, trustedKeys: trusted)
    }

    private static func trustedKeys(_ fields: Fields) -> [URL]? {
        fields.texts("trust")?.compactMap { path in
            fields.file.checkPath(path.text, what: "\"trust\"", at: path.place) ? fields.file.resolve(path.text, isFolder: false) : nil
        }
    }

    private static func signingKey(_ fields: Fields) -> KeyReference? {
        fields["sign-with"].flatMap { Secrets.read(fields.file, $0.node, title: "\"sign-with\"", place: $0.place) }
    }
}

extension Fields {
    /// The one layout that there is.
    func requireVersion() {
        guard let version = whole("version", in: .min ... .max), version != 1 else { return }
        report(
            "version", "version \(version) is not known", hint: "this muster reads version 1: write \"version: 1\", or take a newer muster")
    }
}
