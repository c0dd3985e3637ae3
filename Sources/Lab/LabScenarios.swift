// The lab's drills that end with a running application: the recovery plan's scenarios, ready to be run and to be read as examples.

extension LabFiles {
    var recoverySet: String {
        """
        # All that the application takes to run again: its data, its configuration, its code; and then it runs.
        \(head("recovery-set", "database-corruption"))
        application: \(LabApplication.rebuilt)
        profile: production
        incident: {at: "\(incident)"}
        targets: {rto: 4h, rpo: 6h}
        recover:
          postgres: {from: daily}
          redis: {from: rdb}
          configuration: {from: env}
          code: {from: bundle}
        \(restoredDataChecks)

        """
    }

    var serverRebuild: String {
        """
        # The application's machine is gone with its disk: a new instance from the backed-up code and configuration, against the living services.
        \(head("server-rebuild", "server-failure"))
        application: \(LabApplication.rebuilt)
        targets: {rto: 1h}
        existing:
          postgres: {from: daily}
          redis: {from: rdb}
        recover:
          code: {from: bundle}
          configuration: {from: env}
        \(restoredRowsCheck)

        """
    }

    var redisLoss: String {
        """
        # The cache is lost and no backup is taken to it: its loss is no loss, since the application fills it again from the database. Proof.
        # {empty: true} in place of the command asks the other half of the claim: that the application is well without anything in it.
        \(head("redis-loss", "database-corruption"))
        application: \(LabApplication.name)
        profile: production
        incident: {at: "\(incident)"}
        targets: {rto: 1h, rpo: 6h}
        recover:
          postgres: {from: daily}
          redis: {repopulate: {run: [\(LabApplication.python), app.py, repopulate], timeout: 1m}}
        \(restoredDataChecks)

        """
    }

    var outage: String {
        """
        # The primary zone is gone, with all that lay in it: everything comes back from the second one, and the application runs on that.
        \(head("data-center-outage", "data-center-outage"))
        lost-zone: ksdc
        # Here stands what cuts the backup machine off from the zone: a firewall's rule, an unmount. The lab moves the folder away.
        # After a kill -9 the second one is run by hand. Without `outage`, the estate's `zones` say how.
        outage:
          cut: {run: [mv, -T, ../backups/primary, ../backups/primary.lost], timeout: 30s}
          restore: {run: [mv, -T, ../backups/primary.lost, ../backups/primary], timeout: 30s}
        application: \(LabApplication.rebuilt)
        profile: production
        incident: {at: "\(incident)"}
        targets: {rto: 4h, rpo: 6h}
        allowances: {decide: 30m, switch-address: 15m}
        recover:
          postgres: {from: daily}
          redis: {from: rdb}
          configuration: {from: env}
          code: {from: bundle}
        \(restoredDataChecks)

        """
    }

    var serverFailure: String {
        """
        # The application's machine is gone, the database lives: a new instance, against what stands for the living services.
        \(head("server-failure", "server-failure"))
        application: \(LabApplication.name)
        targets: {rto: 1h}
        # Made and verified before the incident is declared, and not on its clock.
        existing:
          postgres: {from: daily}
          redis: {from: rdb}
        # muster run --live asks who did it, and counts the real time instead.
        manual:
          - {step: identify, name: decide, allowance: 15m}
          - {step: restart, name: switch-address, allowance: 5m}
        \(restoredRowsCheck)

        """
    }

    var corruptionRestart: String {
        """
        # The recovery plan's six steps to their end: both services from their latest healthy backups, then the application against them.
        \(head("corruption-restart", "database-corruption"))
        application: \(LabApplication.name)
        incident: {at: "\(incident)"}
        targets: {rto: 4h, rpo: 6h}
        hooks:
          # Here stands what stops the living application; the lab has none.
          stop: {before: {run: [sh, -c, 'echo "$MUSTER_DRILL: $MUSTER_STEP"'], timeout: 30s}}
        manual:
          - {step: identify, name: decide, allowance: 15m}
        recover:
          postgres: {from: daily, select: latest-healthy}
          redis: {from: rdb}
        \(restoredDataChecks)

        """
    }
}
