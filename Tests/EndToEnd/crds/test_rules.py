# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""What each server takes and refuses. CEL rules hold where the server knows CEL; elsewhere the operator enforces them."""
import json

import pytest

FILES = {"configMap": {"name": "files"}}
HTTP = "https://models.example/m.tar.gz"
ONE = [{"name": "x", "dtype": "double"}]


def model(**spec):
    return "Model", {"runtime": {"name": "python"}, "source": FILES, **spec}


def application(*variants, **spec):
    return "Application", {"stages": [{"variants": list(variants)}], **spec}


def stages(*names):
    return "Application", {"stages": [{**({"name": name} if name else {}), "variants": [{"model": "m"}]} for name in names]}


def signature(**field):
    return model(signature={"inputs": [{"name": "x", "dtype": "double", **field}], "outputs": ONE})


def version(**spec):
    return "ModelVersion", {"model": "m", "version": 1, "fingerprint": "f", "source": {"kind": "configMap"}, **spec}


TAKEN = {
    "a model from a ConfigMap": model(),
    "a model that names an image": model(runtime={"image": "registry.example/r:1", "protocol": "tensorflow", "port": 8500}),
    "a model over HTTP with a digest": model(source={"http": {"url": HTTP, "sha256": "0" * 64}}),
    "an external model with a signature": ("Model", {"source": {"external": {}}, "signature": {"inputs": ONE, "outputs": ONE}}),
    "a scalar, and a tensor of any extent": model(signature={"inputs": [{"name": "x", "dtype": "int8", "shape": []}], "outputs": [{"name": "y", "dtype": "int8", "shape": [-1, 3]}]}),
    "a map of a map of a map": signature(dtype="map", subfields=[{"name": "a", "dtype": "map", "subfields": [{"name": "b", "dtype": "map", "subfields": [{"name": "c", "dtype": "bool"}]}]}]),
    "one variant without a weight": application({"model": "m"}),
    "one variant with all the weight": application({"model": "m", "weight": 100}),
    "90 and 10": application({"model": "m", "weight": 90}, {"model": "m", "version": 2, "weight": 10}),
    "a variant kept warm": application({"model": "m", "weight": 100}, {"model": "n", "weight": 0}),
    "a shadow beside one variant": application({"model": "m"}, {"model": "n", "shadow": {"percent": 5}}),
    "stages with and without names": stages("clean", None),
    "a stage that calls itself by its place": stages("stage-0", "stage-1"),
    "a timeout in milliseconds": application({"model": "m"}, timeout="250ms"),
    "a runtime with an HTTP probe": ("Runtime", {"image": "r", "probes": {"startup": {"http": {"port": 9092}, "failureThreshold": 60}}}),
    "an autoscaler": ("DeploymentConfiguration", {"hpa": {"maxReplicas": 4}}),
    "a quantity in every notation": ("DeploymentConfiguration", {"container": {"resources": {"limits": {"cpu": "1500m", "memory": "1.5Gi", "nvidia.com/gpu": "1", "ephemeral-storage": "1e3"}}}}),
    "any affinity": ("DeploymentConfiguration", {"pod": {"affinity": {"nodeAffinity": {"anything": [1, {"a": "b"}]}}}}),
    "a servable scaled to nothing": ("Servable", {"modelVersion": "m-1", "replicas": 0}),
    "a version of a runtime by digest": version(runtime={"image": "r@sha256:" + "0" * 64, "protocol": "hydrosphere", "port": 9091}),
}

# Refused by both servers, for what the schema says: the field that is named.
SCHEMA = {
    "no source": (model(source={}), "spec.source"),
    "two sources": (model(source={**FILES, "external": {}}), "spec.source"),
    "no source at all": (("Model", {"runtime": {"name": "r"}}), "spec.source"),
    "training data from nowhere": (model(trainingData={}), "spec.trainingData"),
    "half a digest": (model(source={"http": {"url": HTTP, "sha256": "abc"}}), "spec.source.http.sha256"),
    "a digest in capitals": (model(source={"http": {"url": HTTP, "sha256": "A" * 64}}), "spec.source.http.sha256"),
    "an address that is no HTTP": (model(source={"http": {"url": "ftp://models.example/m"}}), "spec.source.http.url"),
    "a protocol that nobody speaks": (model(runtime={"image": "r", "protocol": "soap"}), "spec.runtime.protocol"),
    "a port out of range": (model(runtime={"image": "r", "port": 65536}), "spec.runtime.port"),
    "a history of nothing": (model(versionHistoryLimit=0), "spec.versionHistoryLimit"),
    "a dtype that is none": (signature(dtype="float32"), "dtype"),
    "a profile that is none": (signature(profile="colour"), "profile"),
    "an extent below -1": (signature(shape=[-2]), "shape"),
    "two fields of one name": (model(signature={"inputs": ONE + ONE, "outputs": ONE}), "spec.signature.inputs[1]"),
    "no inputs": (model(signature={"inputs": [], "outputs": ONE}), "spec.signature.inputs"),
    "no stages": (("Application", {"stages": []}), "spec.stages"),
    "a stage of nobody": (application(), "variants"),
    "a weight above all": (application({"model": "m", "weight": 101}), "weight"),
    "a weight in pieces": (application({"model": "m", "weight": 33.3}), "weight"),
    "version 0": (application({"model": "m", "version": 0}), "version"),
    "a timeout without a unit": (application({"model": "m"}, timeout="10"), "spec.timeout"),
    "a timeout of nothing": (application({"model": "m"}, timeout="0s"), "spec.timeout"),
    "a header with a space": (application({"model": "m"}, sticky={"header": "x user"}), "spec.sticky.header"),
    "no request at once": (application({"model": "m"}, concurrency={"limit": 0}), "spec.concurrency.limit"),
    "a queue of less than none": (application({"model": "m"}, concurrency={"limit": 1, "queue": -1}), "spec.concurrency.queue"),
    "access by nobody's word": (application({"model": "m"}, access={}), "spec.access"),
    "tokens of any issuer": (application({"model": "m"}, access={"jwt": {}}), "spec.access.jwt.issuer"),
    "the same variable twice": (("Runtime", {"image": "r", "env": [{"name": "A"}, {"name": "A"}]}), "spec.env[1]"),
    "a runtime without an image": (("Runtime", {"protocol": "tensorflow"}), "spec.image"),
    "a quantity as a number": (("DeploymentConfiguration", {"container": {"resources": {"limits": {"cpu": 1}}}}), "cpu"),
    "a quantity that is none": (("DeploymentConfiguration", {"container": {"resources": {"limits": {"memory": "512 MB"}}}}), "memory"),
    "replicas below nothing": (("Servable", {"modelVersion": "m-1", "replicas": -1}), "spec.replicas"),
    "a version of no model": (("ModelVersion", {"version": 1, "fingerprint": "f", "source": {"kind": "oci"}}), "spec.model"),
    "a kind of source that is none": (version(source={"kind": "ftp"}), "spec.source.kind"),
}

