// Every mistake in an estate file, with its place, its message and its hint.

import Foundation
import Testing

@testable import DrillFiles

private let secretHint =
    "take it out, change it, and name where it is instead: {file: path}, {env: NAME} or {command: [program, argument]}"
private let pathHint = "write the full path, or one relative to this file"
private let encryptionHint = "write \"none\", or {format: openssl, key: NAME}"
private let nameHint = "use letters, digits, \".\", \"_\" and \"-\", not beginning with \".\", 100 at the most"
private let hostHint = "write host, port, database and user each on its own line"

private let ofTheFile = [
    BadInput(
        "unknown key", replace: "timezone:", with: "‸timezoen:", "unknown key \"timezoen\"", hint: "did you mean \"timezone\"?"),
    BadInput(
        "unknown key, nothing near", replace: "timezone: Asia/Kolkata", with: "‸colour: red", "unknown key \"colour\"",
        hint: "known keys: applications, by-hand, estate, keys, sealed-as, seals, services, stores, timezone, version, zones"),
    BadInput(
        "missing key", replace: "version: 1\nestate: domainscope", with: "‸version: 1", "missing key \"estate\"",
        hint: "add \"estate: my-estate\""),
    BadInput(
        "misspelt required key", replace: "estate: domainscope", with: "‸estat: x", "unknown key \"estat\"",
        hint: "did you mean \"estate\"?"),
    BadInput(
        "no value", replace: "timezone: Asia/Kolkata", with: "‸timezone:", "\"timezone\" has no value",
        hint: "write one, or remove the line"),
    BadInput(
        "required, no value", replace: "estate: domainscope", with: "‸estate: ~", "\"estate\" has no value",
        hint: "write \"estate: my-estate\""),
    BadInput(
        "empty text", replace: "estate: domainscope", with: "estate: ‸\"\"", "\"estate\" is empty",
        hint: "write a value, or remove the line"),
    BadInput(
        "version from the future", replace: "version: 1", with: "version: ‸2", "version 2 is not known",
        hint: "this muster reads version 1: write \"version: 1\", or take a newer muster"),
    BadInput(
        "version as text", replace: "version: 1", with: "version: ‸\"1\"", "\"version\" must be a number, not text",
        hint: "remove the quotes"),
    BadInput(
        "version as word", replace: "version: 1", with: "version: ‸one", "\"version\" must be a whole number",
        hint: "write it in digits, such as 100"),
    BadInput(
        "octal version", replace: "version: 1", with: "version: ‸01", "\"version\" must be a whole number",
        hint: "write it in digits, such as 100"),
    BadInput(
        "name with a slash", replace: "estate: domainscope", with: "estate: ‸../x", "estate \"../x\" is not a valid name", hint: nameHint),
    BadInput(
        "name is a list", replace: "estate: domainscope", with: "estate: ‸[a]", "\"estate\" must be text, not a list",
        hint: "write a single value, in quotes where in doubt"),
    BadInput(
        "time zone", replace: "Asia/Kolkata", with: "‸Asia/Kolkatta", "unknown time zone \"Asia/Kolkatta\"",
        hint: "did you mean \"Asia/Kolkata\"?"),
    BadInput(
        "time zone by abbreviation", replace: "Asia/Kolkata", with: "‸IST", "unknown time zone \"IST\"",
        hint: "write an IANA name such as Asia/Kolkata, or UTC"),
    BadInput(
        "duplicate key", replace: "timezone: Asia/Kolkata", with: "timezone: UTC\n‸timezone: UTC", "duplicate key \"timezone\"",
        hint: "keep one of them: the other is in line 3"),
    BadInput(
        "duplicate, once quoted", replace: "timezone: Asia/Kolkata", with: "\"timezone\": UTC\n‸timezone: UTC",
        "duplicate key \"timezone\"",
        hint: "keep one of them: the other is in line 3"),
    BadInput(
        "duplicate name", replace: "  secondary:", with: "  primary2: &p {type: file, path: x}\n  ‸primary: *p\n  secondary:",
        "duplicate key \"primary\"",
        hint: "keep one of them: the other is in line 5"),
    BadInput(
        "a key that is a list", replace: "timezone: Asia/Kolkata", with: "‸[a]: UTC", "a key must be a word, not a list",
        hint: "quote a key that begins with [, { or *"),
    BadInput(
        "a tag", replace: "estate: domainscope", with: "estate: ‸!vault domainscope", "YAML tags are not read",
        hint: "remove the word that begins with !, and quote the value if it belongs to it"),
    BadInput(
        "merge of text", replace: "timezone: Asia/Kolkata", with: "<<: ‸text", "\"<<\" merges mappings, not text",
        hint: "write \"<<: *anchor\" of a mapping"),
]

