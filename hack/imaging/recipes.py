# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""What each image is made of."""

import dataclasses
import shutil
from typing import Callable

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The layers of an image, lowest first, and how it runs."""

    layers: Callable
    config: dict
    tag: str = ""


class Kitchen:
    """Where layers are made and kept."""

    def __init__(self, state, cache, quiet=False):
        self.state, self.cache, self.quiet = state, cache, quiet


def pause_layers(kitchen):
    """The container that holds a pod's namespaces: an init that waits and reaps."""
    init = shutil.which("catatonit")
    return [kitchen.cache.layer("pause-1", "catatonit", lambda writer: writer.file("/pause", init, 0o755))]


RECIPES = {
    "pause": Recipe(pause_layers, {"Entrypoint": ["/pause", "-P"]}, tag="1"),
}
DEFAULT = []
