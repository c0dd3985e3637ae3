// What counts as the same definition, and, more important, what doesn't.

import Testing

@testable import IntegrityChecks

@Suite struct DefinitionFormTests {
    @Test(arguments: [
        (
            "((v)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            "((v)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text]))"
        ),
        (
            "CASE WHEN v::text = ANY (ARRAY['a'::character varying, 'b'::character varying]::text[]) THEN 1 END",
            "CASE WHEN v::text = ANY (ARRAY['a'::character varying::text, 'b'::character varying::text]) THEN 1 END"
        ),
        ("(((a >= 1) AND (a <= 5)) AND (b = 2))", "((a >= 1) AND (a <= 5) AND (b = 2))"),
        ("((a = 1) OR ((b = 2) OR (c = 3)))", "((a = 1) OR (b = 2) OR (c = 3))"),
        ("EXISTS ( SELECT 'a'::text, NULL::integer)", "EXISTS ( SELECT 'a'::text AS text, NULL::integer AS int4)"),
        ("SELECT a,\n   b FROM t", "SELECT a, b\n FROM t"),
    ])
    func theSameMeaningIsTheSame(_ one: String, _ other: String) {
        #expect(DefinitionForm(of: one) == DefinitionForm(of: other))
    }

    @Test(arguments: [
        ("((a AND b) OR c)", "(a AND (b OR c))"), ("((a OR b) AND c)", "(a OR b AND c)"), ("(a AND b)", "(b AND a)"),
        ("(NOT (a AND b))", "((NOT a) AND b)"), ("((a - b) - c)", "(a - (b - c))"),
        ("(ARRAY['a'::text])::text[]", "(ARRAY['b'::text])::text[]"), ("(ARRAY['a', 'b'])::text[]", "(ARRAY['a'])::text[]"),
        ("(ARRAY['a'])::text[]", "(ARRAY['a'])::name[]"), ("(ARRAY['a'])::text[]", "ARRAY['a']"),
        ("x = 'a AND (b'", "x = 'a AND b'"), ("x = 'a  b'", "x = 'a b'"), ("x = 'it''s'", "x = 'its'"), ("x = E'\\''", "x = E'\\\\'"),
        ("\"A b\" = 1", "\"A  b\" = 1"), ("EXISTS ( SELECT 'a'::text AS text)", "EXISTS ( SELECT 'a'::text AS other)"),
        (" SELECT 'a'::text AS text FROM t", " SELECT 'a'::text FROM t"), ("( SELECT a::text AS text)", "( SELECT a::text)"),
        ("a < b", "a <= b"), ("a::character varying(10)", "a::character varying(11)"), ("f(a, b)", "f(a)"), ("a[1]", "a[2]"),
    ])
    func anotherMeaningIsAnother(_ one: String, _ other: String) {
        #expect(DefinitionForm(of: one) != DefinitionForm(of: other))
    }
}

@Suite struct LineDiffTests {
    @Test func showsChangesWithTheirSurroundings() {
        let old = (1...20).map { "line \($0)" }
        var new = old
        new[9] = "changed"
        let diff = LineDiff.unified(from: old.joined(separator: "\n"), to: new.joined(separator: "\n"))
        #expect(
            diff == [
                " … 6 unchanged lines", " line 7", " line 8", " line 9", "-line 10", "+changed", " line 11", " line 12", " line 13",
                " … 7 unchanged lines",
            ])
    }

    @Test func isCutWhereItIsTooLong() {
        let diff = LineDiff.unified(from: "", to: (1...1000).map(String.init).joined(separator: "\n"))
        #expect(diff.count == 201 && diff.last == " … 801 more lines")
    }
}
