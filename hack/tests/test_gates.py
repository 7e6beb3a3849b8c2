# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""The gates find what they are for, and nothing else."""

import pytest
from gates.sources import HEADER, banned, findings
from gates.swift import code_of, functions
from gates.tally import tally

HEAD = "".join(f"// {line}\n" for line in HEADER) + "\n\n"


def found(body, path="Sources/Feature/Room/File.swift"):
    return [what for _, what in findings(path, HEAD + body)]


@pytest.mark.parametrize("line, word", [
    ("let a = try! b()", "try!"), ("let a = b as! Int", "as!"), ("fatalError()", "fatalError"), ("let a = b!.c", "force unwrap"),
    ("let a: Int! = nil", "force unwrap"), ("Task { await a() }", "loose task"), ("Task.detached { }", "loose task"),
    ("Task(priority: .low) { }", "loose task"), ("public func a() {}", "public"), ("let a = try? b()", "try?"),
    ("struct PodManager {}", "banned word"), ("final class A: @unchecked Sendable {}", "SAFETY"),
])  # fmt: skip
def test_a_construct_that_is_not_for_sources_is_found(line, word):
    assert len(found(line)) == 1 and word in found(line)[0]


@pytest.mark.parametrize("line", [
    "if a != b, !c { d(!e) }", 'let a = "b! as! try! \\(c["d!"] ?? "!") Task { fatalError"', "// Task { a! }", "/* try! /* a! */ b! */",
    'let a = #"b" \\(c!) "#', "func `a test!`() {}", "try await Task.sleep(for: .seconds(1))", "let a = try? b()  // none is as good",
    'let a = """\n  "b!" \\(c) Task { \n  """', "let a = Task<Int, Never>.self", "case .init(a): b()",
])  # fmt: skip
def test_what_only_looks_like_one_is_not(line):
    assert found(line) == []


@pytest.mark.parametrize("name", ["PodManager", "BaseClient", "InfoPanel", "RowData", "NewPod", "Pod2", "FileUtils", "ClientImpl"])
def test_a_banned_word_is_one_in_any_place_of_a_name(name):
    assert banned(name)


@pytest.mark.parametrize("name", ["HTTP2Server", "Information", "DataType", "Renewal", "SHA256", "HTTP2", "Implicit", "Database"])
def test_a_word_that_only_contains_one_is_none(name):
    assert not banned(name)


def test_our_words_are_not_for_kit_rooms_but_for_metric_names():
    kit = "Sources/Kit/Room/File.swift"
    assert found("let servableCount = 1", kit) and found("/// a model's file", kit)
    assert found('let name = "hydro_wire_bytes_total"; let observable = 1', kit) == []


def test_the_length_of_a_function_is_that_of_its_body():
    long = "func f(\n    a: Int = [1].map { $0 }[0]\n) {\n" + "    x()\n" * 41 + "}\n"
    assert [length for _, length in functions(code_of(long))] == [41]
    assert found(long) == ["a function of 41 lines, 40 at most"]
    assert list(functions(code_of("protocol P { func f(); init() }\nlet a = B.init(c)\n"))) == []


def test_a_file_without_the_header_is_found_unless_it_is_generated():
    assert list(findings("Sources/Feature/Room/File.swift", "let a = 1\n")) == [(1, "the two lines of the SPDX header are missing")]
    assert list(findings("Sources/Domain/Room/Generated/File.swift", "let a = 1\n" * 700)) == []


def test_reports_are_summed_and_a_suite_that_broke_down_counts_as_a_failure(tmp_path):
    (tmp_path / "a.xml").write_text(
        "<testsuites><testsuite><testcase/><testcase><failure/></testcase><testcase><skipped/></testcase></testsuite></testsuites>")
    (tmp_path / "b.xml").write_text("<testsuite><testcase/></testsuite>")
    assert tally(tmp_path) == (2, 1, 1)
    assert tally(tmp_path, failed_suites=1) == (2, 1, 1)
    assert tally(tmp_path, failed_suites=2) == (2, 2, 1)
