#!/usr/bin/env python3
"""Reads the files of a run, and of a period, as strangers do: report.json, events.jsonl and compliance.json by JSON Schema, *.prom by
Prometheus' own strict parser, *.md by a reader of CommonMark and tables.

read-reports.py SCHEMAS FILE…   prints what is wrong, a line each, and then how many files were read. Exit 3: a package is missing.
"""
import json
import pathlib
import sys

try:
    import jsonschema
    import referencing
    from markdown_it import MarkdownIt
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
    from prometheus_client.parser import text_string_to_metric_families as old
except ImportError as missing:
    print(missing)
    sys.exit(3)

folder = pathlib.Path(sys.argv[1])
schemas = {name: json.loads((folder / f"{name}.schema.json").read_text()) for name in ("report", "events", "compliance")}
registry = referencing.Registry().with_resources(
    (f"{name}.schema.json", referencing.Resource.from_contents(schema)) for name, schema in schemas.items())
validators = {}
for name, schema in schemas.items():
    jsonschema.Draft202012Validator.check_schema(schema)
    validators[name] = jsonschema.Draft202012Validator(schema, registry=registry)


def complain(where, what):
    print(f"{where}: {what}")


def check(name, document, where):
    for error in validators[name].iter_errors(document):
        deepest = error
        while deepest.context:
            deepest = max(deepest.context, key=lambda inner: len(inner.absolute_path))
        complain(f"{where}{deepest.json_path[1:]}", deepest.message[:500])


def report(path):
    check("report", json.loads(path.read_text(encoding="utf-8")), path.name)


def compliance(path):
    check("compliance", json.loads(path.read_text(encoding="utf-8")), path.name)


def events(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines.pop() != "":
        complain(path.name, "the last line has no end")
    for number, line in enumerate(lines, 1):
        document = json.loads(line)
        check("events", document, f"{path.name}:{number}")
        if document.get("seq") != number:
            complain(f"{path.name}:{number}", f"seq is {document.get('seq')}")


def metrics(path):
    text = path.read_bytes().decode("utf-8")
    if not text.endswith("# EOF\n"):
        complain(path.name, "no # EOF at its end")
    families = {"strict": list(strict(text)), "old": list(old(text))}
    samples = {
        name: sorted((s.name, sorted(s.labels.items()), s.value) for family in read for s in family.samples)
        for name, read in families.items()}
    # The strict parser passes over the second of two equal ones without a word.
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    if not (samples["strict"] == samples["old"] and len(samples["strict"]) == len(lines)):
        complain(path.name, "the two parsers don't read the same")
    for family in families["strict"]:
        if family.type != "gauge" or not family.documentation:
            complain(path.name, f"{family.name} is no described gauge")


def summary(path):
    text = path.read_text(encoding="utf-8")
    if len(text) > 65_536:
        complain(path.name, "too long for a comment")
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    flat = [inner for token in tokens for inner in (token.children or [token])]
    for token in flat:
        if token.type.startswith("html") and token.content.strip() not in ("<br>", "<sub>", "</sub>", "<!-- -->"):
            complain(path.name, f"a name became markup: {token.content[:200]}")
        if token.type in ("image", "link_open", "em_open", "s_open", "blockquote_open", "code_block"):
            complain(path.name, f"a name became {token.type}")
    shown = "".join(" " if token.type == "softbreak" else token.content for token in flat if not token.type.startswith("html"))
    if "beside this file" not in "".join(token.content for token in flat[-5:] if token.type == "text"):
        complain(path.name, "something open has swallowed the end")
    wanted = path.with_suffix(".texts.json")
    for name in json.loads(wanted.read_text()) if wanted.exists() else []:
        if name not in shown:
            complain(path.name, f"lost: {name[:200]}")


count = 0
for argument in sys.argv[2:]:
    path = pathlib.Path(argument)
    read = {".json": report, ".jsonl": events, ".prom": metrics, ".md": summary}[path.suffix]
    if path.name.endswith("compliance.json"):
        read = compliance
    try:
        read(path)
    except Exception as refusal:  # whatever a parser says is what a test must show
        complain(path.name, f"{type(refusal).__name__}: {refusal}")
    count += 1
print(f"read {count}")