private let ofStoresKeysAndSeals = [
    BadInput(
        "no stores",
        replace: """
            stores:
              primary: {type: file, path: backups/primary, zone: ksdc}
              secondary:
                type: file
                path: /srv/dr
            """, with: "stores: ‸{}", "\"stores\" is empty", hint: "name at least one store"),
    BadInput(
        "store name", replace: "  secondary:\n", with: "  secondary: {type: file, path: a}\n  ‸\"a b\":\n",
        "store \"a b\" is not a valid name", hint: nameHint),
    BadInput(
        "hidden store name", replace: "  secondary:\n", with: "  secondary: {type: file, path: a}\n  ‸..:\n",
        "store \"..\" is not a valid name", hint: nameHint),
    BadInput(
        "store without a value", replace: "  secondary:\n", with: "  secondary: {type: file, path: a}\n  ‸c:\n  d:\n",
        "store \"c\" has no value", hint: "write one, or remove the line"),
    BadInput(
        "store is text", replace: "{type: file, path: backups/primary, zone: ksdc}", with: "‸/backups",
        "store \"primary\" must be a mapping, not text", hint: "write \"key: value\" lines, indented below it"),
    BadInput(
        "half a pair of keys", replace: "  secondary:\n", with: "  ‸extra: {type: s3, bucket: dr, access-key: backup}\n  secondary:\n",
        "store \"extra\" has half a pair of keys",
        hint: "add \"secret-key: NAME\", or name neither: then AWS_ACCESS_KEY_ID and its kin are read from the environment"),
    BadInput(
        "secret of a bucket", replace: "  secondary:\n",
        with: "  extra: {type: s3, bucket: dr, access-key: backup, secret-key: ‸hunter2}\n  secondary:\n",
        "\"secret-key\" is not a name from \"keys\"",
        hint: "declare it under \"keys\" as NAME: {file: path}, {env: NAME} or {command: [program, argument]}, and write its name here"),
    BadInput(
        "endpoint with a user", replace: "  secondary:\n",
        with: "  extra: {type: s3, bucket: dr, endpoint: ‸\"https://a:b@s3.example\"}\n  secondary:\n", "\"endpoint\" is no address",
        hint: "write it as https://s3.example.org, without user and path"),
    BadInput(
        "bucket with a path", replace: "  secondary:\n", with: "  extra: {type: s3, bucket: ‸dr/backups}\n  secondary:\n",
        "\"bucket\" is no name of a bucket", hint: "write its name alone, and what follows it as \"prefix\""),
    BadInput(
        "misspelt key of a bucket", replace: "  secondary:\n", with: "  extra: {type: s3, bucket: dr, ‸regoin: a}\n  secondary:\n",
        "unknown key \"regoin\" in store \"extra\"", hint: "did you mean \"region\"?"),
    BadInput(
        "sftp without a key", replace: "  secondary:\n",
        with: "  ‸extra: {type: sftp, host: a, user: b, path: c, known-hosts: d}\n  secondary:\n",
        "store \"extra\" needs one of \"private-key\" and \"password\"",
        hint: "add \"private-key: NAME\", and declare NAME under \"keys\""),
    BadInput(
        "sftp without known hosts", replace: "  secondary:\n",
        with: "  ‸extra: {type: sftp, host: a, user: b, path: c, password: backup}\n  secondary:\n",
        "missing key \"known-hosts\" in store \"extra\"", hint: "add \"known-hosts: /etc/ssh/ssh_known_hosts\""),
    BadInput(
        "rclone options", replace: "  secondary:\n",
        with: "  extra: {type: rclone, config: a, remote: ‸\"s3,secret_access_key=x:b\"}\n  secondary:\n",
        "\"remote\" is not NAME:path", hint: "write a name that the rclone configuration declares, and the path"),
    BadInput(
        "store type", replace: "{type: file, path: b", with: "{type: ‸files, path: b", "unknown type \"files\"",
        hint: "did you mean \"file\"?"),
    BadInput(
        "store without path", replace: "primary: {type: file, path: backups/primary,", with: "‸primary: {type: file,",
        "missing key \"path\" in store \"primary\"", hint: "add \"path: /backups\""),
    BadInput("home", replace: "path: backups/primary", with: "path: ‸~/backups", "~ is not expanded in \"path\"", hint: pathHint),
    BadInput(
        "variable", replace: "path: backups/primary", with: "path: ‸\"${HOME}/backups\"", "variables are not expanded in \"path\"",
        hint: pathHint),
    BadInput(
        "address", replace: "path: backups/primary", with: "path: ‸s3://bucket/x", "\"path\" must be a path, not an address", hint: pathHint
    ),
    BadInput(
        "path of two lines", replace: "path: backups/primary", with: "path: ‸\"a\\nb\"", "\"path\" holds a line break or control character",
        hint: "write the path on one line"),
    BadInput(
        "key in the file", replace: "{env: DOMAINSCOPE_BACKUP_KEY}", with: "‸hunter2",
        "key \"backup\" must say where the secret is, and not be one", hint: secretHint),
    BadInput(
        "key as list", replace: "{env: DOMAINSCOPE_BACKUP_KEY}", with: "‸[hunter2]",
        "key \"backup\" must say where the secret is, and not be one", hint: secretHint),
    BadInput(
        "key as unknown key", replace: "{env: DOMAINSCOPE_BACKUP_KEY}", with: "{env: A, ‸hunter2: x}", "unknown key in key \"backup\"",
        hint: "known keys: command, env, file"),
    BadInput(
        "key twice", replace: "backup: {env: DOMAINSCOPE_BACKUP_KEY}", with: "‸backup: {env: A, file: b}",
        "key \"backup\" says more than one place", hint: "write one of {file: path}, {env: NAME} and {command: [program, argument]}"),
    BadInput(
        "key nowhere", replace: "backup: {env: DOMAINSCOPE_BACKUP_KEY}", with: "‸backup: {}", "key \"backup\" says no place",
        hint: "write one of {file: path}, {env: NAME} and {command: [program, argument]}"),
    BadInput(
        "env with $", replace: "env: DOMAINSCOPE_BACKUP_KEY", with: "env: ‸$HUNTER2", "\"env\" is the variable's name, without $",
        hint: "write {env: NAME}"),
    BadInput(
        "env that is no name", replace: "env: DOMAINSCOPE_BACKUP_KEY", with: "env: ‸hunter2-hunter2",
        "\"env\" must be the name of an environment variable", hint: "use letters, digits and _: {env: NAME}"),
    BadInput(
        "key file that begins like a key", replace: "file: keys/spare", with: "file: ‸-----BEGIN HUNTER2",
        "key \"spare\" must name a file, and not hold the key", hint: secretHint),
    BadInput(
        "key file that is the key", replace: "file: keys/spare", with: "file: ‸\"-----BEGIN PRIVATE KEY-----\\nhunter2\"",
        "key \"spare\" must name a file, and not hold the key", hint: secretHint),
    BadInput(
        "command as text", replace: "[pass, show, \"dr/backup key\"]", with: "‸pass show hunter2", "\"command\" must be a list, not text",
        hint: "write \"command: [one, two]\""),
    BadInput(
        "empty command", replace: "[pass, show, \"dr/backup key\"]", with: "‸[]", "\"command\" is empty",
        hint: "name at least one, or remove the line"),
    BadInput(
        "command with a list in it", replace: "[pass, show, \"dr/backup key\"]", with: "[pass, ‸[hunter2]]",
        "each item of \"command\" must be text, not a list", hint: "write a single value, in quotes where in doubt"),
    BadInput(
        "trust as text", replace: "[keys/seal.pub]", with: "‸keys/seal.pub", "\"trust\" must be a list, not text",
        hint: "write \"trust: [one, two]\""),
    BadInput("trust at home", replace: "[keys/seal.pub]", with: "[‸~/seal.pub]", "~ is not expanded in \"trust\"", hint: pathHint),
    BadInput(
        "required: yes", replace: "required: true", with: "required: ‸yes", "\"required\" must be true or false",
        hint: "write true or false, without quotes; yes, no, on and off are text"),
    BadInput(
        "required: text", replace: "required: true", with: "required: ‸\"true\"", "\"required\" must be true or false",
        hint: "write true or false, without quotes; yes, no, on and off are text"),
    BadInput(
        "required: True", replace: "required: true", with: "required: ‸True", "\"required\" must be true or false",
        hint: "write true or false, without quotes; yes, no, on and off are text"),
    BadInput(
        "required, nothing trusted", replace: "  trust: [keys/seal.pub]\n  required: true", with: "  required: ‸true",
        "seals are required, but no key is trusted", hint: "add \"trust: [keys/seal.pub]\""),
    BadInput(
        "signing key in the file", replace: "{file: keys/seal.pem}", with: "‸hunter2",
        "\"sign-with\" must say where the secret is, and not be one", hint: secretHint),
]

