# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""What each server does with our kinds once it has them."""
import json

import pytest

from kinds import CRDS, crd_names, crds

SIGNATURE = {"inputs": [{"name": "features", "dtype": "double", "shape": [30]}], "outputs": [{"name": "malignant", "dtype": "int64", "shape": []}]}
MODEL = {"runtime": {"name": "python"}, "source": {"configMap": {"name": "files"}}, "signature": SIGNATURE}


def status(server, kind, name, body, **options):
    server.write_status(kind, f"{kind.lower()}s", name, body, **options)


def condition(kind, value="True", reason="Settled"):
    # The message is not empty: server-side apply on Kubernetes 1.20 turns an empty string in a custom resource into null.
    return {"type": kind, "status": value, "reason": reason, "message": "as it should be", "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}


def columns(server, plural, *words):
    lines = server.ok("get", "-n", server.namespace, plural, *words).splitlines()
    return lines[0].split(), lines[1:]


def test_applying_the_kinds_again_changes_nothing(server):
    def generations():
        return {name: json.loads(server.ok("get", "crd", name, "-o", "json"))["metadata"]["generation"] for name in crd_names()}

    before = generations()
    server.ok(*server.install, str(CRDS))
    assert generations() == before
    code, out, err = server.kubectl("diff", "-f", str(CRDS))
    assert (code, out) == (0, ""), err


def test_no_kind_has_a_fault_that_the_server_reports(server):
    for name in crd_names():
        conditions = {c["type"]: c["status"] for c in json.loads(server.ok("get", "crd", name, "-o", "json"))["status"]["conditions"]}
        assert conditions["Established"] == "True" and conditions["NamesAccepted"] == "True"
        assert conditions.get("NonStructuralSchema", "False") == "False"


def test_rules_are_kept_where_there_is_cel_and_dropped_where_there_is_none(server):
    kept = json.loads(server.ok("get", "crd", "applications.hydrosphere.io", "-o", "json"))["spec"]
    assert ("x-kubernetes-validations" in json.dumps(kept)) == server.has_cel


def test_defaults_are_the_schemas_and_nothing_else_is_written_into_a_spec(server):
    kept = server.apply("Model", "defaults", MODEL)["spec"]
    assert kept == {**MODEL, "versionHistoryLimit": 10, "signature": {**SIGNATURE, "name": "predict"}}
    kept = server.apply("Application", "defaults", {"stages": [{"variants": [{"model": "m"}, {"model": "n", "shadow": {}}]}]})["spec"]
    assert kept == {"stages": [{"variants": [{"model": "m"}, {"model": "n", "shadow": {"percent": 100}}]}], "timeout": "10s"}
    kept = server.apply("Runtime", "defaults", {"image": "r", "probes": {"readiness": {"http": {"port": 9092}}}})["spec"]
    assert kept == {
        "image": "r", "protocol": "hydrosphere", "port": 9091, "terminationGracePeriodSeconds": 30,
        "probes": {"readiness": {"http": {"path": "/healthz", "port": 9092}}},
    }  # fmt: skip
    kept = server.apply("DeploymentConfiguration", "defaults", {"deployment": {}, "hpa": {"maxReplicas": 3}})["spec"]
    assert kept == {"deployment": {"replicaCount": 1}, "hpa": {"minReplicas": 1, "maxReplicas": 3, "cpuUtilization": 80}}
    kept = server.apply("Servable", "defaults", {"modelVersion": "m-1"})["spec"]
    assert kept == {"modelVersion": "m-1"}


def test_diff_after_apply_is_empty(server):
    given = json.dumps(server.object("Model", "diff", {**MODEL, "metadata": {"team": "oncology"}}))
    server.ok("apply", "-f", "-", given=given)
    code, out, err = server.kubectl("diff", "-f", "-", given=given)
    assert (code, out) == (0, ""), err


def test_what_has_no_schema_is_kept(server):
    deep = [{"name": "a", "dtype": "map", "subfields": [{"name": "b", "dtype": "map", "subfields": [{"name": "c", "dtype": "bool", "shape": [2]}]}]}]
    spec = {**MODEL, "signature": {"name": "predict", "inputs": deep, "outputs": SIGNATURE["outputs"]}}
    assert server.apply("Model", "deep", spec)["spec"]["signature"]["inputs"] == deep
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "gpu", "operator": "Exists"}]}]}}}
    assert server.apply("DeploymentConfiguration", "placed", {"pod": {"affinity": affinity}})["spec"]["pod"]["affinity"] == affinity
    external = {"source": {"external": {}}, "signature": SIGNATURE}
    assert server.apply("Model", "external", external)["spec"]["source"] == {"external": {}}


def test_status_is_a_world_of_its_own(server):
    server.apply("Model", "apart", MODEL)
    before = server.get("models", "apart")["metadata"]["generation"]
    status(server, "Model", "apart", {"observedGeneration": 1, "latestVersion": 2, "conditions": [condition("Ready")]})
    kept = server.get("models", "apart")
    assert kept["status"]["latestVersion"] == 2 and kept["metadata"]["generation"] == before
    server.ok("patch", "-n", server.namespace, "models", "apart", "--type=merge", "-p", '{"status": {"latestVersion": 9}, "spec": {"versionHistoryLimit": 3}}')
    kept = server.get("models", "apart")
    assert kept["status"]["latestVersion"] == 2 and kept["metadata"]["generation"] == before + 1


