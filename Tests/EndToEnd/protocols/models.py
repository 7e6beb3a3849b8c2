# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""The models that the suite asks, each as source and signature."""
from stage import signature

# The example of Triton's own clients.
SIMPLE = ("def predict(INPUT0, INPUT1): return {'OUTPUT0': INPUT0 + INPUT1, 'OUTPUT1': INPUT0 - INPUT1}",
          signature([("INPUT0", "int32", [1, 16]), ("INPUT1", "int32", [1, 16])], [("OUTPUT0", "int32", [1, 16]), ("OUTPUT1", "int32", [1, 16])]))

DTYPES = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "half", "float", "double", "string"]
# Gives back what came, of every type and for every rank.
MIRROR = ("def predict(**given): return {'out_' + name[3:]: value for name, value in given.items()}",
          signature([(f"in_{each}", each, [-1, 2]) for each in DTYPES], [(f"out_{each}", each, [-1, 2]) for each in DTYPES]))


def constant(number):
    return (f"def predict(x): return {{'version': {number}}}", signature([("x", "double", [-1])], [("version", "int64", [])]))


FAILING = ("def predict(x): raise RuntimeError('no such colour: mauve')", signature([("x", "double", [-1])], [("y", "double", [])]))
TEXT = ("def predict(text): return {'loud': [each.upper() for each in text]}",
        signature([("text", "string", [-1])], [("loud", "string", [-1])]))


def serve_all(stage):
    """Every application that the tests know."""
    stage.serve("simple", [stage.model(*SIMPLE)])
    stage.serve("mirror", [stage.model(*MIRROR)])
    stage.serve("versions", [stage.model(*constant(1)), stage.model(*constant(2))], weights=[100, 0])
    stage.serve("failing", [stage.model(*FAILING)])
    text = stage.model(*TEXT)
    stage.serve("text", [text])
    stage.serve("text-elsewhere", [text], namespace=stage.other)
    stage.servable("text-alone", text, version=7)
