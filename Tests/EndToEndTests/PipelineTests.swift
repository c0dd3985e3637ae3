// `muster init pipeline`: what it writes is what the schedulers' own tools take, and does what its comments say.

import Foundation
import Testing

/// A repository with an estate and a drill, as it lies on somebody's desk.
private struct Desk {
    let folder: URL
    var pipelines: URL { folder.appendingPathComponent("pipelines") }

    /// One form of one kind; its files by their path below the folder of pipelines.
    struct Form: Sendable {
        var kind: String
        var image: String?
        var files: [String]

        func words(output: String) -> [String] {
            let folder = files[0].hasPrefix("image/") ? "\(output)/image" : output
            return [kind, "--output", folder] + (image.map { ["--image", $0] } ?? [])
        }
    }

    static let image = "registry.example.org/muster:0.1.0"
    private static let jenkinsfiles = ["muster-inspect.Jenkinsfile", "muster-drill.Jenkinsfile"]

    static let forms = [
        Form(kind: "systemd", files: ["muster-inspect.service", "muster-inspect.timer", "muster-drill.service", "muster-drill.timer"]),
        Form(kind: "github", files: ["muster-github.yml"]), Form(kind: "github", image: image, files: ["image/muster-github.yml"]),
        Form(kind: "gitlab", files: ["muster-gitlab.yml"]), Form(kind: "gitlab", image: image, files: ["image/muster-gitlab.yml"]),
        Form(kind: "jenkins", files: jenkinsfiles), Form(kind: "jenkins", image: image, files: jenkinsfiles.map { "image/\($0)" }),
        Form(kind: "kubernetes", image: image, files: ["muster-kubernetes.yaml"]), Form(kind: "cron", files: ["muster.cron"]),
    ]

    static func with(zone: String, _ body: (Desk) async throws -> Void) async throws {
        let desk = Desk(folder: FileManager.default.temporaryDirectory.appendingPathComponent("me2e-desk-\(UUID().uuidString.prefix(8))"))
        defer { try? FileManager.default.removeItem(at: desk.folder) }
        try desk.write(
            "drills/estate.yaml",
            """
            version: 1
            estate: "123.shop"
            timezone: "\(zone)"
            stores:
              near: {type: file, path: /backups/shop}
              far: {type: s3, bucket: shop, endpoint: "https://s3.example.org"}
            keys:
              passphrase: {env: SHOP_BACKUP_KEY}
              beside: {file: keys/beside.key}
              elsewhere: {file: /etc/shop/elsewhere.key}
              vault: {command: [vault, read, marker-of-a-command]}
            notify:
              oncall: {webhook: {url: {env: SHOP_HOOK}, token: {file: keys/hook.token}}}
              dba: {mail: {to: [dba@example.org], from: muster@example.org}}
            services:
              postgres:
                engine: postgres
                backups:
                  daily: {kind: pg_dump, stores: [near, far], match: "*.dump.enc", encryption: {format: openssl, key: passphrase}}
                  weekly: {kind: pg_dump, store: near, match: "w/*.dump.enc", encryption: {format: openssl, key: beside}}
                  monthly: {kind: pg_dump, store: near, match: "m/*.dump.enc", encryption: {format: openssl, key: elsewhere}}
                  yearly: {kind: pg_dump, store: near, match: "y/*.dump.enc", encryption: {format: openssl, key: vault}}

            """)
        try desk.write(
            "drills/quarterly.yaml",
            "version: 1\ndrill: quarterly-corruption\nestate: estate.yaml\nscenario: database-corruption\nrecover:\n  postgres: {from: daily}\n"
        )
        try await body(desk)
    }