private let ofServices = [
    BadInput(
        "engine", replace: "engine: postgres", with: "engine: ‸postgresql", "unknown engine \"postgresql\"",
        hint: "did you mean \"postgres\"?"),
    BadInput(
        "no engine", replace: "  redis:\n    engine: redis\n", with: "  ‸redis:\n", "missing key \"engine\" in service \"redis\"",
        hint: "add \"engine: postgres\""),
    BadInput("service name", replace: "  redis:\n", with: "  ‸a/b:\n", "service \"a/b\" is not a valid name", hint: nameHint),
    BadInput(
        "no backups",
        replace: """
                backups:
                  rdb:
                    kind: rdb
                    store: primary
                    match: "redis/*.rdb"
                    encryption: none
            """, with: "    backups: ‸{}", "\"backups\" is empty", hint: "name at least one backup"),
    BadInput(
        "password in the file", replace: "password: {env: SOURCE_PASSWORD}", with: "password: ‸hunter2",
        "\"password\" must say where the secret is, and not be one", hint: secretHint),
    BadInput(
        "passphrase in the file", replace: "password: {env: SOURCE_PASSWORD}", with: "‸passphrase: hunter2",
        "\"passphrase\" would be a secret written in the file", hint: secretHint),
    BadInput(
        "connection string", replace: "host: /run/postgresql", with: "host: ‸postgres://u:hunter2@h/db", "\"host\" holds more than a host",
        hint: hostHint),
    BadInput(
        "host with words", replace: "host: /run/postgresql", with: "host: ‸\"host=h password=hunter2\"", "\"host\" holds more than a host",
        hint: hostHint),
    BadInput(
        "host with port", replace: "host: /run/postgresql", with: "host: ‸localhost:5432", "\"host\" holds more than a host", hint: hostHint
    ),
    BadInput("host at home", replace: "host: /run/postgresql", with: "host: ‸~/socket", "~ is not expanded in \"host\"", hint: pathHint),
    BadInput("port", replace: "port: 5432", with: "port: ‸70000", "\"port\" is out of range", hint: "write a number from 1 to 65535"),
    BadInput(
        "huge port", replace: "port: 5432", with: "port: ‸99999999999999999999", "\"port\" is out of range",
        hint: "write a number from 1 to 65535"),
    BadInput(
        "port as text", replace: "port: 5432", with: "port: ‸\"5432\"", "\"port\" must be a number, not text", hint: "remove the quotes"),
    BadInput(
        "port as list", replace: "port: 5432", with: "port: ‸[5432]", "\"port\" must be a whole number, not a list",
        hint: "write it in digits"),
    BadInput(
        "Redis database by name", replace: "engine: redis\n", with: "engine: redis\n    source: {host: h, database: ‸main}\n",
        "a Redis database has a number, not a name", hint: "write its number, such as 0"),
    BadInput(
        "binaries of a database", replace: "engine: postgres\n", with: "engine: postgres\n    binaries: ‸/opt/bin\n",
        "\"binaries\" does not fit engine \"postgres\"", hint: "remove it: only a redis is restored with software of its own"),
    BadInput(
        "modules of a database", replace: "engine: postgres\n", with: "engine: postgres\n    modules: ‸[{path: /m.so}]\n",
        "\"modules\" does not fit engine \"postgres\"", hint: "remove it: only a redis is restored with software of its own"),
    BadInput(
        "binaries at home", replace: "binaries: /opt/redis-7.4/bin", with: "binaries: ‸~/redis", "~ is not expanded in \"binaries\"",
        hint: pathHint),
    BadInput(
        "module without its list", replace: "modules: [{path: modules/rejson.so, arguments: [A, \"1\"]}, {path: /usr/lib/bloom.so}]",
        with: "modules: ‸{path: /m.so}", "\"modules\" must be a list, not a mapping",
        hint: "write \"modules: [{path: /usr/lib/redis/modules/rejson.so}]\""),
    BadInput(
        "no modules", replace: "modules: [{path: modules/rejson.so, arguments: [A, \"1\"]}, {path: /usr/lib/bloom.so}]",
        with: "modules: ‸[]", "\"modules\" is empty", hint: "name at least one, or remove the line"),
    BadInput(
        "module without a path", replace: "{path: /usr/lib/bloom.so}", with: "‸{arguments: [x]}",
        "missing key \"path\" in a module of service \"redis\"", hint: "add \"path: /usr/lib/redis/modules/rejson.so\""),
    BadInput(
        "module's argument of two lines", replace: "arguments: [A, \"1\"]", with: "arguments: ‸[\"a\\nsave 1 1\"]",
        "an argument of a module holds a line break", hint: "write it on one line"),
    BadInput(
        "source without host", replace: "engine: redis\n", with: "engine: redis\n    ‸source: {port: 1}\n",
        "missing key \"host\" in \"source\" of service \"redis\"", hint: "add \"host: 127.0.0.1\""),
    BadInput(
        "zone of a source without host", replace: "source:\n      host: /run/postgresql\n", with: "‸source:\n      zone: ksdc\n",
        "missing key \"host\" in \"source\" of service \"postgres\": its zone is not this machine's to tell",
        hint: "add \"host: db.example.org\""),
]

