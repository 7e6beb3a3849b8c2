# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""What the environment says."""

import pathlib

import pytest

from hydro_runtime.settings import BadSetting, Settings


def test_an_empty_environment_gives_the_defaults():
    assert Settings.read({}) == Settings()
    assert Settings.read({"APP_PORT": "", "MODEL_DIR": ""}) == Settings()


def test_each_variable_is_heard():
    read = Settings.read({
        "APP_PORT": "1", "HEALTH_PORT": "2", "MODEL_DIR": "/m", "HYDRO_WORKERS": "3", "HYDRO_QUEUE": "4", "HYDRO_DRAIN_SECONDS": "0.5",
        "HYDRO_GRACE_SECONDS": "6", "HYDRO_FAILED_SECONDS": "7", "TERMINATION_LOG": "/t", "HYDRO_LOG_LEVEL": "DEBUG"})
    assert read == Settings(1, 2, pathlib.Path("/m"), 3, 4, 0.5, 6, 7, pathlib.Path("/t"), "debug")


@pytest.mark.parametrize("name, value", [
    ("APP_PORT", "http"), ("APP_PORT", "65536"), ("HYDRO_WORKERS", "0"), ("HYDRO_GRACE_SECONDS", "-1"),
    ("HYDRO_GRACE_SECONDS", "nan"), ("HYDRO_LOG_LEVEL", "loud")])
def test_a_bad_setting_is_named(name, value):
    with pytest.raises(BadSetting, match=f"{name} wants .*, got \"{value}\""):
        Settings.read({name: value})