# Refused where the server knows CEL: the sentence that the user reads.
CEL = {
    "a runtime and an image": (model(runtime={"name": "r", "image": "i"}), "exactly one of name, image"),
    "neither runtime nor image": (model(runtime={}), "exactly one of name, image"),
    "a port for a Runtime": (model(runtime={"name": "r", "port": 1}), "protocol and port go with image"),
    "no runtime": (("Model", {"source": FILES}), "runtime is needed unless source is external"),
    "an external model without a signature": (("Model", {"source": {"external": {}}}), "signature is needed where source is external"),
    "an external model with an install": (("Model", {"source": {"external": {}}, "signature": {"inputs": ONE, "outputs": ONE}, "install": {"command": "true"}}), "install has nothing to run in"),
    "a map without fields": (signature(dtype="map"), "subfields are given exactly when dtype is map"),
    "fields of a number": (signature(subfields=ONE), "subfields are given exactly when dtype is map"),
    "90 and 9": (application({"model": "m", "weight": 90}, {"model": "n", "weight": 9}), "must sum to 100"),
    "one variant with half the weight": (application({"model": "m", "weight": 50}), "must sum to 100"),
    "two variants without weights": (application({"model": "m"}, {"model": "n"}), "each of several variants that answer needs a weight"),
    "all the weight, and none": (application({"model": "m", "weight": 100}, {"model": "n"}), "each of several variants that answer needs a weight"),
    "nobody who answers": (application({"model": "m", "shadow": {}}), "a stage needs a variant that answers"),
    "a shadow with a weight": (application({"model": "m"}, {"model": "n", "shadow": {}, "weight": 1}), "a shadow has a percent in place of a weight"),
    "two stages of one name": (stages("clean", "clean"), "names of stages must be unique"),
    "a name that a stage without one would get": (stages("stage-1", None), "name all stages, or choose another name"),
    "a probe by two ways": (("Runtime", {"image": "r", "probes": {"liveness": {"tcp": {"port": 1}, "grpc": {"port": 1}}}}), "exactly one of http, grpc, tcp"),
    "a probe by none": (("Runtime", {"image": "r", "probes": {"readiness": {"periodSeconds": 5}}}), "exactly one of http, grpc, tcp"),
    "fewest above most": (("DeploymentConfiguration", {"hpa": {"minReplicas": 3, "maxReplicas": 2}}), "minReplicas may not be above maxReplicas"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_taken(server, case):
    assert server.refusal(*TAKEN[case]) == ""


@pytest.mark.parametrize("case", SCHEMA)
def test_refused_by_the_schema(server, case):
    wanted, field = SCHEMA[case]
    assert field in server.refusal(*wanted)


@pytest.mark.parametrize("case", CEL)
def test_refused_by_a_rule_where_there_are_rules(server, case):
    wanted, sentence = CEL[case]
    if server.has_cel:
        assert sentence in server.refusal(*wanted)
    else:
        assert server.refusal(*wanted) == ""


def test_a_model_whose_name_is_too_long_for_a_label(server):
    kind, spec = model()
    assert server.refusal(kind, spec, name="m" * 63) == ""
    if server.has_cel:
        assert "at most 63 characters" in server.refusal(kind, spec, name="m" * 64)


def test_the_spec_of_a_version_is_immutable(server):
    kind, spec = version()
    server.apply(kind, "frozen-1", spec)
    refusal = server.refusal(kind, {**spec, "fingerprint": "g"}, name="frozen-1")
    assert ("the spec of a ModelVersion is immutable" in refusal) == server.has_cel
    assert server.refusal(kind, spec, name="frozen-1") == ""


def test_an_unknown_field_is_refused_by_kubectl_or_by_the_server(server):
    given = json.dumps(server.object("Runtime", "refused", {"image": "r", "imgae": "r"}))
    code, _, err = server.kubectl("apply", "--dry-run=server", "-f", "-", given=given)
    assert code != 0 and "imgae" in err
