// The lab's drill that takes its running servers, and the script that cuts their zone off.

import Foundation

extension LabFiles {
    /// Not among the other drills: those need nothing that runs.
    func writeLive() throws {
        try FileManager.default.createDirectory(at: places.live, withIntermediateDirectories: true)
        try Data(standbyFailover.utf8).write(to: places.failoverDrill)
        try Data(livingServerFailure.utf8).write(to: places.live.appending(path: "server-failure.yaml"))
        try Data(zoneScript.utf8).write(to: places.live.appending(path: "zone.sh"))
    }

    private var livingServerFailure: String {
        """
        # The application's machine is gone, the database lives, and this is that database: the lab's standby, which the new instance reads.
        # It takes the lab's servers: muster lab start.
        \(head("living-server-failure", "server-failure"))
        application: \(LabApplication.name)
        targets: {rto: 1h}
        existing:
          postgres: {from: living}
          redis: {from: rdb}
        \(restoredRowsCheck)

        """
    }

    private var standbyFailover: String {
        """
        # The primary zone is gone with both primaries: clones of the standby and of the replica take over, the rest comes from the second
        # zone's backups, and the application runs on that. It takes the lab's servers: muster lab start.
        \(head("standby-failover", "data-center-outage"))
        lost-zone: ksdc
        outage:
          cut: {run: [sh, zone.sh, cut], timeout: 30s}
          restore: {run: [sh, zone.sh, restore], timeout: 30s}
        application: \(LabApplication.rebuilt)
        profile: production
        # What a failover loses is a lag, and no backup's age; the configuration and the code are held against what production runs.
        targets: {rto: 4h, rpo: 5m}
        allowances: {decide: 30m, switch-address: 15m}
        recover:
          postgres: {from: standby}
          redis: {from: replica}
          configuration: {from: env}
          code: {from: bundle}
        \(restoredDataChecks)

        """
    }

    /// Moved away, a socket takes no new client, and neither does a closed port; those that are connected are sent away.
    private var zoneScript: String {
        """
        # Cuts the lab's first zone off, or brings it back: its store, and the sockets of its Postgres and Redis with the port that
        # the replica follows.
        store=../backups/primary
        sockets=\(socketFolder.path)
        lost=$sockets/lost
        redis() { REDISCLI_AUTH=$(cat ../keys/redis.password) redis-cli -e -s "$lost/redis.sock" "$@"; }
        case $1 in
        cut)
            mv -T "$store" "$store.lost" && mkdir "$lost" &&
                mv "$sockets/.s.PGSQL.5432" "$sockets/redis.sock" "$lost" &&
                psql -qXAt -h "$lost" -U postgres -c "SELECT pg_terminate_backend(pid) FROM pg_stat_replication" postgres >/dev/null &&
                redis CONFIG GET port | tail -1 >"$lost/redis.port" &&
                redis CONFIG SET port 0 >/dev/null && redis CLIENT KILL TYPE replica >/dev/null
            ;;
        restore)
            status=0
            if [ -e "$store.lost" ]; then mv -T "$store.lost" "$store" || status=1; fi
            if [ -e "$lost" ]; then
                if [ -s "$lost/redis.port" ]; then redis CONFIG SET port "$(cat "$lost/redis.port")" >/dev/null || status=1; fi
                rm -f "$lost/redis.port"
                for socket in .s.PGSQL.5432 redis.sock; do
                    if [ -e "$lost/$socket" ]; then mv "$lost/$socket" "$sockets" || status=1; fi
                done
                rmdir "$lost" || status=1
            fi
            exit $status
            ;;
        esac

        """
    }
}