private let ofBackups = [
    BadInput("kind", replace: "kind: pg_dump", with: "kind: ‸pgdmp", "unknown kind \"pgdmp\"", hint: "did you mean \"pg_dump\"?"),
    BadInput(
        "kind of another engine", replace: "kind: pg_dump", with: "kind: ‸aof", "kind \"aof\" does not fit engine \"postgres\"",
        hint: "for postgres, write pg_dump or base_backup or pgbackrest or command"),
    BadInput(
        "dump for Redis", replace: "kind: rdb", with: "kind: ‸pg_dump", "kind \"pg_dump\" does not fit engine \"redis\"",
        hint: "for redis, write rdb or aof"),
    BadInput(
        "unknown store", replace: "[primary, secondary]", with: "[primary, ‸secondry]", "unknown store \"secondry\"",
        hint: "did you mean \"secondary\"?"),
    BadInput(
        "unknown store, nothing near", replace: "store: primary", with: "store: ‸tape", "unknown store \"tape\"",
        hint: "known stores: primary, secondary"),
    BadInput(
        "store twice", replace: "[primary, secondary]", with: "[primary, ‸primary]", "store \"primary\" is named twice",
        hint: "remove one of them"),
    BadInput(
        "stores as text", replace: "[primary, secondary]", with: "‸primary", "\"stores\" must be a list, not text",
        hint: "write \"stores: [one, two]\""),
    BadInput(
        "empty stores", replace: "[primary, secondary]", with: "‸[]", "\"stores\" is empty", hint: "name at least one, or remove the line"),
    BadInput(
        "store and stores", replace: "store: primary", with: "store: ‸primary\n        stores: [primary]",
        "\"store\" and \"stores\" say the same thing", hint: "keep one of them"),
    BadInput(
        "no store", replace: "      rdb:\n        kind: rdb\n        store: primary", with: "      ‸rdb:\n        kind: rdb",
        "missing key \"stores\" in backup \"rdb\"", hint: "add \"store: NAME\" or \"stores: [NAME]\""),
    BadInput(
        "misspelt store", replace: "store: primary", with: "‸stor: primary", "unknown key \"stor\" in backup \"rdb\"",
        hint: "did you mean \"store\"?"),
    BadInput(
        "no match", replace: "      rdb:\n        kind: rdb\n        store: primary\n        match: \"redis/*.rdb\"",
        with: "      ‸rdb:\n        kind: rdb\n        store: primary", "missing key \"match\" in backup \"rdb\"",
        hint: "add \"match: \"daily/*.dump.enc\"\""),
    BadInput(
        "match that leaves the store", replace: "\"redis/*.rdb\"", with: "‸../redis/*.rdb", "\"match\" leaves the store",
        hint: "write it relative to the store's path, without .."),
    BadInput(
        "absolute match", replace: "\"redis/*.rdb\"", with: "‸/redis/*.rdb", "\"match\" leaves the store",
        hint: "write it relative to the store's path, without .."),
    BadInput(
        "match with a variable", replace: "\"redis/*.rdb\"", with: "‸$DIR/*.rdb", "variables are not expanded in \"match\"", hint: pathHint),
    BadInput(
        "globals of Redis", replace: "kind: rdb", with: "kind: rdb\n        globals: ‸x", "\"globals\" does not fit kind \"rdb\"",
        hint: "remove it: only a pg_dump lacks its roles"),
    BadInput(
        "schedule is text", replace: "kind: rdb", with: "kind: rdb\n        schedule: ‸daily",
        "\"schedule\" of backup \"rdb\" must be a mapping, not text", hint: "write \"key: value\" lines, indented below it"),
    BadInput(
        "schedule without every", replace: "schedule: {every: day, ", with: "‸schedule: {",
        "missing key \"every\" in \"schedule\" of backup \"daily\"",
        hint: "add \"every: day\""),
    BadInput(
        "every month", replace: "every: day", with: "every: ‸month", "unknown every \"month\"",
        hint: "write day, week, or a duration such as 6h"),
    BadInput(
        "every without a unit", replace: "every: day", with: "every: ‸6", "\"every\" has no unit", hint: "say which: 6h, 6m or 6s"),
    BadInput(
        "every two days", replace: "every: day", with: "every: ‸2d", "\"every\" is a day or longer",
        hint: "write day or week, or a duration of less than a day"),
    BadInput(
        "every second", replace: "every: day", with: "every: ‸1s", "\"every\" is shorter than a minute",
        hint: "write day, week, or a duration such as 6h"),
    BadInput(
        "every that does not divide a day", replace: "every: day", with: "every: ‸7h", "with \"at\", \"every\" must divide a day",
        hint: "write 12h, 8h, 6h, 4h, 1h or 15m, or remove \"at\""),
    BadInput(
        "week without a weekday", replace: "every: day", with: "every: ‸week", "\"every: week\" needs \"weekday\"",
        hint: "write {every: week, weekday: sunday, at: \"02:00\"}"),
    BadInput(
        "week without a time", replace: "every: day, at: \"02:00\",", with: "every: ‸week, weekday: sunday,",
        "\"every: week\" needs \"at\"", hint: "write {every: week, weekday: sunday, at: \"02:00\"}"),
    BadInput(
        "weekday of a day", replace: "every: day", with: "every: day, weekday: ‸sunday", "\"weekday\" fits \"every: week\" only",
        hint: "remove it, or write \"every: week\""),
    BadInput(
        "weekday misspelt", replace: "every: day", with: "every: week, weekday: ‸sundey", "unknown weekday \"sundey\"",
        hint: "did you mean \"sunday\"?"),
    BadInput(
        "no time of a day", replace: "at: \"02:00\"", with: "at: ‸\"24:00\"", "\"at\" is no time of a day",
        hint: "write hours and minutes in quotes, such as \"02:00\""),
    BadInput(
        "tolerance too wide", replace: "tolerance: 45m", with: "tolerance: ‸12h", "the tolerance is not less than half of \"every\"",
        hint: "with so much of it, nobody could tell which run a backup belongs to: write less, such as 30m"),
    BadInput(
        "retention of nothing", replace: "{daily: 30, monthly: 12}", with: "{daily: ‸0, monthly: 12}", "\"daily\" is out of range",
        hint: "write a number from 1 to 4000"),
    BadInput(
        "retention by the hour", replace: "{daily: 30, monthly: 12}", with: "{‸hourly: 30}",
        "unknown key \"hourly\" in \"retention\" of backup \"daily\"", hint: "known keys: daily, monthly, weekly, yearly"),
    BadInput(
        "empty retention", replace: "retention: {daily: 30, monthly: 12}", with: "‸retention: {}", "\"retention\" promises nothing",
        hint: "write \"retention: {daily: 30, monthly: 12}\", or remove it"),
    BadInput(
        "by hand is a list", replace: "{code-in-git: look at the mirror}", with: "‸[code-in-git]",
        "\"by-hand\" must be a mapping, not a list",
        hint: "write \"key: value\" lines, indented below it"),
    BadInput(
        "by hand without words", replace: "look at the mirror", with: "‸[]", "promise \"code-in-git\" must be text, not a list",
        hint: "write a single value, in quotes where in doubt"),
    BadInput(
        "worst case without a unit", replace: "rpo-worst-case: 25h", with: "rpo-worst-case: ‸25", "\"rpo-worst-case\" has no unit",
        hint: "say which: 25h, 25m or 25s"),
    BadInput(
        "encryption unsaid",
        replace: "      rdb:\n        kind: rdb\n        store: primary\n        match: \"redis/*.rdb\"\n        encryption: none",
        with: "      ‸rdb:\n        kind: rdb\n        store: primary\n        match: \"redis/*.rdb\"",
        "missing key \"encryption\" in backup \"rdb\"", hint: "add \"encryption: {format: openssl, key: NAME}\", or \"encryption: none\""),
    BadInput(
        "encryption empty", replace: "encryption: none", with: "‸encryption:", "\"encryption\" has no value",
        hint: "write \"encryption: {format: openssl, key: NAME}\", or \"encryption: none\""),
    BadInput(
        "encryption as word", replace: "encryption: none", with: "encryption: ‸openssl", "\"encryption\" must be \"none\" or a mapping",
        hint: encryptionHint),
    BadInput(
        "encryption: no", replace: "encryption: none", with: "encryption: ‸no", "\"encryption\" must be \"none\" or a mapping",
        hint: encryptionHint),
    BadInput(
        "encryption format", replace: "format: openssl", with: "format: ‸quux", "unknown format \"quux\"",
        hint: "known words: age, cms, gpg, openssl, pgbackrest"),
    BadInput(
        "iterations of age", replace: "format: openssl, key: backup, iterations: 600000, digest: sha512",
        with: "format: age, key: backup, iterations: ‸600000", "\"iterations\" does not fit format \"age\"",
        hint: "remove it: only openssl enc makes a key of a passphrase so"),
    BadInput(
        "no format", replace: "encryption: {format: openssl, ", with: "‸encryption: {",
        "missing key \"format\" in \"encryption\" of backup \"daily\"", hint: "add \"format: openssl\""),
    BadInput(
        "key not declared", replace: "key: backup,", with: "key: ‸bakcup,", "\"key\" is not a name from \"keys\"",
        hint: "did you mean \"backup\"?"),
    BadInput(
        "encryption key in the file", replace: "key: backup,", with: "key: ‸hunter2,", "\"key\" is not a name from \"keys\"",
        hint: "declare it under \"keys\" as NAME: {file: path}, {env: NAME} or {command: [program, argument]}, and write its name here"),
    BadInput(
        "key as mapping", replace: "key: backup,", with: "key: ‸{env: HUNTER2},", "\"key\" must be a name from \"keys\", not a mapping",
        hint: "declare it under \"keys\""),
    BadInput(
        "iterations", replace: "iterations: 600000", with: "iterations: ‸0", "\"iterations\" is out of range",
        hint: "write a number from 1 to 100000000"),
    BadInput(
        "iterations with underscores", replace: "iterations: 600000", with: "iterations: ‸600_000", "\"iterations\" must be a whole number",
        hint: "write it in digits, such as 100"),
    BadInput("digest", replace: "digest: sha512", with: "digest: ‸sha-512", "unknown digest \"sha-512\"", hint: "did you mean \"sha512\"?"),
]