def test_conditions_of_two_writers_are_merged_by_type(server):
    server.apply("Model", "shared", MODEL)
    status(server, "Model", "shared", {"conditions": [condition("Ready")]})
    status(server, "Model", "shared", {"conditions": [condition("Audited")]}, manager="an-auditor")
    status(server, "Model", "shared", {"conditions": [condition("Ready", "False", "Building")]})
    kept = {c["type"]: c["status"] for c in server.get("models", "shared")["status"]["conditions"]}
    assert kept == {"Ready": "False", "Audited": "True"}


def test_a_failure_reason_comes_from_a_closed_list(server):
    server.apply("ModelVersion", "failed-1", {"model": "failed", "version": 1, "fingerprint": "f", "source": {"kind": "configMap"}})
    status(server, "ModelVersion", "failed-1", {"phase": "Failed", "failure": {"reason": "SourceNotFound", "message": "m", "log": ["l"]}, "seconds": 0.25})
    with pytest.raises(AssertionError, match="(?s)failure.reason.*SourceNotFound"):
        status(server, "ModelVersion", "failed-1", {"phase": "Failed", "failure": {"reason": "BadLuck", "message": "m"}})


def test_a_servable_can_be_scaled(server):
    server.apply("Servable", "scaled", {"modelVersion": "m-1"})
    server.ok("scale", "-n", server.namespace, "servables/scaled", "--replicas=3")
    assert server.get("servables", "scaled")["spec"]["replicas"] == 3
    status(server, "Servable", "scaled", {"replicas": 2, "selector": "hydrosphere.io/servable=scaled"})
    scale = json.loads(server.ok("get", "--raw", f"/apis/hydrosphere.io/v1alpha1/namespaces/{server.namespace}/servables/scaled/scale"))
    assert scale["spec"]["replicas"] == 3
    assert scale["status"] == {"replicas": 2, "selector": "hydrosphere.io/servable=scaled"}


def test_kubectl_shows_the_columns_that_matter(server):
    server.apply("Application", "shown", {"stages": [{"variants": [{"model": "m"}]}]})
    status(server, "Application", "shown", {"stagesSummary": "m:4", "url": "http://gateway/shown", "conditions": [condition("Ready")]})
    head, rows = columns(server, "applications")
    assert head == ["NAME", "READY", "STAGES", "URL", "AGE"]
    assert any(row.split()[:4] == ["shown", "True", "m:4", "http://gateway/shown"] for row in rows)
    head, rows = columns(server, "applications", "-o", "wide")
    assert head[-1] == "REASON" and any(row.split()[-1] == "Settled" for row in rows)

    server.apply("Model", "shown", MODEL)
    status(server, "Model", "shown", {"latestVersion": 3, "latestReleasedVersion": 2, "image": "r/m@sha256:1", "conditions": [condition("Ready", "False", "Building")]})
    head, rows = columns(server, "models")
    assert head == ["NAME", "READY", "VERSION", "RELEASED", "AGE"]
    assert any(row.split()[:4] == ["shown", "False", "3", "2"] for row in rows)
    head, rows = columns(server, "models", "-o", "wide")
    assert head[-2:] == ["REASON", "IMAGE"] and any(row.split()[-2:] == ["Building", "r/m@sha256:1"] for row in rows)

    server.apply("ModelVersion", "shown-1", {"model": "shown", "version": 1, "fingerprint": "f", "source": {"kind": "configMap"}})
    status(server, "ModelVersion", "shown-1", {"phase": "Released", "image": {"digest": "sha256:1"}})
    assert columns(server, "modelversions")[0] == ["NAME", "MODEL", "NUMBER", "PHASE", "AGE"]
    head, rows = columns(server, "modelversions", "-o", "wide")
    assert head[-1] == "DIGEST" and any(row.split()[:4] == ["shown-1", "shown", "1", "Released"] and row.split()[-1] == "sha256:1" for row in rows)

    server.apply("Servable", "shown", {"modelVersion": "shown-1"})
    status(server, "Servable", "shown", {"replicas": 2, "conditions": [condition("Ready")]})
    head, rows = columns(server, "servables")
    assert head == ["NAME", "MODELVERSION", "READY", "REPLICAS", "AGE"]
    assert any(row.split()[:4] == ["shown", "shown-1", "True", "2"] for row in rows)


def test_one_word_lists_everything_and_each_kind_has_a_short_one(server):
    server.apply("Runtime", "listed", {"image": "r"})
    server.apply("DeploymentConfiguration", "listed", {})
    assert "runtime.hydrosphere.io/listed" in server.ok("get", "hydro", "-n", server.namespace, "-o", "name")
    for crd in crds():
        short = crd["spec"]["names"]["shortNames"][0]
        server.ok("get", short, "-n", server.namespace)


@pytest.mark.parametrize("path", ["model.spec.source", "model.spec.source.http.sha256", "application.spec.stages.variants.shadow", "servable.status.selector", "runtime.spec.probes.startup.http"])
def test_kubectl_explains(server, path):
    kind, *rest = path.split(".")
    crd = next(each for each in crds() if each["spec"]["names"]["singular"] == kind)
    node = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for name in rest:
        node = node.get("items", node)["properties"][name]
    assert " ".join(node["description"].split())[:60] in " ".join(server.ok("explain", path).split())