    func write(_ name: String, _ text: String) throws {
        let file = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func make(_ form: Form, _ more: String..., into output: String = "pipelines") async throws -> Outcome {
        try await run(form.words(output: output) + more)
    }

    func text(_ name: String) throws -> String { try String(contentsOf: pipelines.appendingPathComponent(name), encoding: .utf8) }

    func run(_ words: String...) async throws -> Outcome { try await run(words) }

    func run(_ words: [String]) async throws -> Outcome {
        try await Program.run([Program.muster, "init", "pipeline"] + words, folder: folder)
    }
}

@Suite struct PipelineTests {
    @Test(
        .enabled(if: PipelineTools.areHere, "systemd-analyze or Python packages are missing: scripts/setup-tests brings them"),
        arguments: ["Asia/Kolkata", "Europe/Berlin"])
    func theToolsOfOthersTakeThem(zone: String) async throws {
        try await Desk.with(zone: zone) { desk in
            for form in Desk.forms {
                let made = try await desk.make(form, "--filter", "^quarterly-")
                #expect(made.code == 0, "\(made.text)")
                for name in form.files {
                    #expect(made.out.contains("wrote pipelines/\(name)\n"), "\(made.text)")
                    let text = try desk.text(name)
                    #expect(text.contains(zone) || name.hasSuffix(".service"), "\(name)")
                    #expect(!text.contains("<%") && !text.contains("marker-of-a-command") && !text.contains("&quot;"), "\(name)")
                    // systemd asks whether the program is there.
                    try desk.write("pipelines/\(name)", text.replacing("/usr/local/bin/muster", with: Program.muster))
                    if form.kind == "cron" { continue }
                    let judged = try await PipelineTools.judge(desk.pipelines.appendingPathComponent(name))
                    #expect(judged.code == 0, "\(name): \(judged.text)")
                }
            }
            for name in ["muster-inspect.service", "muster-drill.service"] {
                let exposed = try await Program.run(
                    ["systemd-analyze", "security", "--offline=yes", "--threshold=38", "./\(name)"], folder: desk.pipelines)
                #expect(exposed.code == 0, "\(exposed.text)")
            }
            for name in ["inspect", "drill"] { try await expectDates(name, desk, zone: zone) }
        }
    }

    /// The judges see what is wrong: what takes everything would prove nothing.
    @Test(
        .enabled(if: PipelineTools.areHere, "systemd-analyze or Python packages are missing: scripts/setup-tests brings them"),
        arguments: [
            ("muster-github.yml", "  contents: read", "  content: read"), ("image/muster-github.yml", "      options:", "      option:"),
            ("muster-github.yml", "case \"$SCHEDULE\" in", "case \"${{ github.head_ref }}\" in"),
            ("muster-github.yml", "persist-credentials: false", "fetch-depth: 1"),
            ("muster-gitlab.yml", "  interruptible: false", "  interruptibel: 1"),
            ("image/muster-gitlab.yml", "    entrypoint: [\"\"]", "    entrypiont: [\"\"]"),
            ("muster-kubernetes.yaml", "concurrencyPolicy", "concurencyPolicy"),
            ("muster-drill.Jenkinsfile", "label 'muster' }", "label 'muster'"),
            ("muster-drill.timer", "Persistent=", "Persistant="), ("muster-drill.timer", "Europe/Berlin\n", "+02:00\n"),
            ("muster-drill.service", "Type=oneshot", "Type=oneshut"),
        ])
    func theToolsOfOthersSeeWhatIsWrong(name: String, right: String, wrong: String) async throws {
        try await Desk.with(zone: "Europe/Berlin") { desk in
            let form = try #require(Desk.forms.first { $0.files.contains(name) })
            #expect(try await desk.make(form).code == 0)
            let text = try desk.text(name)
            try #require(text.contains(right))
            try desk.write(
                "pipelines/\(name)", text.replacing(right, with: wrong).replacing("/usr/local/bin/muster", with: Program.muster))
            let judged = try await PipelineTools.judge(desk.pipelines.appendingPathComponent(name))
            #expect(judged.code != 0, "\(judged.text)")
        }
    }