private let ofConfigurationAndCode = [
    BadInput(
        "required that is a text", replace: "required: [DATABASE_URL, SECRET_KEY]", with: "required: ‸DATABASE_URL",
        "\"required\" must be a list, not text", hint: "write \"required: [one, two]\""),
    BadInput(
        "required with a value", replace: "required: [DATABASE_URL, SECRET_KEY]", with: "required: [DATABASE_URL, ‸SECRET_KEY=x]",
        "\"required\" holds something that is no name of a key", hint: "write names alone, such as [DATABASE_URL, SECRET_KEY]"),
    BadInput(
        "required twice", replace: "[DATABASE_URL, SECRET_KEY]", with: "[DATABASE_URL, ‸DATABASE_URL]",
        "\"DATABASE_URL\" is there twice in \"required\"", hint: "remove one of them"),
    BadInput(
        "live that is text", replace: "live: {command: [cat, /srv/app/.env]}", with: "live: ‸/srv/app/.env",
        "\"live\" of backup \"env\" must say where the secret is, and not be one", hint: secretHint),
    BadInput(
        "live in two places", replace: "live: {command: [cat, /srv/app/.env]}", with: "‸live: {command: [cat, x], file: x}",
        "\"live\" of backup \"env\" says more than one place", hint: "write one of file, command"),
    BadInput(
        "may-differ without live", replace: "live: {command: [cat, /srv/app/.env]}\n        may-differ: [\"RELEASE*\"]",
        with: "may-differ: ‸[RELEASE]", "\"may-differ\" without \"live\": nothing is compared",
        hint: "add \"live: {file: /srv/app/.env}\""),
    BadInput(
        "source of configuration", replace: "engine: configuration", with: "engine: configuration\n    source: ‸{host: db}",
        "\"source\" does not fit engine \"configuration\"", hint: "remove it: muster seal makes backups of data only"),
    BadInput(
        "runs of a .env", replace: "may-differ: [\"RELEASE*\"]", with: "may-differ: [\"RELEASE*\"]\n        runs: ‸{file: x}",
        "\"runs\" does not fit kind \"env\"", hint: "remove it: it belongs to engine code"),
    BadInput(
        "required of a mirror", replace: "runs: {file: REVISION}", with: "required: ‸[A]",
        "\"required\" does not fit kind \"git_mirror\"", hint: "remove it: it belongs to engine configuration"),
    BadInput(
        "encrypted mirror", replace: "encryption: \"none\"", with: "encryption: ‸{format: openssl, key: spare}",
        "a git_mirror is a folder of plain files", hint: "write \"encryption: none\", or keep encrypted bundles instead"),
    BadInput(
        "commit that is none", replace: "runs: {file: REVISION}", with: "runs: {commit: ‸main}", "\"commit\" is no hash of a commit",
        hint: "write its hash in lower-case hex, in quotes, or name a file or a command"),
    BadInput(
        "runs that says nothing", replace: "runs: {file: REVISION}", with: "‸runs: {}", "\"runs\" of backup \"mirror\" says no place",
        hint: "write one of commit, file, command"),
    BadInput(
        "branch as a ref", replace: "branch: main", with: "branch: ‸refs/heads/main", "\"branch\" is no name of a branch",
        hint: "write its short name, such as main"),
    BadInput(
        "git of configuration", replace: "kind: env\n", with: "kind: ‸git_bundle\n",
        "kind \"git_bundle\" does not fit engine \"configuration\"", hint: "for configuration, write env"),
]

