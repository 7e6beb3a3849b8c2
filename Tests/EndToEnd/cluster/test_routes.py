# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Shares of requests, and how soon a change of them counts."""

import time

import catalogue
from kube import wait_for

APPLICATION = "applications.hydrosphere.io"

# The value that chi-square with one degree of freedom exceeds once in a hundred times.
_once_in_a_hundred = 6.635


def _weights(first, second):
    return [{"model": "shared", "version": 1, "weight": first}, {"model": "shared", "version": 2, "weight": second}]


def _chi_square(counts, weights):
    total = sum(counts.values())
    return sum((counts[version] - total * weight / 100) ** 2 / (total * weight / 100) for version, weight in weights.items())


def _shares_are(gateway, count, weights):
    """Fair shares fail once in a hundred times, so a failure has to repeat."""
    tried = []
    for _ in range(2):
        counts = gateway.tally("shared", count)
        tried.append((dict(counts), _chi_square(counts, weights)))
        if tried[-1][1] < _once_in_a_hundred:
            return
    raise AssertionError(f"wants shares of {weights}, found {tried}")


def _pods(space):
    return sorted((pod["metadata"]["uid"], sum(each["restartCount"] for each in pod["status"].get("containerStatuses", [])))
                  for pod in space.list("pods"))


def test_weights_are_exact_shares_and_change_within_a_second_without_touching_a_pod(space, gateway):
    space.apply(catalogue.code("shared", catalogue.answers(1)), catalogue.model("shared"))
    space.wait_phase("shared-1", "Released")
    space.apply(catalogue.code("shared", catalogue.answers(2)))
    space.wait_phase("shared-2", "Released")
    space.apply(catalogue.application("shared", _weights(90, 10)))
    space.wait_ready(APPLICATION, "shared")
    wait_for("the route to answer", lambda: gateway.version("shared"), 10)

    before = _pods(space)
    _shares_are(gateway, 10_000, {1: 90, 2: 10})
    space.patch(APPLICATION, "shared", {"spec": {"stages": [{"variants": _weights(50, 50)}]}})
    time.sleep(1)
    _shares_are(gateway, 2_000, {1: 50, 2: 50})
    assert _pods(space) == before

    # All to one: not a single request may go astray.
    space.patch(APPLICATION, "shared", {"spec": {"stages": [{"variants": _weights(0, 100)}]}})
    time.sleep(1)
    assert gateway.tally("shared", 300) == {2: 300}


def test_stages_pass_on_outputs_and_what_later_stages_need(space, gateway):
    double = {"name": "predict", "inputs": [{"name": "x", "dtype": "double", "shape": []}],
              "outputs": [{"name": "doubled", "dtype": "double", "shape": []}]}
    add = {"name": "predict",
           "inputs": [{"name": "doubled", "dtype": "double", "shape": []}, {"name": "plus", "dtype": "double", "shape": []}],
           "outputs": [{"name": "sum", "dtype": "double", "shape": []}]}
    space.apply(
        catalogue.code("double", "def predict(x):\n    return {'doubled': 2 * x}\n"), catalogue.model("double", signature=double),
        catalogue.code("add", "def predict(doubled, plus):\n    return {'sum': doubled + plus}\n"), catalogue.model("add", signature=add),
        catalogue.application("sums", [{"model": "double"}], [{"model": "add"}]))
    space.wait_ready(APPLICATION, "sums")
    assert gateway.ask("sums", {"x": 20.0, "plus": 2.0}) == (200, {"sum": 42.0})


def test_a_shape_between_stages_that_cannot_fit_keeps_the_route_that_works(space, gateway):
    wide = {"name": "predict", "inputs": [{"name": "x", "dtype": "string", "shape": [3]}],
            "outputs": [{"name": "y", "dtype": "double", "shape": []}]}
    space.apply(
        catalogue.code("front", catalogue.answers(1)), catalogue.model("front"),
        catalogue.code("wide", "def predict(x):\n    return {'y': 0.0}\n"), catalogue.model("wide", signature=wide),
        catalogue.application("chain", [{"model": "front"}]))
    space.wait_ready(APPLICATION, "chain")
    space.wait_phase("wide-1", "Released")
    space.apply(catalogue.application("chain", [{"model": "front"}], [{"model": "wide"}]))
    wrong = space.wait_condition(APPLICATION, "chain", "ContractCompatible", "False", 30)
    for word in ("x", "string", "double"):
        assert word in wrong["message"]
    assert gateway.version("chain") == 1
