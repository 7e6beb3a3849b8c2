# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""What the files themselves must hold to; no server is asked."""
import pytest

from kinds import CRDS, crds

FILES = sorted(CRDS.glob("*.yaml"))


def fields(schema, path=()):
    """Every named field below a schema, with its path."""
    for name, field in schema.get("properties", {}).items():
        yield (*path, name), field
        yield from fields(field, (*path, name))
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            yield from fields(schema[inner], (*path, "[]"))


def schema_of(crd):
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def at(crd, *path):
    node = schema_of(crd)
    for name in path:
        node = node["items"] if name == "[]" else node["properties"][name]
    return node


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_file_stays_under_60_kB(path):
    assert path.stat().st_size < 60_000


@pytest.mark.parametrize("crd", crds(), ids=lambda c: c["spec"]["names"]["singular"])
def test_every_field_is_explained(crd):
    silent = [".".join(path) for path, field in fields(schema_of(crd)) if path != ("metadata",) and not field.get("description")]
    assert silent == []


@pytest.mark.parametrize("crd", crds(), ids=lambda c: c["spec"]["names"]["singular"])
def test_no_field_takes_a_number_or_a_string(crd):
    # Kubernetes 1.20 makes keyed lists atomic in server-side apply where a schema has such a field.
    assert [path for path, field in fields(schema_of(crd)) if "x-kubernetes-int-or-string" in field] == []


@pytest.mark.parametrize("crd", crds(), ids=lambda c: c["spec"]["names"]["singular"])
def test_a_default_is_a_value_that_its_own_field_takes(crd):
    for path, field in fields(schema_of(crd)):
        if "default" in field and "enum" in field:
            assert field["default"] in field["enum"], path
        if "default" in field and field["type"] == "integer":
            assert field["minimum"] <= field["default"] <= field.get("maximum", field["default"]), path


@pytest.mark.parametrize("crd", crds(), ids=lambda c: c["spec"]["names"]["singular"])
def test_the_names_follow_one_pattern(crd):
    names = crd["spec"]["names"]
    assert names["categories"] == ["hydro"] and len(names["shortNames"]) == 1
    assert crd["metadata"]["name"] == f"{names['plural']}.hydrosphere.io"


def test_kinds_that_share_a_piece_say_the_same_of_it():
    kind = {crd["spec"]["names"]["kind"]: crd for crd in crds()}
    fields_of_a_signature = at(kind["Model"], "spec", "signature")["properties"]
    assert fields_of_a_signature == at(kind["ModelVersion"], "spec", "signature")["properties"]
    assert fields_of_a_signature["inputs"]["items"] == fields_of_a_signature["outputs"]["items"]
    seen = at(kind["Servable"], "status", "signature")["properties"]
    for path in (["signature"], ["activeRoute", "signature"], ["activeRoute", "stages", "[]", "signature"]):
        assert at(kind["Application"], "status", *path)["properties"] == seen
    assert at(kind["Runtime"], "spec", "probes") == at(kind["ModelVersion"], "spec", "runtime", "probes")
    assert at(kind["Runtime"], "spec", "env") == at(kind["ModelVersion"], "spec", "runtime", "env")
    conditions = [at(crd, "status", "conditions")["items"] for crd in kind.values() if "status" in schema_of(crd)["properties"]]
    assert len(conditions) == 5 and all(each == conditions[0] for each in conditions)