private let ofApplications = [
    BadInput(
        "application without health", replace: "    health:\n      hold: 3s\n      within: 90s\n      probes:\n",
        with: "    helth:\n      hold: 3s\n      within: 90s\n      probes:\n".replacing("helth", with: "‸healht"),
        "unknown key \"healht\" in application \"web\"", hint: "did you mean \"health\"?"),
    BadInput(
        "no place of its files", replace: "  web:\n    folder: app\n", with: "  ‸web:\n", "application \"web\" says no place of its files",
        hint: "add \"folder: path\", or \"code: SERVICE\" for what a drill recovers of one"),
    BadInput(
        "two places of its files", replace: "    folder: app\n", with: "    folder: app\n    code: ‸redis\n",
        "\"folder\" and \"code\" say the same thing", hint: "keep one of them"),
    BadInput(
        "code of a database", replace: "    folder: app\n", with: "    code: ‸redis\n", "service \"redis\" holds no code",
        hint: "name a service of code, or write \"folder: path\" instead"),
    BadInput(
        "configuration of nobody", replace: "    folder: app\n", with: "    folder: app\n    configuration: ‸rediss\n",
        "unknown service \"rediss\"", hint: "did you mean \"redis\"?"),
    BadInput(
        "start as text", replace: "start: [python3, app.py, \"{application.folder}\"]", with: "start: ‸python3 app.py",
        "\"start\" must be a list, not text", hint: "write \"start: [one, two]\""),
    BadInput(
        "place of an unknown service", replace: "\"{redis.socket}\"", with: "‸\"{rediss.socket}\"",
        "unknown service \"rediss\" in {rediss.socket}", hint: "did you mean \"redis\"?"),
    BadInput(
        "place of an unknown value", replace: "\"{redis.socket}\"", with: "‸\"{redis.soket}\"", "unknown value \"soket\" in {redis.soket}",
        hint: "did you mean \"socket\"?"),
    BadInput(
        "another engine's value", replace: "\"{redis.socket}\"", with: "‸\"{redis.database}\"",
        "unknown value \"database\" in {redis.database}", hint: "known values: socket"),
    BadInput(
        "place without a value", replace: "\"{redis.socket}\"", with: "‸\"unix:{redis}\"", "{redis} doesn't say which of its values",
        hint: "write {redis.socket}"),
    BadInput(
        "place in a probe", replace: "\"{application.port}\"", with: "‸\"{application.prot}\"",
        "unknown value \"prot\" in {application.prot}", hint: "did you mean \"port\"?"),
    BadInput(
        "variable's name", replace: "LEVEL: 3", with: "‸LOG-LEVEL: 3", "\"LOG-LEVEL\" is no name of an environment variable",
        hint: "use letters, digits and _, not beginning with a digit; MUSTER_ is muster's own"),
    BadInput(
        "password in a connection string", replace: "CACHE: \"{redis.socket}\"", with: "CACHE: ‸redis://me:hunter2@cache/0",
        "\"CACHE\" would be a secret written in the file",
        hint: "take it out and change it: scratch servers ask for none, and others belong into the recovered configuration"),
    BadInput(
        "password of an application", replace: "LEVEL: 3", with: "DB_PASSWORD: ‸hunter2",
        "\"DB_PASSWORD\" would be a secret written in the file",
        hint: "take it out and change it: scratch servers ask for none, and others belong into the recovered configuration"),
    BadInput(
        "unknown probe", replace: "- tcp: {port: 9101}", with: "- ‸tpc: {port: 9101}", "unknown probe \"tpc\"",
        hint: "did you mean \"tcp\"?"),
    BadInput(
        "probe that asks nothing", replace: "- tcp: {port: 9101}", with: "- ‸{}", "this probe asks nothing",
        hint: "begin each probe with \"- \", and indent what belongs to it further than its kind: http, tcp, command, sql"),
    BadInput(
        "same probe twice", replace: "- tcp: {port: 9101}", with: "- tcp: {port: 9101}\n        - ‸tcp: {port: 9101}",
        "this probe is there twice", hint: "remove one of them"),
    BadInput(
        "port of a probe", replace: "port: 9101", with: "port: ‸0", "\"port\" is out of range", hint: "write a number from 1 to 65535"),
    BadInput("status", replace: "status: 201", with: "status: ‸20", "\"status\" is out of range", hint: "write a number from 100 to 599"),
    BadInput(
        "path of a page", replace: "path: /health", with: "path: ‸health", "\"path\" is no path of a web page",
        hint: "begin it with /, and write other letters as %XX"),
    BadInput(
        "body", replace: "'\"status\": *\"ok\"'", with: "‸'('", "\"body\" is no regular expression",
        hint: "quote special characters with \\, and the whole in ''"),
    BadInput(
        "sql of Redis", replace: "service: postgres", with: "service: ‸redis", "service \"redis\" takes no SQL",
        hint: "name a service of engine postgres"),
    BadInput(
        "exit code", replace: "expect-exit: 4", with: "expect-exit: ‸256", "\"expect-exit\" is out of range",
        hint: "write a number from 0 to 255"),
]

