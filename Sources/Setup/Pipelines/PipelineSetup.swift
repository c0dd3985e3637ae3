// From an estate and its drills to the files of a pipeline: what `muster init pipeline` does.

public import DrillModel
import Foundation

/// One pipeline to be.
public struct PipelineSetup: Sendable {
    let kind: Pipeline.Kind
    let estate: Estate
    /// All that the drills speak of: what each takes must be handed over.
    let estates: [Estate]
    /// Whether a drill says how often it is due: there is something to report then.
    let isDue: Bool
    /// Both relative to the checkout's root, which is where the command is run.
    let estateFile: String
    let drills: String
    let here: URL
    /// Where that checkout lies on the machine that drills.
    let checkout: String
    let output: String
    let filter: String?
    let image: String?

    /// - Parameter plans: The drills of the estate file's folder.
    /// - Throws: ``CommandFailure`` where a name or a path can't stand in such a file as it is.
    public init(
        _ kind: Pipeline.Kind, estate: Estate, plans: [DrillPlan], output: String, checkout: String, filter: String?, image: String?
    ) throws(CommandFailure) {
        self.kind = kind
        self.estate = estate
        here = URL(fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true).standardizedFileURL
        estateFile = try Self.below(here, estate.file)
        drills = estateFile.contains("/") ? String(estateFile.prefix(upTo: estateFile.lastIndex(of: "/") ?? estateFile.endIndex)) : "."
        self.output = try PipelineText.plain(output, "--output")
        self.checkout = try PipelineText.plain(
            checkout.count > 1 && checkout.hasSuffix("/") ? String(checkout.dropLast()) : checkout, "--checkout")
        self.filter = try filter.map { text throws(CommandFailure) in try PipelineText.filter(text, of: plans) }
        self.image = try PipelineText.image(image, for: kind)
        guard checkout.hasPrefix("/") else {
            throw CommandFailure(.usage, "--checkout \(checkout) is relative", hint: "write it from the root, such as /srv/drills")
        }
        var estates = [estate]
        // What an outage leaves of an estate has the same file.
        for plan in plans where !estates.contains(where: { $0.file == plan.estate.file }) { estates.append(plan.estate) }
        self.estates = estates
        isDue = plans.contains { $0.cadence != nil }
        _ = try PipelineText.plain(estate.timeZone.identifier, "the estate's time zone")
        for file in PipelineNeeds(of: estates).files { _ = try PipelineText.plain(file.url.path, "the estate's \(file.key)") }
        for folder in estate.stores.values.compactMap(\.folder) { _ = try PipelineText.plain(folder.path, "a store's path") }
    }

    /// Writes all files or none. Nothing that is there already is written over.
    ///
    /// - Returns: The paths of the files, and what is to be done with them.
    public func write() throws(CommandFailure) -> (files: [String], next: [String]) {
        let pipeline = Pipeline.of(kind)
        let target = URL(fileURLWithPath: output, isDirectory: true)
        for file in pipeline.files where FileManager.default.fileExists(atPath: target.appendingPathComponent(file.name).path) {
            throw CommandFailure(
                .usage, "\(output)/\(file.name) is there already, and nothing was written",
                hint: "choose another folder with --output, or move it away")
        }
        var written: [URL] = []
        do {
            let texts = try pipeline.files.map { ($0.name, try $0.render(PipelineView(self, about: $0.job))) }
            try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
            for (name, text) in texts {
                let file = target.appendingPathComponent(name)
                try Data(text.utf8).write(to: file, options: .withoutOverwriting)
                written.append(file)
            }
        } catch {
            for file in written { try? FileManager.default.removeItem(at: file) }
            throw CommandFailure(.unverified, "\(output) can't be written", hint: "check its permissions and free space")
        }
        let next = pipeline.next.map { $0.replacing("OUTPUT", with: output).replacing("CHECKOUT", with: checkout) }
        return (pipeline.files.map { "\(output)/\($0.name)" }, next)
    }

    /// The same place on the machine that drills: what lies below the checkout here lies below it there.
    func path(_ url: URL?) -> (path: String, place: String) {
        let path = url?.standardizedFileURL.path ?? ""
        let root = here.path == "/" ? "/" : here.path + "/"
        guard path.hasPrefix(root) else { return (path, path) }
        let inside = String(path.dropFirst(root.count))
        return ("\(checkout)/\(inside)", inside)
    }

    func file(_ file: PipelineNeeds.File) -> PipelineView.File {
        let (path, place) = path(file.url)
        return PipelineView.File(key: file.key, place: place, path: path)
    }

    private static func below(_ root: URL, _ file: URL) throws(CommandFailure) -> String {
        let path = file.standardizedFileURL.path
        guard path.hasPrefix(root.path + "/") else {
            throw CommandFailure(
                .usage, "\(path) lies outside of this folder, and a pipeline's checkout holds it",
                hint: "run it in the root of the repository that holds the estate and its drills")
        }
        return try PipelineText.plain(String(path.dropFirst(root.path.count + 1)), "the estate's path")
    }
}
