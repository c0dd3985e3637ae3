// The kinds of pipelines that `muster init pipeline` writes: which files each has, and what is to be done with them.

import Mustache

/// One kind of pipeline: a template a file, and the way from the files to a schedule that runs.
public struct Pipeline: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case systemd, github, gitlab, jenkins, kubernetes, cron
        /// Whose jobs run in a container, or can.
        static let takingAnImage = [Kind.github, .gitlab, .jenkins, .kubernetes]
    }

    /// One file of it.
    struct File: Sendable {
        var name: String
        /// The Mustache template, whose tags are `<% %>`: `{{ }}` is GitHub's.
        var template: [UInt8]
        /// The job that it is about; nil: both.
        var job: PipelineJob.Name?

        /// - Parameter view: A value of stored texts and flags, by the names of the template's tags.
        func render(_ view: Any) throws -> String {
            // Neither HTML nor braces: what is escaped there, and what stands for something there, is plain text here.
            let tags = "{{%CONTENT_TYPE:TEXT}}{{=<% %>=}}"
            return try MustacheTemplate(string: tags + String(decoding: template, as: UTF8.self)).render(view)
        }
    }

    var kind: Kind
    var files: [File]
    /// For the terminal: what comes next. `OUTPUT` stands for the folder of the files, `CHECKOUT` for the drills' own on their machine.
    var next: [String]

    static func of(_ kind: Kind) -> Pipeline {
        switch kind {
        case .systemd:
            Pipeline(
                kind: kind,
                files: PipelineJob.Name.always.flatMap {
                    [
                        File(name: "muster-\($0.rawValue).service", template: PackageResources.service_mustache, job: $0),
                        File(name: "muster-\($0.rawValue).timer", template: PackageResources.timer_mustache, job: $0),
                    ]
                },
                next: [
                    "cp OUTPUT/muster-*.service OUTPUT/muster-*.timer /etc/systemd/system/    # the account and the keys: see the services",
                    "systemd-analyze verify --recursive-errors=no /etc/systemd/system/muster-*",
                    "systemctl daemon-reload && systemctl enable --now muster-inspect.timer muster-drill.timer    # the checkout in CHECKOUT",
                ])
        case .github:
            Pipeline(
                kind: kind, files: [File(name: "muster-github.yml", template: PackageResources.github_mustache)],
                next: [
                    "copy it to .github/workflows/ on the default branch; give the repository a runner, and its secrets by the names in the file",
                    "then start it once by hand: Actions > muster > Run workflow",
                ])
        case .gitlab:
            Pipeline(
                kind: kind, files: [File(name: "muster-gitlab.yml", template: PackageResources.gitlab_mustache)],
                next: [
                    "include it in .gitlab-ci.yml, and make the two schedules that its first lines name",
                    "then start each once by hand: Build > Pipeline schedules > Play",
                ])
        case .jenkins:
            Pipeline(
                kind: kind,
                files: PipelineJob.Name.always.map {
                    File(name: "muster-\($0.rawValue).Jenkinsfile", template: PackageResources.jenkins_mustache, job: $0)
                },
                next: [
                    "make a Pipeline job from each, and start it once by hand: Jenkins reads its schedule as it runs",
                    "check them against the server's own plugins: jenkins-cli declarative-linter < OUTPUT/muster-drill.Jenkinsfile",
                ])
        case .kubernetes:
            Pipeline(
                kind: kind, files: [File(name: "muster-kubernetes.yaml", template: PackageResources.kubernetes_mustache)],
                next: [
                    "make the config map, the secret and the claims that its first lines name; then kubectl apply --dry-run=server -f it",
                    "then start it once by hand: kubectl create job --from=cronjob/NAME first-inspection",
                ])
        case .cron:
            Pipeline(
                kind: kind, files: [File(name: "muster.cron", template: PackageResources.cron_mustache)],
                next: [
                    "install -m 644 OUTPUT/muster.cron /etc/cron.d/muster    # without a dot: cron passes over names that hold one",
                    "the checkout belongs in CHECKOUT; the account, its folders and the keys: see its first lines",
                ])
        }
    }
}
