# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Swift text without what is not code, and where its functions begin and end."""

import re

_DECLARES = re.compile(r"(?<![.\w])(func|init|deinit|subscript)\b")
_PROTOCOL = re.compile(r"(?<![.\w])protocol\s+\w+[^{]*\{")


def code_of(text):
    """The text with comments, strings and quoted names blanked; every line keeps its place.

    Code inside a string's interpolation is blanked with it.
    """
    out = list(text)
    at = 0
    while at < len(text):
        end = _end_of_quiet(text, at)
        if end > at:
            out[at:end] = [character if character == "\n" else " " for character in text[at:end]]
            at = end
        else:
            at += 1
    return "".join(out)


def _end_of_quiet(text, at):
    """Where the comment, string or quoted name that begins here ends; `at` if none does."""
    if text.startswith("//", at):
        return _or_end(text, text.find("\n", at))
    if text.startswith("/*", at):
        return _end_of_comment(text, at)
    if text[at] == "`":
        return _or_end(text, text.find("`", at + 1) + 1)
    opened = re.compile(r'(#*)("""|")').match(text, at)
    return _end_of_string(text, opened) if opened else at


def _or_end(text, at):
    return at if at > 0 else len(text)


def _end_of_comment(text, at):
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(text)


def _end_of_string(text, opened):
    fence, quote = opened.group(1), opened.group(2)
    at, close, escape = opened.end(), quote + fence, "\\" + fence
    while at < len(text):
        if text.startswith(escape + "(", at):
            at = _end_of_interpolation(text, at + len(escape) + 1)
        elif text.startswith(escape, at):
            at += len(escape) + 1
        elif text.startswith(close, at):
            return at + len(close)
        else:
            at += 1
    return len(text)


def _end_of_interpolation(text, at):
    depth = 1
    while at < len(text) and depth:
        end = _end_of_quiet(text, at)
        if end > at:
            at = end
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def functions(code):
    """(line, lines in the body) of each function in blanked code."""
    protocols = [(found.start(), _closing(code, found.end() - 1)) for found in _PROTOCOL.finditer(code)]
    for found in _DECLARES.finditer(code):
        if any(start < found.start() < end for start, end in protocols):
            continue
        opening = _body(code, found.end())
        if opening is None:
            continue
        first, last = code.count("\n", 0, opening), code.count("\n", 0, _closing(code, opening))
        yield code.count("\n", 0, found.start()) + 1, max(1, last - first - 1)


def _body(code, at):
    """Where the body opens: the first brace that is in no parenthesis."""
    depth = 0
    for at in range(at, len(code)):
        character = code[at]
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "{" and depth == 0:
            return at
        elif depth < 0 or (depth == 0 and character in "};"):
            return None
    return None


def _closing(code, opening):
    depth = 0
    for found in re.compile(r"[{}]").finditer(code, opening):
        depth += 1 if found.group() == "{" else -1
        if depth == 0:
            return found.start()
    return len(code)
