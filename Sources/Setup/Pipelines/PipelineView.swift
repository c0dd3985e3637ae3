// What the templates of pipelines arrange. Mustache reads stored properties alone, and takes "" for true: so all is made beforehand.

import DrillModel
import Foundation

/// The texts of one file.
struct PipelineView {
    struct Named {
        let name: String
    }

    struct File {
        let key: String
        /// For people: below the checkout where it lies there.
        let place: String
        /// In the pod.
        let path: String
    }

    struct Volume {
        let volume: String
        let claim: String
        let path: String
    }

    /// The package's own units come of the same templates: Tests/SetupTests writes packaging/systemd, and holds it.
    let isPackaged = false
    let estate: String
    /// The estate's name as Kubernetes wants names, and short enough for a CronJob's.
    let slug: String
    let zone: String
    let estateFile: String
    let drills: String
    let checkout: String
    let output: String
    let program = "/usr/local/bin/muster"
    let image: String
    let hasImage: Bool
    /// What a container is shown of the machine that it runs on: stores, and files beside the checkout.
    let binds: [Named]
    let inspect: String
    let run: String
    /// `muster report`, where a drill is due; without a period, it is of the quarter that runs.
    let report: String
    let isDue: Bool
    /// Whether somebody is told of a red run, and whether by mail.
    let isTold: Bool
    let isMailed: Bool
    let inspectCron: String
    let drillCron: String
    /// The one that the file is about; of a file about both, the drill.
    let job: PipelineJob
    let jobs: [PipelineJob]
    let variables: [Named]
    let hasVariables: Bool
    let files: [File]
    let hasFiles: Bool
    let commands: [Named]
    let hasSecret: Bool
    /// Files beside the drills: there the pod's volume of drills takes them in.
    let beside: [File]
    let hasBeside: Bool
    let mounted: [File]
    let hasMounted: Bool
    let stores: [Volume]

    init(_ setup: PipelineSetup, about name: PipelineJob.Name?) {
        let needs = PipelineNeeds(of: setup.estates)
        estate = setup.estate.name
        slug = Self.slug(setup.estate.name)
        // Foundation calls UTC so, whatever the estate file calls it.
        zone = setup.estate.timeZone.identifier == "GMT" ? "UTC" : setup.estate.timeZone.identifier
        estateFile = setup.estateFile
        drills = setup.drills
        checkout = setup.checkout
        output = setup.output
        image = setup.image ?? ""
        hasImage = setup.image != nil
        inspect = "inspect \(setup.estateFile)"
        run = "run \(setup.drills)" + (setup.filter.map { " --filter \($0)" } ?? "")
        report = "report \(setup.estateFile)"
        isDue = setup.isDue
        isTold = !setup.estate.notify.isEmpty
        isMailed = setup.estate.notify.contains { if case .mail = $0.way { true } else { false } }
        let jobs = [PipelineJob(.inspect, words: inspect), PipelineJob(.drill, words: run)]
        self.jobs = jobs + (setup.isDue ? [PipelineJob(.report, words: report)] : [])
        (inspectCron, drillCron) = (jobs[0].cron, jobs[1].cron)
        job = name == .inspect ? jobs[0] : jobs[1]
        variables = needs.variables.map(Named.init)
        hasVariables = !variables.isEmpty
        files = needs.files.map { setup.file($0) }
        hasFiles = !files.isEmpty
        let folders = setup.estate.stores.values.sorted { $0.name < $1.name }.compactMap(\.folder)
        binds = (folders.map { setup.path($0).place } + files.map(\.place)).filter { $0.hasPrefix("/") }.map(Named.init)
        commands = needs.commands.map(Named.init)
        hasSecret = hasVariables || hasFiles
        let folder = "\(setup.checkout)/\(setup.drills)/"
        beside = files.filter { $0.path.hasPrefix(folder) }.map {
            File(key: $0.key, place: $0.place, path: String($0.path.dropFirst(folder.count)))
        }
        hasBeside = !beside.isEmpty
        mounted = files.filter { !$0.path.hasPrefix(folder) }
        hasMounted = !mounted.isEmpty
        stores = setup.estate.stores.values.filter { $0.folder != nil }.sorted { $0.name < $1.name }.enumerated().map { index, store in
            Volume(volume: "store-\(index + 1)", claim: "backups-\(Self.slug(store.name))", path: setup.path(store.folder).path)
        }
    }

    static func slug(_ name: String) -> String {
        // A CronJob's name has 52 characters at the most, and there is "muster-" before this and "-inspect" behind.
        let word = EstateDraft.word(name).prefix(37)
        return word.hasSuffix("-") ? String(word.dropLast()) : String(word)
    }
}
