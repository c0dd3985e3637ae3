// A machine's lack excuses what could not be made for it, and nothing else.

import DrillModel
import Testing

@testable import PostgresRecovery

@Suite struct MachineLackTests {
    private let lack = MachineLack(
        finding: Finding(Rule("extension-missing"), object: "hstore", message: "this machine lacks an extension", hint: "install it"),
        unrestored: ["hstore", "public.things", "f", "public.v", "zz.zz_fk"])

    private func finding(_ rule: String, _ object: String) -> Finding { Finding(Rule(rule), object: object, message: "m", hint: "h") }

    private func weighed(_ findings: [Finding]) -> CaseResult {
        lack.weighed(.judged(.schema, service: "s", name: "n", findings: findings))
    }

    @Test(arguments: [
        ("extension-missing", "extension hstore"), ("table-missing", "table public.things"), ("table-missing", "public.things"),
        ("column-missing", "column public.things.h"), ("owner-missing", "owner of table public.things"), ("view-missing", "view public.v"),
        ("function-missing", "function public.f(public.hstore)"), ("constraint-missing", "constraint public.zz.zz_fk"),
        ("rows-differ", "\"public\".\"things\""),
    ])
    func whatCouldNotBeMadeIsExcused(rule: String, object: String) {
        let result = weighed([finding(rule, object)])
        #expect(result.verdict == .error && result.findings.isEmpty && result.reason.contains("this machine lacks an extension"))
    }

    @Test(arguments: [
        ("content-differs", "app.aa"), ("rows-differ", "public.zz"), ("table-missing", "public.things_old"),
        ("table-missing", "old.public_things"),
        ("function-differs", "function public.ff(integer)"), ("view-differs", "view public.v2"),
        ("constraint-missing", "constraint public.zz.other"),
    ])
    func whatDoesntHangOnItIsRed(rule: String, object: String) {
        #expect(weighed([finding(rule, object)]).verdict == .failed)
        let both = weighed([finding(rule, object), finding("table-missing", "table public.things")])
        #expect(both.verdict == .failed && both.findings.map(\.object) == [object] && both.reason.contains("one object not proven"))
    }

    @Test func theNamesComeFromTheStatements() {
        #expect(RestoreLog.made(by: "CREATE TABLE public.things (\n id int") == "public.things")
        #expect(RestoreLog.made(by: "CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public") == "hstore")
        #expect(RestoreLog.made(by: "CREATE FUNCTION public.f(h public.hstore) RETURNS text") == "public.f")
        #expect(RestoreLog.made(by: "CREATE UNIQUE INDEX i ON public.things USING btree (id)") == "i")
        #expect(RestoreLog.made(by: "CREATE TABLE \"Odd S\".\"T x\" (a int)") == "Odd S.T x")
        #expect(
            RestoreLog.made(by: "ALTER TABLE ONLY public.zz\n    ADD CONSTRAINT zz_fk FOREIGN KEY (i) REFERENCES public.things(id)")
                == "public.zz.zz_fk")
        // The table is there: only this part of it is not.
        for statement in [
            "ALTER TABLE public.zz OWNER TO a", "COPY public.things (id) FROM stdin", "GRANT SELECT ON TABLE public.zz TO a", "",
        ] {
            #expect(RestoreLog.made(by: statement) == nil, "\(statement)")
        }
    }
}
