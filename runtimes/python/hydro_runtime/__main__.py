# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""`python3 -m hydro_runtime`: see README.md for the settings."""

import faulthandler
import os
import sys

from . import log
from .server import Runtime
from .settings import BadSetting, Settings


def main():
    """Runs until told to stop; the exit status says how it went."""
    faulthandler.enable()
    try:
        settings = Settings.read()
    except BadSetting as bad:
        print(f"hydro_runtime: {bad}", file=sys.stderr)
        return 2
    log.set_up(settings.log_level)
    try:
        runtime = Runtime(settings)
    except (OSError, RuntimeError) as error:
        print(f"hydro_runtime: cannot listen on {settings.port} and {settings.health_port}: {error}", file=sys.stderr)
        return 1
    return runtime.run()


status = main()
sys.stdout.flush()
sys.stderr.flush()
# A model's threads, daemons or not, must not keep a drained process alive.
os._exit(status)
