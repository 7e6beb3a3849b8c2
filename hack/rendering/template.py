# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""The part of Helm's template language that our chart uses; anything else is refused by name.

Actions: if, else, range, with, end, and a value with functions behind pipes. That the result is Helm's own is proved
by a test that renders the chart with Helm and compares.
"""
import json
import re

import yaml

ACTION = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.S)
WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()|]|[^\s()|]+)')


class TemplateError(Exception):
    """What was wanted of a template, and what was found."""


def to_yaml(value):
    return yaml.safe_dump(value, default_flow_style=False, sort_keys=True, width=1000).rstrip("\n")


def quote(value):
    text = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


FUNCTIONS = {
    "quote": quote,
    "toJson": lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True),
    "toYaml": to_yaml,
    "nindent": lambda count, text: "\n" + "\n".join(" " * count + line if line else line for line in text.split("\n")),
    "join": lambda separator, items: separator.join(items),
    "append": lambda items, one: [*items, one],
    "uniq": lambda items: list(dict.fromkeys(items)),
    # A base has no value to insist on: its overlays give it.
    "required": lambda message, value: value,
}


class Template:
    """A parsed template, to be rendered with any values."""

    def __init__(self, text, name="template"):
        self.name = name
        self.tokens = self._tokens(text)
        self.nodes = self._block(("",))[0]

    def render(self, scope):
        return "".join(self._render(self.nodes, scope, scope))

    def _tokens(self, text):
        tokens, at, trim = [], 0, False
        for match in ACTION.finditer(text):
            before = text[at : match.start()]
            tokens.append(("text", (before.lstrip() if trim else before).rstrip() if match[1] else (before.lstrip() if trim else before)))
            tokens.append(("action", match[2]))
            at, trim = match.end(), bool(match[3])
        rest = text[at:]
        tokens.append(("text", rest.lstrip() if trim else rest))
        return tokens[::-1]

    def _block(self, closers):
        """Nodes up to one of the closing words, and that word. An empty closer means the end of the template."""
        nodes = []
        while self.tokens:
            kind, value = self.tokens.pop()
            if kind == "text":
                nodes.append(("text", value))
                continue
            word, _, rest = value.partition(" ")
            if word in closers:
                return nodes, word
            if word in ("if", "range", "with"):
                then, closer = self._block(("else", "end"))
                otherwise = self._block(("end",))[0] if closer == "else" else []
                nodes.append((word, rest.strip(), then, otherwise))
            elif word in ("else", "end", "define", "template", "include", "block") or ":=" in value:
                raise TemplateError(f'{self.name}: wanted an action that hack/render knows, found "{value}"')
            else:
                nodes.append(("value", value))
        if "" not in closers:
            raise TemplateError(f'{self.name}: wanted "{" or ".join(closers)}", found the end of the file')
        return nodes, ""

    def _render(self, nodes, root, dot):
        for node in nodes:
            if node[0] == "text":
                yield node[1]
            elif node[0] == "value":
                value = self._value(node[1], root, dot)
                yield {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
            else:
                word, expression, then, otherwise = node
                value = self._value(expression, root, dot)
                if not value:
                    yield from self._render(otherwise, root, dot)
                elif word == "range":
                    for item in value:
                        yield from self._render(then, root, item)
                else:
                    yield from self._render(then, root, value if word == "with" else dot)

    def _value(self, expression, root, dot):
        words = WORD.findall(expression)[::-1]
        value = self._pipeline(words, root, dot)
        if words:
            raise TemplateError(f'{self.name}: wanted an expression, found "{expression}"')
        return value

    def _pipeline(self, words, root, dot):
        value = self._call(words, root, dot)
        while words and words[-1] == "|":
            words.pop()
            value = self._call(words, root, dot, value)
        return value

    def _call(self, words, root, dot, *piped):
        head = self._operand(words, root, dot)
        arguments = []
        while words and words[-1] not in ("|", ")"):
            arguments.append(self._operand(words, root, dot))
        arguments.extend(piped)
        if callable(head):
            return head(*arguments)
        if arguments:
            raise TemplateError(f"{self.name}: wanted a function before its arguments, found a value")
        return head

    def _operand(self, words, root, dot):
        word = words.pop()
        if word == "(":
            value = self._pipeline(words, root, dot)
            words.pop()
            return value
        if word.startswith('"'):
            return word[1:-1]
        if word.lstrip("-").isdigit():
            return int(word)
        if word in FUNCTIONS:
            return FUNCTIONS[word]
        if word.startswith((".", "$.")):
            value = root if word.startswith("$") else dot
            for name in word.lstrip("$").strip(".").split("."):
                if name:
                    if name not in value:
                        raise TemplateError(f'{self.name}: wanted a value at "{word}", found none named "{name}"')
                    value = value[name]
            return value
        raise TemplateError(f'{self.name}: wanted a value or a function that hack/render knows, found "{word}"')