    /// Over two years, by systemd's own reckoning and by the calendar.
    private func expectDates(_ name: String, _ desk: Desk, zone: String) async throws {
        let timer = try desk.text("muster-\(name).timer")
        let expression = try #require(timer.firstMatch(of: /\nOnCalendar=(.*)\n/)).1
        let said = try await Program.run(
            ["systemd-analyze", "calendar", "--base-time=2027-01-01", "--iterations=8", String(expression)], environment: ["TZ": zone])
        let dates = said.out.matches(of: /(?:Next elapse|Iter\. #\d): (\w{3}) (\d{4}-\d\d-\d\d) (\d\d:\d\d):00/).map {
            "\($0.1) \($0.2) \($0.3)"
        }
        #expect(dates.count == 8 && dates.allSatisfy { $0.hasSuffix(name == "drill" ? " 03:00" : " 06:30") }, "\(said.text)")
        guard name == "drill" else { return }
        let sundays = [
            "2027-01-03", "2027-04-04", "2027-07-04", "2027-10-03", "2028-01-02", "2028-04-02", "2028-07-02", "2028-10-01",
        ]
        #expect(dates == sundays.map { "Sun \($0) 03:00" }, "\(said.text)")
    }

    @Test func nothingIsWrittenOver() async throws {
        try await Desk.with(zone: "UTC") { desk in
            try desk.write("pipelines/muster-drill.timer", "mine\n")
            let made = try await desk.run("systemd")
            #expect(made.code == 64 && made.err.contains("pipelines/muster-drill.timer is there already"), "\(made.text)")
            #expect(made.err.contains("hint: choose another folder with --output"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: desk.pipelines.path) == ["muster-drill.timer"])
            #expect(try desk.text("muster-drill.timer") == "mine\n")
            #expect(try await desk.run("systemd", "--output", "other").code == 0)
            #expect(try await desk.run("systemd", "--output", "other").code == 64)
        }
    }

    /// Keys by name: those of the environment, those in files, and no word of a command.
    @Test func whatAJobIsHanded() async throws {
        try await Desk.with(zone: "UTC") { desk in
            for form in Desk.forms { #expect(try await desk.make(form, "--checkout", "/srv/shop/").code == 0) }
            #expect(try desk.text("muster-drill.timer").contains("03:00:00 UTC\n"))
            let service = try desk.text("muster-drill.service")
            for line in [
                "mode 0600: AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY SHOP_BACKUP_KEY SHOP_HOOK.", "EnvironmentFile=/etc/muster/environment",
                "#   drills/keys/beside.key", "#   drills/keys/hook.token", "mail takes one such as msmtp's", "#   /etc/shop/elsewhere.key",
                "# The key vault comes from a command",
                "WorkingDirectory=/srv/shop\n", "muster run drills --output",
            ] {
                #expect(service.contains(line), "\(line)\n\(service)")
            }
            #expect(!service.contains("Nobody hears of a red run"))
            for name in ["SHOP_BACKUP_KEY", "SHOP_HOOK"] {
                #expect(try desk.text("muster-github.yml").contains("  \(name): ${{ secrets.\(name) }}\n"))
            }
            #expect(try desk.text("muster-drill.Jenkinsfile").contains("SHOP_BACKUP_KEY = credentials('SHOP_BACKUP_KEY')\n"))
            let pod = try desk.text("muster-kubernetes.yaml")
            for line in [
                // A name that YAML would take for a number, and Kubernetes for none.
                "name: \"muster-123-shop-drill\"", "key: \"SHOP_BACKUP_KEY\"", "mountPath: \"/srv/shop/drills\"",
                "key: \"SHOP_HOOK\"", "key: \"notify-oncall-token\"",
                "- key: \"key-beside\"\n                          path: \"keys/beside.key\"",
                "mountPath: \"/etc/shop/elsewhere.key\"\n                  subPath: \"key-elsewhere\"", "mountPath: \"/backups/shop\"",
            ] {
                #expect(pod.contains(line), "\(line)\n\(pod)")
            }
        }
    }

    /// A container is shown the backups and the files of its machine, and can change none of them; and what must stay stays.
    @Test func whatAContainerIsShown() async throws {
        try await Desk.with(zone: "UTC") { desk in
            for form in Desk.forms { #expect(try await desk.make(form).code == 0) }
            let (image, options) = (Desk.image, "--cap-drop ALL --security-opt no-new-privileges --read-only")
            for (name, bind, expected) in [
                ("muster-github.yml", "        - ", ["options: --user 10001:10001 \(options)", "image: \"\(image)\""]),
                ("muster-gitlab.yml", "#     ", ["name: \"\(image)\"", "entrypoint: [\"\"]"]),
                ("muster-drill.Jenkinsfile", "                -v ", [options, "image '\(image)'"]),
            ] {
                let (text, plain) = (try desk.text("image/\(name)"), try desk.text(name))
                let quote = name.contains("gitlab") ? "\"" : ""
                let binds = ["/backups/shop:/backups/shop:ro", "/etc/shop/elsewhere.key:/etc/shop/elsewhere.key:ro"]
                let own = binds.map { "\(bind)\(quote)\($0)\(quote)" } + ["/var/lib/muster:/var/lib/muster", "MUSTER_SCRATCH_ROOT"]
                for line in own + expected { #expect(text.contains(line) && !plain.contains(line), "\(name): \(line)\n\(text)") }
                // What lies in the checkout comes with it.
                #expect(text.matches(of: /:ro"?,?\n/).count == binds.count && !text.contains("privileged"), "\(text)")
            }
            let pod = try desk.text("muster-kubernetes.yaml")
            for line in ["mountPath: /var/lib/muster/scratch", "mountPath: /tmp", "readOnlyRootFilesystem: true", "drop: [ALL]"] {
                #expect(pod.components(separatedBy: line).count == 3, "\(line)")
            }
        }
    }

    @Test func wrongUsage() async throws {
        try await Desk.with(zone: "UTC") { desk in
            for (words, message) in [
                (["kubernetes"], "add --image NAME:VERSION"), (["cron", "--image", "muster"], "--image goes with github, gitlab"),
                (["systemd", "--image", "muster"], "systemd takes the machine's own"),
                (["kubernetes", "--image", "Muster: 1"], "is no image's name"), (["github", "--image", "-v"], "--image"),
                (["jenkins", "--image", "m' --privileged"], "is no image's name"), (["cron", "--checkout", "srv/drills"], "is relative"),
                (["cron", "--checkout", "/srv/my drills"], "holds a character"), (["github", "--output", "a\"b"], "holds a character"),
                (["cron", "--filter", "^yearly-"], "no drill's name matches"),
                (["cron", "--filter", "a b|c"], "more than a pipeline's line"),
                (["crom"], "is invalid for '<kind>'"), (["cron", "nowhere/estate.yaml"], "nowhere/estate.yaml"),
            ] {
                let outcome = try await desk.run(words)
                #expect(outcome.code == 64 && outcome.err.contains(message), "\(words): \(outcome.text)")
            }
            #expect(!FileManager.default.fileExists(atPath: desk.pipelines.path))
            let outside = try await Program.run(
                [Program.muster, "init", "pipeline", "cron", "../estate.yaml"], folder: desk.folder.appendingPathComponent("drills"))
            #expect(outside.code == 64, "\(outside.text)")
            let inside = desk.folder.appendingPathComponent("drills/inside")
            try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
            let above = try await Program.run([Program.muster, "init", "pipeline", "cron", "../estate.yaml"], folder: inside)
            #expect(above.code == 64 && above.err.contains("lies outside of this folder"), "\(above.text)")
        }
    }

    /// What systemd refuses never comes this far.
    @Test(arguments: ["+05:30", "IST", "GMT+5"]) func aZoneIsAName(zone: String) async throws {
        try await Desk.with(zone: zone) { desk in
            let made = try await desk.run("systemd")
            #expect(made.code == 64 && made.err.contains("unknown time zone"), "\(made.text)")
        }
    }

    /// drills/domainscope/pipelines is what the program writes for that estate; with `MUSTER_UPDATE_GOLDEN`, made anew.
    @Test func theSamplesAreThePrograms() async throws {
        let samples = PipelineTools.root.appendingPathComponent("drills/domainscope")
        let desk = Desk(folder: FileManager.default.temporaryDirectory.appendingPathComponent("me2e-desk-\(UUID().uuidString.prefix(8))"))
        defer { try? FileManager.default.removeItem(at: desk.folder) }
        for name in try FileManager.default.contentsOfDirectory(atPath: samples.path) where name.hasSuffix(".yaml") {
            try desk.write("drills/domainscope/\(name)", try String(contentsOf: samples.appendingPathComponent(name), encoding: .utf8))
        }
        let output = "drills/domainscope/pipelines"
        var names: Set<String> = []
        for form in Desk.forms {
            let made = try await desk.make(form, "drills/domainscope/estate.yaml", into: output)
            #expect(made.code == 0, "\(made.text)")
            names.formUnion(form.files)
        }
        let (held, written) = (samples.appendingPathComponent("pipelines"), desk.folder.appendingPathComponent(output))
        let updates = ProcessInfo.processInfo.environment["MUSTER_UPDATE_GOLDEN"] == "1" && !Program.inCI
        if updates {
            try FileManager.default.createDirectory(at: held.appendingPathComponent("image"), withIntermediateDirectories: true)
        }
        for name in names {
            let text = try String(contentsOf: written.appendingPathComponent(name), encoding: .utf8)
            if updates { try Data(text.utf8).write(to: held.appendingPathComponent(name)) }
            #expect(try String(contentsOf: held.appendingPathComponent(name), encoding: .utf8) == text, "\(name) is stale")
        }
        #expect(Set(try FileManager.default.subpathsOfDirectory(atPath: held.path)) == names.union(["image"]))
    }
}
