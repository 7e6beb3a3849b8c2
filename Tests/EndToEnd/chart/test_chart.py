# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""What the chart renders, by Helm's own engine, and what an installation of it does."""
import json
import shutil
import subprocess
import sys

import pytest
import yaml

from installing import CHART, REPOSITORY, run

REGISTRY = {"registry": {"url": "registry.example.com/models"}}
NAMESPACE = "hydro-chart"


def documents(text):
    return [each for each in yaml.safe_load_all(text) if each]


def rendered(helm, values=None, namespace="hydro-system"):
    """Objects of the chart by kind, namespace and name."""
    chart = helm.Chart.load(CHART)
    files = chart.render({**REGISTRY, **(values or {})}, name="hydro", namespace=namespace)
    return by_name(each for path, text in files.items() if path.endswith(".yaml") for each in documents(text))


def by_name(objects):
    return {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]): each for each in objects}


def environment(deployment):
    return {each["name"]: each.get("value") for each in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}


def test_what_is_rendered_is_what_is_kept():
    subprocess.run([sys.executable, REPOSITORY / "hack" / "render", "--check"], check=True, timeout=60)


def test_lint_finds_no_fault(helm):
    report = helm.lint(CHART, REGISTRY, strict=True)
    assert report["errors"] == [] and all(message["severity"] == 1 for message in report["messages"]), report


def test_the_base_is_what_helm_renders(helm):
    files = [path for path in (REPOSITORY / "manifests" / "base").glob("*.yaml") if path.stem not in ("kustomization", "namespace")]
    base = by_name(each for path in files for each in documents(path.read_text()))

    def plain(objects):
        text = json.dumps([objects[key] for key in sorted(objects, key=str)], sort_keys=True)
        return text.replace('"kustomize"', '"Helm"').replace('"registry.example.com/models"', '""')

    assert plain(rendered(helm)) == plain(base)


def test_every_object_says_what_it_belongs_to(helm):
    for (kind, _, name), each in rendered(helm).items():
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "hydro", (kind, name)
        assert labels["app.kubernetes.io/component"] in ("operator", "console", "gateway", "registry", "database"), (kind, name)
        assert {"app.kubernetes.io/name", "app.kubernetes.io/managed-by"} <= labels.keys(), (kind, name)


def test_pods_are_restricted(helm):
    pods = [each["spec"]["template"]["spec"] for each in rendered(helm).values() if each["kind"] == "Deployment"]
    assert len(pods) == 1
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False and security["capabilities"] == {"drop": ["ALL"]}
            assert security["readOnlyRootFilesystem"] is True


def test_no_role_takes_everything(helm):
    for each in rendered(helm).values():
        for rule in each.get("rules", []):
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"], each["metadata"]["name"]
            assert "escalate" not in rule["verbs"] and "impersonate" not in rule["verbs"]
            if "secrets" in rule["resources"]:
                assert rule["verbs"] == ["get"]


