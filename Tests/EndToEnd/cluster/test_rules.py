# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""What an Application says of its requests beside shares: who sticks, who is copied, how many at once."""

import collections
import statistics
import threading
import time

import catalogue
from kube import wait_for

APPLICATION = "applications.hydrosphere.io"


def _two_versions(space, name, first, second):
    space.apply(catalogue.code(name, first), catalogue.model(name))
    space.wait_phase(f"{name}-1", "Released")
    space.apply(catalogue.code(name, second))
    space.wait_phase(f"{name}-2", "Released")


def _serve(space, gateway, name, variants, **more):
    space.apply(catalogue.application(name, variants, **more))
    space.wait_ready(APPLICATION, name)
    wait_for("an answer", lambda: gateway.version(name), 10)


def test_a_value_of_the_sticky_header_stays_with_its_version(space, gateway):
    _two_versions(space, "loyal", catalogue.answers(1), catalogue.answers(2))
    variants = [{"model": "loyal", "version": number, "weight": 50} for number in (1, 2)]
    _serve(space, gateway, "loyal", variants, sticky={"header": "x-user-id"})
    seen = collections.defaultdict(set)
    for _ in range(5):
        for user in range(40):
            status, answer = gateway.ask("loyal", {"x": 1.0}, x_user_id=f"user-{user}")
            assert status == 200, answer
            seen[user].add(answer["version"])
    assert all(len(versions) == 1 for versions in seen.values()), seen
    assert set().union(*seen.values()) == {1, 2}


def test_no_more_than_the_limit_are_with_the_model_and_the_others_are_told_to_come_again(space, gateway, system):
    slow = "import time\n\n\ndef predict(x):\n    time.sleep(1)\n    return {'x': x, 'version': 1}\n"
    space.apply(catalogue.code("narrow", slow), catalogue.model("narrow"))
    _serve(space, gateway, "narrow", [{"model": "narrow"}], concurrency={"limit": 1, "queue": 0})
    gateways = len(system.list("pods", "app.kubernetes.io/component=gateway"))
    statuses = []

    def ask():
        statuses.append(gateway.ask("narrow", {"x": 1.0})[0])
        gateway.close()

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    counts = collections.Counter(statuses)
    assert set(counts) == {200, 429} and counts[200] <= gateways, counts


def test_a_shadow_gets_copies_and_its_sleep_is_nobodys(space, gateway):
    sleeper = "import time\n\n\ndef predict(x):\n    print('copied', flush=True)\n    time.sleep(5)\n    return {'x': x, 'version': 2}\n"
    _two_versions(space, "shaded", catalogue.answers(1), sleeper)
    _serve(space, gateway, "shaded", [{"model": "shaded", "version": 1}, {"model": "shaded", "version": 2, "shadow": {"percent": 100}}])

    def copies():
        assert gateway.version("shaded") == 1
        return space.kubectl("logs", "-l", "hydrosphere.io/servable=shaded-2", "--tail=-1").count("copied")

    # The application does not wait for its shadow, so the first requests may have been too early for it.
    wait_for("a copy at the shadow", copies, 60)
    took = []
    for _ in range(50):
        begun = time.monotonic()
        assert gateway.version("shaded") == 1
        took.append(time.monotonic() - begun)
    assert statistics.median(took) < 1, took
