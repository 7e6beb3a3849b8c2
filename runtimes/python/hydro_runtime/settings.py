# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""What the environment says."""

import dataclasses
import os
import pathlib


class BadSetting(Exception):
    """A setting that cannot be meant."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """Each field is read from the variable that its comment names."""

    port: int = 9091                                          # APP_PORT
    health_port: int = 9092                                   # HEALTH_PORT
    model_dir: pathlib.Path = pathlib.Path("/model")          # MODEL_DIR
    workers: int = 10                                         # HYDRO_WORKERS
    queue: int = 1000                                         # HYDRO_QUEUE
    drain_seconds: float = 1.0                                # HYDRO_DRAIN_SECONDS
    grace_seconds: float = 20.0                               # HYDRO_GRACE_SECONDS
    failed_seconds: float = 5.0                               # HYDRO_FAILED_SECONDS
    termination_log: pathlib.Path = pathlib.Path("/dev/termination-log")  # TERMINATION_LOG
    log_level: str = "info"                                   # HYDRO_LOG_LEVEL

    @staticmethod
    def read(environment=os.environ):
        """The settings of `environment`; raises `BadSetting` naming the first bad one."""
        wanted = Settings()
        return Settings(
            port=_number(environment, "APP_PORT", wanted.port, int, 0, 65535),
            health_port=_number(environment, "HEALTH_PORT", wanted.health_port, int, 0, 65535),
            model_dir=pathlib.Path(environment.get("MODEL_DIR") or wanted.model_dir),
            workers=_number(environment, "HYDRO_WORKERS", wanted.workers, int, 1, 1000),
            queue=_number(environment, "HYDRO_QUEUE", wanted.queue, int, 0, 1_000_000),
            drain_seconds=_number(environment, "HYDRO_DRAIN_SECONDS", wanted.drain_seconds, float, 0, 3600),
            grace_seconds=_number(environment, "HYDRO_GRACE_SECONDS", wanted.grace_seconds, float, 0, 3600),
            failed_seconds=_number(environment, "HYDRO_FAILED_SECONDS", wanted.failed_seconds, float, 0, 3600),
            termination_log=pathlib.Path(environment.get("TERMINATION_LOG") or wanted.termination_log),
            log_level=_choice(environment, "HYDRO_LOG_LEVEL", wanted.log_level, ["debug", "info", "warning", "error"]),
        )


def _number(environment, name, default, kind, least, most):
    text = environment.get(name, "").strip()
    if not text:
        return default
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise BadSetting(f'{name} wants a number from {least} to {most}, got "{text}"')
    return value


def _choice(environment, name, default, choices):
    text = environment.get(name, "").strip().lower() or default
    if text not in choices:
        raise BadSetting(f'{name} wants one of {", ".join(choices)}, got "{text}"')
    return text
