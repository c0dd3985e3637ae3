// Has the drill file's own commands run.

import DrillModel
import PostgresClient

/// Declared commands, each judged by how it ends.
struct DeclaredCommandCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        for check in context.declared {
            let (role, question) = check.unwrapped
            guard case .command(let command) = question else { continue }
            let start = ContinuousClock.now
            guard let scratch = context.scratch else {
                await context.fail(.declared, check.name, since: start, object: command.name, .onlyScratch("command"))
                continue
            }
            // Whether the role may log in is asked of the server, and not of whatever the command makes of it.
            if await context.refuses(role, check.name, since: start) { continue }
            var result = await scratch.run(command, role)
            result.name = check.name
            await context.emit(result)
        }
    }
}