def test_values_reach_the_operator(helm):
    values = {
        "registry": {"url": "r.example:5000/x", "pullHost": "pull.example", "insecure": True, "secret": "push"},
        "images": {"hydro": "r.example/hydro:2", "pullSecrets": [{"name": "pull"}]},
        "operator": {"replicas": 3, "buildConcurrency": 5, "logLevel": "debug"},
        "gateway": {"replicas": 7},
        "watchedNamespaces": ["red", "blue"],
    }
    objects = rendered(helm, values)
    deployment = objects["Deployment", "hydro-system", "hydro-operator"]
    assert deployment["spec"]["replicas"] == 3
    pod = deployment["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "pull"}] and pod["containers"][0]["image"] == "r.example/hydro:2"
    found = environment(deployment)
    assert found.pop("HYDRO_NAMESPACE") is None
    assert found == {
        "HYDRO_REGISTRY": "r.example:5000/x",
        "HYDRO_REGISTRY_PULL_HOST": "pull.example",
        "HYDRO_REGISTRY_PLAIN_HTTP": "true",
        "HYDRO_REGISTRY_SECRET": "push",
        "HYDRO_WATCH_NAMESPACES": "red,blue",
        "HYDRO_BUILD_CONCURRENCY": "5",
        "HYDRO_LOG_LEVEL": "debug",
        "HYDRO_GATEWAY_IMAGE": "r.example/hydro:2",
        "HYDRO_GATEWAY_REPLICAS": "7",
        "HYDRO_GATEWAY_MAX_REPLICAS": "0",
        "HYDRO_GATEWAY_TARGET_CPU": "70",
        "HYDRO_GATEWAY_SERVICE_TYPE": "ClusterIP",
        "HYDRO_GATEWAY_RESOURCES": '{"limits":{"memory":"1Gi"},"requests":{"cpu":"50m","memory":"64Mi"}}',
        "HYDRO_GATEWAY_ACCESS_LOG": "off",
        "HYDRO_GATEWAY_TAP": "false",
        "HYDRO_LEADER_ELECTION": "true",
        "HYDRO_ADMIN_PORT": "9092",
    }


def test_listed_namespaces_bound_the_operators_rights(helm):
    everywhere = rendered(helm)
    assert ("ClusterRoleBinding", None, "hydro-operator") in everywhere
    listed = rendered(helm, {"watchedNamespaces": ["red", "hydro-system"]})
    assert ("ClusterRoleBinding", None, "hydro-operator") not in listed
    assert {key[1] for key in listed if key[0] == "RoleBinding" and key[2] == "hydro-operator"} == {"red", "hydro-system"}


@pytest.mark.parametrize(
    "values, complaint",
    [
        ({"registry": {"url": ""}}, "registry.url: wanted the registry"),
        ({"registry": {"url": "https://registry.example.com"}}, "url"),
        ({"registry": {"uri": "registry.example.com"}}, "uri"),
        ({"operator": {"replicas": 0}}, "replicas"),
        ({"operator": {"logLevel": "loud"}}, "logLevel"),
        ({"watchedNamespaces": ["Red"]}, "watchedNamespaces"),
        ({"gatway": {}}, "gatway"),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_a_wrong_value_is_refused_by_name(helm, values, complaint):
    chart = helm.Chart.load(CHART)
    with pytest.raises(helm.HelmError, match=complaint):
        merged = {**REGISTRY, **values}
        chart.validate_schema(merged)
        chart.render(merged, name="hydro", namespace="hydro-system")


def test_it_installs_upgrades_and_goes(helm, kubeconfig, tmp_path):
    def kubectl(*words, given=None):
        return run("kubectl", "--request-timeout=30s", *words, kubeconfig=kubeconfig, given=given)

    config = helm.Config(kubeconfig_path=kubeconfig, namespace=NAMESPACE)
    config.uninstall("hydro", ignore_not_found=True, wait="hookOnly", timeout=60)
    # Roles of the whole cluster, which an installation from manifests may have left, have the same names.
    kubectl("delete", "clusterroles,clusterrolebindings", "-l", "app.kubernetes.io/part-of=hydro")
    # As docs/install.md has it for servers without CEL: the kinds by kubectl, the rest with --skip-crds.
    kubectl("apply", "--validate=false", "-f", str(CHART / "crds"))
    chart = shutil.copytree(CHART, tmp_path / "hydro", ignore=shutil.ignore_patterns("crds"))
    # No controllers run there, so nothing becomes ready, and nothing is waited for.
    config.install(chart, "hydro", REGISTRY, namespace=NAMESPACE, create_namespace=True, wait="hookOnly", timeout=60)
    try:
        kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/models.hydrosphere.io", "crd/applications.hydrosphere.io")
        assert kubectl("get", "runtimes", "-n", NAMESPACE, "-o", "name").split() == ["runtime.hydrosphere.io/python", "runtime.hydrosphere.io/python-sklearn"]
        deployment = json.loads(kubectl("get", "deployment", "-n", NAMESPACE, "hydro-operator", "-o", "json"))
        assert environment(deployment)["HYDRO_REGISTRY"] == REGISTRY["registry"]["url"]
        assert may(kubectl, "get", "secrets", "default") and not may(kubectl, "list", "secrets", "default")
        assert may(kubectl, "patch", "deployments.apps", "default") and not may(kubectl, "create", "pods", "default")
        assert may(kubectl, "create", "leases.coordination.k8s.io", NAMESPACE) and not may(kubectl, "create", "leases.coordination.k8s.io", "default")
        assert may(kubectl, "patch", "clusterroles/hydro-gateway", "default") and not may(kubectl, "patch", "clusterroles/cluster-admin", "default")

        config.upgrade(chart, "hydro", {**REGISTRY, "operator": {"replicas": 1}, "watchedNamespaces": ["default"]}, namespace=NAMESPACE, wait="hookOnly", timeout=60)
        assert json.loads(kubectl("get", "deployment", "-n", NAMESPACE, "hydro-operator", "-o", "json"))["spec"]["replicas"] == 1
        assert may(kubectl, "patch", "deployments.apps", "default") and not may(kubectl, "patch", "deployments.apps", "kube-system")
    finally:
        config.uninstall("hydro", wait="hookOnly", timeout=60)
    assert kubectl("get", "clusterroles,clusterrolebindings", "-l", "app.kubernetes.io/managed-by=Helm", "-o", "name") == ""
    assert kubectl("get", "deployments,services,runtimes", "-n", NAMESPACE, "-o", "name") == ""
    kubectl("get", "crd", "models.hydrosphere.io")


def may(kubectl, verb, resource, namespace):
    """Whether the operator may; asked of the server."""
    kind, _, name = resource.partition("/")
    plural, _, group = kind.partition(".")
    group = "rbac.authorization.k8s.io" if plural == "clusterroles" else group
    attributes = {"verb": verb, "resource": plural, "group": group, "name": name, "namespace": namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": f"system:serviceaccount:{NAMESPACE}:hydro-operator", "resourceAttributes": {k: v for k, v in attributes.items() if v}},
    }
    return json.loads(kubectl("create", "-f", "-", "-o", "json", given=json.dumps(review)))["status"]["allowed"]


def test_the_gateways_settings_reach_the_operator(helm):
    plain = environment(rendered(helm)[("Deployment", "hydro-system", "hydro-operator")])
    assert plain["HYDRO_GATEWAY_ACCESS_LOG"] == "off" and "HYDRO_GATEWAY_TLS_SECRET" not in plain
    assert json.loads(plain["HYDRO_GATEWAY_RESOURCES"])["limits"] == {"memory": "1Gi"}
    gateway = {"tlsSecret": "gateway-tls", "jwksConfigMap": "keys", "accessLog": "0.01", "tap": True, "serviceType": "LoadBalancer", "maxReplicas": 5}
    given = environment(rendered(helm, {"gateway": gateway})[("Deployment", "hydro-system", "hydro-operator")])
    assert given["HYDRO_GATEWAY_TLS_SECRET"] == "gateway-tls" and given["HYDRO_GATEWAY_JWKS_CONFIG_MAP"] == "keys"
    assert given["HYDRO_GATEWAY_ACCESS_LOG"] == "0.01" and given["HYDRO_GATEWAY_TAP"] == "true"
    assert given["HYDRO_GATEWAY_SERVICE_TYPE"] == "LoadBalancer" and given["HYDRO_GATEWAY_MAX_REPLICAS"] == "5"
