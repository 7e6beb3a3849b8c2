# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""The cluster, through kubectl, and waiting with deadlines."""

import json
import subprocess
import time


class KubectlError(Exception):
    """What kubectl said when it failed."""


class Namespace:
    """One namespace, and what is asked and told there."""

    def __init__(self, name):
        self.name = name

    def kubectl(self, *arguments, given=None, timeout=60, statuses=(0,)):
        """The output of one kubectl in this namespace; raises `KubectlError` with its complaint."""
        done = subprocess.run(["kubectl", "--namespace", self.name, *arguments], input=given,
                              capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode not in statuses:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def apply(self, *objects):
        """Applies objects as a user does, from a file."""
        return self.kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    def refusal(self, *objects):
        """What the server says to objects that it must refuse; none when it takes them."""
        try:
            self.apply(*objects)
        except KubectlError as error:
            return str(error)
        return None

    def patch(self, kind, name, change):
        """A merge patch."""
        self.kubectl("patch", kind, name, "--type=merge", "-p", json.dumps(change))

    def get(self, kind, name):
        """One object, or none."""
        text = self.kubectl("get", kind, name, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def list(self, kinds, selector=None):
        """All objects of some kinds."""
        chosen = ["-l", selector] if selector else []
        return json.loads(self.kubectl("get", kinds, "-o", "json", *chosen))["items"]

    def delete(self, kind, name, *arguments):
        """Deletes without waiting."""
        self.kubectl("delete", kind, name, "--wait=false", *arguments)

    def wait_ready(self, kind, name, seconds=120):
        """The object, once it is Ready as its spec is now."""
        def look():
            found = self.get(kind, name)
            ready = condition(found, "Ready")
            current = found and found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
            return found if current and ready.get("status") == "True" else None
        return wait_for(f"{kind} {name} to be Ready", look, seconds, lambda: explain(self.get(kind, name)))

    def wait_condition(self, kind, name, type, status, seconds=60, saying=""):
        """The condition, once it is `status` for the present spec and its message or reason mentions `saying`."""
        def look():
            found = self.get(kind, name)
            one = condition(found, type)
            current = found and found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
            text = f'{one.get("reason", "")}: {one.get("message", "")}'
            return one if current and one.get("status") == status and saying in text else None
        return wait_for(f'{kind} {name} to be {type}={status} saying "{saying}"', look, seconds, lambda: explain(self.get(kind, name)))

    def wait_phase(self, version, phase, seconds=120):
        """The ModelVersion, once it is in `phase`."""
        def look():
            found = self.get("modelversion", version)
            return found if found and found.get("status", {}).get("phase") == phase else None
        return wait_for(f"modelversion {version} to be {phase}", look, seconds, lambda: explain(self.get("modelversion", version)))

    def pods(self, servable):
        """The pods of a servable that are not on their way out."""
        return [pod for pod in self.list("pods", f"hydrosphere.io/servable={servable}")
                if "deletionTimestamp" not in pod["metadata"]]


def wait_for(what, look, seconds, found=lambda: "nothing of it", pause=0.25):
    """The first true value that `look` gives; fails after `seconds` with what is there instead."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"wants {what} within {seconds} s, found {found()}")
        time.sleep(pause)


def holds_for(seconds, what, look, pause=0.5):
    """Fails when `look` is false at any moment of the next `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not look():
            raise AssertionError(f"wants {what} for {seconds} s, found otherwise")
        time.sleep(pause)


def condition(found, type):
    """One condition of an object; empty when it has none."""
    conditions = (found or {}).get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == type), {})


def explain(found):
    """An object's status for a failure's message."""
    return json.dumps((found or {}).get("status", "no such object"))[:2000]
