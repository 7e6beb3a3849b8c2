# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
#
# A cluster by kind (https://kind.sigs.k8s.io), where Docker runs: with a
# registry in a container beside it, known to the nodes by its container's name.

KIND=hydro
KIND_REGISTRY=hydro-registry
KIND_PORT=${HYDRO_KIND_REGISTRY_PORT:-5001}
KIND_KUBECONFIG=$KEEP/kind.kubeconfig

kind_usable() { command -v kind >/dev/null && docker info >/dev/null 2>&1; }

kind_up() {
  local node
  docker inspect "$KIND_REGISTRY" >/dev/null 2>&1 ||
    docker run -d --restart=always -p "127.0.0.1:$KIND_PORT:5000" -e REGISTRY_STORAGE_DELETE_ENABLED=true --name "$KIND_REGISTRY" registry:2 >/dev/null
  docker start "$KIND_REGISTRY" >/dev/null
  kind get clusters 2>/dev/null | grep -qx "$KIND" ||
    kind create cluster --name "$KIND" --kubeconfig "$KIND_KUBECONFIG" --wait 120s --config - <<END
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
containerdConfigPatches:
- |-
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
END
  docker network connect kind "$KIND_REGISTRY" 2>/dev/null || true   # already connected
  for node in $(kind get nodes --name "$KIND"); do
    docker exec -i "$node" sh -ec "mkdir -p /etc/containerd/certs.d/$KIND_REGISTRY:5000
      cat >/etc/containerd/certs.d/$KIND_REGISTRY:5000/hosts.toml" <<END
[host."http://$KIND_REGISTRY:5000"]
END
  done
}

kind_down() {
  kind delete cluster --name "$KIND" --kubeconfig "$KIND_KUBECONFIG"
  docker rm -f -v "$KIND_REGISTRY" >/dev/null
  rm -f "$KIND_KUBECONFIG"
}

kind_status() { docker ps --filter "name=$KIND"; }
kind_env() {
  printf 'export KUBECONFIG=%q HYDRO_REGISTRY=%q HYDRO_REGISTRY_PULL=%q\n' "$KIND_KUBECONFIG" "127.0.0.1:$KIND_PORT" "$KIND_REGISTRY:5000"
}