private let ofZonesAndCaches = [
    BadInput(
        "cut of a zone where nothing lies", replace: "  ksdc: {cut:", with: "  ‸ksdd: {cut:",
        "no store of the estate lies in zone \"ksdd\"",
        hint: "did you mean \"ksdc\"?"),
    BadInput(
        "cut of a zone for good", replace: "  ksdc: {cut: {run: [./cut, off], timeout: 20s}, restore: {run: [./cut, again]}}",
        with: "  ‸ksdc: {cut: {run: [./cut, off]}}", "missing key \"restore\" in zone \"ksdc\"",
        hint: "add \"restore: {run: [program, argument]}\""),
    BadInput(
        "no zones", replace: "zones:\n  ksdc: {cut: {run: [./cut, off], timeout: 20s}, restore: {run: [./cut, again]}}",
        with: "zones: ‸{}", "\"zones\" is empty", hint: "name at least one zone, or remove the line"),
    BadInput(
        "time of a cut", replace: "timeout: 20s", with: "timeout: ‸20", "\"timeout\" has no unit", hint: "say which: 20h, 20m or 20s"),
    BadInput(
        "repopulation of a database", replace: "redis: {run: [python3, app.py, refill]", with: "‸postgres: {run: [python3, app.py, refill]",
        "only a redis can be repopulated, and \"postgres\" is none", hint: "name a service of engine redis"),
    BadInput(
        "repopulation of nobody", replace: "redis: {run: [python3, app.py, refill]", with: "‸redish: {run: [python3, app.py, refill]",
        "unknown service \"redish\"", hint: "did you mean \"redis\"?"),
    BadInput(
        "place of an estate's repopulation", replace: "app.py, refill]", with: "app.py, ‸\"{redis.port}\"]",
        "unknown value \"port\" in {redis.port}", hint: "known values: socket"),
    BadInput(
        "estate's repopulation by nothing", replace: "redis: {run: [python3, app.py, refill], timeout: 2m}", with: "‸redis: {timeout: 2m}",
        "missing key \"run\" in \"repopulate\" of \"redis\"", hint: "add \"run: [program, argument]\""),
]

