// Which of the kept backups a drill takes: a word, or a span of time that one is drawn from.

import DrillModel
import Yams

/// Reads `select` of one recovery.
struct SelectionReader {
    let file: SourceFile
    let recovery: Fields

    func read() -> (selection: Recovery.Selection?, within: Duration?) {
        guard let entry = recovery["select"] else { return (nil, nil) }
        guard case .mapping = entry.node else { return (recovery.choice("select", Recovery.Selection.self), nil) }
        guard let fields = Fields(file, entry.node, .selection, title: "\"select\"", place: entry.place) else { return (nil, nil) }
        guard let within = fields.duration("within") else { return (nil, nil) }
        return (.random, within)
    }
}

extension DrillReader {
    /// Where nothing but samples is restored, or recovered to sealed moments, no target of data loss could ever be judged.
    func checkSamples(_ recoveries: [Recovery], _ targets: Targets, of estate: Estate?) {
        guard let estate, !recoveries.isEmpty, targets.rpo != nil || targets.rpoWorstCase != nil else { return }
        let isSampling = recoveries.allSatisfy { recovery in
            recovery.target?.goal == .moment
                || recovery.selection.isSample && estate.services[recovery.service]?.backups[recovery.backup]?.hasWAL == false
        }
        guard isSampling else { return }
        fields.report(
            "targets", "\"rpo\" and \"rpo-worst-case\" can't be judged of backups and moments that are taken whatever their age",
            hint: "remove them here, and keep a drill with select: latest-healthy, to the end of the log, that judges them")
    }
}
