#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Checks the text of the sources: headers, sizes, words and constructs.

  sources [FILE...]     the files that Git knows or would add, without arguments

Prints one line per finding, and ends with 1 if there are any.
"""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

from gates.swift import code_of, functions

FILE_LINES, TEST_LINES, FUNCTION_LINES = 400, 600, 40
HEADER = ("SPDX-License-Identifier: Apache-2.0", "SPDX-FileCopyrightText: the Hydro authors")
WORDS = {"Manager", "Managers", "Helper", "Helpers", "Util", "Utils", "Utility", "Impl", "Base", "Info", "Processor"}
TYPE = re.compile(r"(?<![.\w])(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)")
CAMEL = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z][a-z]*\d*|[a-z]+\d*")
CONSTRUCTS = (
    (re.compile(r"\btry!"), "try! (say what can fail)"),
    (re.compile(r"\bas!"), "as! (ask with as?, and say what was found)"),
    (re.compile(r"\bfatalError\b"), "fatalError"),
    (re.compile(r"(?<!\btry)(?<!\bas)(?<=[\w)\]?>])!(?![=\w])"), "a force unwrap"),
    (re.compile(r"(?<![.\w])Task(?:\.detached)?\s*(?:\([^)]*\)\s*)?\{"), "a loose task (a service or a task group starts tasks)"),
    (re.compile(r"(?<![.\w])public\s"), "public (package is the door between rooms)"),
)
OURS = re.compile(r"(?<!ob)servable|\bmodel|hydro(?!_)", re.IGNORECASE)
MARKS = re.compile(r"\b(TODO|FIXME|XXX)\b")
HEADED = (".swift", ".py", ".sh", ".go", ".proto", ".h")


def findings(path, text):
    """(line, what is wrong) in one file."""
    lines = text.split("\n")
    if "/generated/" in path.lower():
        return
    if _is_source(path, lines) and not all(any(part in line for line in lines[:5]) for part in HEADER):
        yield 1, "the two lines of the SPDX header are missing"
    if path.endswith((".swift", ".py")):
        limit = TEST_LINES if "/tests/" in "/" + path.lower() else FILE_LINES
        if text.count("\n") > limit:
            yield limit + 1, f"{text.count(chr(10))} lines, {limit} at most"
    for number, line in enumerate(lines, 1):
        if MARKS.search(line) and path.startswith(("Sources/", "runtimes/", "charts/", "manifests/")):
            yield number, "an unfinished mark"
    if path.endswith(".swift") and path != "Package.swift":
        yield from swift_findings(path, text, lines)


def swift_findings(path, text, lines):
    code = code_of(text)
    blanked = code.split("\n")
    for line, length in functions(code):
        if length > FUNCTION_LINES:
            yield line, f"a function of {length} lines, {FUNCTION_LINES} at most"
    for found in TYPE.finditer(code):
        if banned(found.group(1)):
            yield code.count("\n", 0, found.start()) + 1, f'a banned word in "{found.group(1)}"'
    if not path.startswith("Sources/"):
        return
    for pattern, what in CONSTRUCTS:
        for found in pattern.finditer(code):
            yield code.count("\n", 0, found.start()) + 1, what
    for number, line in enumerate(blanked, 1):
        near = lines[max(0, number - 3) : number + 2]
        if re.search(r"\btry\?", line) and not any("//" in each for each in near):
            yield number, "try? without the reason beside it"
        if "@unchecked Sendable" in line and "SAFETY:" not in text:
            yield number, "@unchecked Sendable without a SAFETY: argument"
    if path.startswith("Sources/Kit/"):
        for number, line in enumerate(lines, 1):
            if OURS.search(line) and "SPDX" not in line:
                yield number, f'a word of ours in a kit room: "{OURS.search(line).group()}"'


def banned(name):
    words = CAMEL.findall(name)
    return bool(WORDS & set(words)) or words[-1:] == ["Data"] and len(words) > 1 or words[:1] == ["New"] or bool(re.search(r"[a-z]2$", name))


def _is_source(path, lines):
    return path.endswith(HEADED) or lines[0].startswith("#!")


def main():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], stdout=subprocess.PIPE, text=True, check=True)
    paths = sys.argv[1:] or listed.stdout.split("\n")
    count = 0
    for path in sorted(filter(os.path.isfile, paths)):
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except UnicodeDecodeError:
            continue  # not text
        for line, what in findings(path, text):
            print(f"{path}:{line}: {what}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