@Suite struct BadEstateTests {
    static let inputs =
        ofTheFile + ofStoresKeysAndSeals + ofServices + ofBackups + ofConfigurationAndCode
        + ofApplications + ofZonesAndCaches

    @Test(arguments: inputs)
    func isToldAtItsPlace(_ input: BadInput) throws {
        let desk = try Desk()
        let (text, line, column) = try input.spoil(Good.estate)
        try desk.write("estate.yaml", text)
        let problems = desk.estateProblems("estate.yaml")
        input.expect(problems, in: "estate.yaml", line: line, column: column)
        #expect(!problems.description.lowercased().contains("hunter2"), "a secret is never repeated")
    }

    @Test func allProblemsAreToldAtOnceSortedByPlace() throws {
        let desk = try Desk()
        try desk.write(
            "estate.yaml",
            Good.estate.replacing("version: 1", with: "version: 3").replacing("type: file, path: b", with: "tpye: file, path: b")
                .replacing("port: 5432", with: "port: 5432\n      port: 5433").replacing("digest: sha512", with: "digest: rot13")
                .replacing("encryption: none", with: "encryption: none\n        encryption: none"))
        #expect(
            desk.estateProblems("estate.yaml").map { "\($0.line) \($0.message)" } == [
                "1 version 3 is not known", "5 unknown key \"tpye\" in store \"primary\"", "24 duplicate key \"port\"",
                "33 unknown digest \"rot13\"", "48 duplicate key \"encryption\"",
            ])
    }

    /// A mistake inside an anchored block is one mistake, however often it is used.
    @Test func problemOfAnAnchorIsToldOnce() throws {
        let desk = try Desk()
        try desk.write(
            "estate.yaml",
            Good.estate.replacing("stores:\n", with: "stores:\n  a: &a {type: file, path: ~/x}\n  b: *a\n  c: {<<: *a}\n"))
        #expect(desk.estateProblems("estate.yaml").map(\.message) == ["~ is not expanded in \"path\""])
    }
}
