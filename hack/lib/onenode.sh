# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
#
# One Kubernetes node out of Debian's packages: how each of its daemons starts.
# (Debian's Kubernetes is 1.20.2; `hack/kubernetes/build` makes its servers.)

STATE=$KEEP/cluster LOGS=$KEEP/cluster/log
REGISTRY=registry.local:5000            # the name that pods and images use
PAUSE=$REGISTRY/pause:1
DOMAIN=cluster.local
ISSUER=https://kubernetes.default.svc.$DOMAIN
API=https://$NODE_IP:6443
DAEMONS="etcd registry containerd kube-apiserver kube-controller-manager kube-scheduler kube-proxy cluster-dns kubelet"
KUBECTL="kubectl --kubeconfig $STATE/admin.kubeconfig"

onenode_packages() {
  need etcd=etcd-server etcdctl=etcd-client containerd=containerd runc=runc /usr/lib/cni/bridge=containernetworking-plugins \
    iptables=iptables docker-registry=docker-registry catatonit=catatonit conntrack=conntrack ipset=ipset socat=socat \
    ethtool=ethtool openssl=openssl ip=iproute2 nsenter=util-linux curl=curl kubectl=kubernetes-client python3=python3 \
    pgrep=procps modprobe=kmod xz=xz-utils
}

make_credentials() {
  cert ca /CN=kubernetes-ca
  cert front-proxy-ca /CN=front-proxy-ca
  cert kube-apiserver /CN=kube-apiserver "IP:127.0.0.1,IP:$NODE_IP,IP:$KUBERNETES_IP,DNS:localhost,DNS:$NODE,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.$DOMAIN"
  cert kubelet "/O=system:nodes/CN=system:node:$NODE" "IP:127.0.0.1,IP:$NODE_IP,DNS:$NODE"
  cert apiserver-kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
  CA=front-proxy-ca cert front-proxy-client /CN=front-proxy-client
  cert admin /O=system:masters/CN=admin
  cert kube-controller-manager /CN=system:kube-controller-manager
  cert kube-scheduler /CN=system:kube-scheduler
  cert kube-proxy /CN=system:kube-proxy
  cert cluster-dns /O=system:serviceaccounts/CN=system:serviceaccount:kube-system:kube-dns  # bound to a role from the start
  service_account_keys
  local who
  for who in admin kubelet kube-controller-manager kube-scheduler kube-proxy cluster-dns; do kubeconfig $who "$API"; done
}

start_etcd() {
  # shellcheck disable=SC2046  # words on purpose, here and below
  spawn etcd etcd $(etcd_arguments 2379 2380) --auto-compaction-mode periodic --auto-compaction-retention 1h
}

start_registry() {
  cat >"$STATE/registry.yml" <<END
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $STATE/registry}, delete: {enabled: true}}
http: {addr: "0.0.0.0:5000"}
END
  spawn registry docker-registry serve "$STATE/registry.yml"
}

start_containerd() {
  mkdir -p "$STATE/registry-hosts/$REGISTRY" "$STATE/cni"
  cat >"$STATE/registry-hosts/$REGISTRY/hosts.toml" <<END
server = "http://127.0.0.1:5000"
[host."http://127.0.0.1:5000"]
  capabilities = ["pull", "resolve"]
END
  cat >"$STATE/containerd.toml" <<END
version = 2
root = "$STATE/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$STATE/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE"
  restrict_oom_score_adj = true     # in a container or a sandbox even root may lack CAP_SYS_RESOURCE
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$STATE/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$STATE/registry-hosts"
END
  cat >"$STATE/cni/10-pods.conflist" <<END
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam", "ranges": [[{"subnet": "$POD_CIDR"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
END
  spawn containerd containerd --config "$STATE/containerd.toml" --log-level warn
}

start_kube-apiserver() {
  # shellcheck disable=SC2046
  spawn kube-apiserver "$BIN/kube-apiserver" $(apiserver_arguments 2379 "$SERVICE_CIDR") \
    --bind-address=0.0.0.0 --secure-port=6443 --advertise-address="$NODE_IP" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --kubelet-certificate-authority="$STATE/pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --kubelet-client-certificate="$STATE/pki/apiserver-kubelet-client.crt" --kubelet-client-key="$STATE/pki/apiserver-kubelet-client.key" \
    --requestheader-client-ca-file="$STATE/pki/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --proxy-client-cert-file="$STATE/pki/front-proxy-client.crt" --proxy-client-key-file="$STATE/pki/front-proxy-client.key"
}

start_kube-controller-manager() {
  spawn kube-controller-manager "$BIN/kube-controller-manager" --v=1 \
    --kubeconfig="$STATE/kube-controller-manager.kubeconfig" --bind-address=127.0.0.1 --leader-elect=false \
    --use-service-account-credentials=true --root-ca-file="$STATE/pki/ca.crt" \
    --service-account-private-key-file="$STATE/pki/sa.key" \
    --cluster-signing-cert-file="$STATE/pki/ca.crt" --cluster-signing-key-file="$STATE/pki/ca.key" \
    --allocate-node-cidrs=false --enable-hostpath-provisioner=true
}

start_kube-scheduler() {
  spawn kube-scheduler "$BIN/kube-scheduler" --v=1 \
    --kubeconfig="$STATE/kube-scheduler.kubeconfig" --bind-address=127.0.0.1 --leader-elect=false
}

start_kube-proxy() {
  cat >"$STATE/kube-proxy.yml" <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
bindAddress: $NODE_IP
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
hostnameOverride: $NODE
clusterCIDR: $POD_CIDR
clientConnection: {kubeconfig: $STATE/kube-proxy.kubeconfig}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
iptables: {minSyncPeriod: 0s, syncPeriod: 30s}
END
  spawn kube-proxy "$BIN/kube-proxy" --v=1 --config="$STATE/kube-proxy.yml"
}

start_cluster-dns() {
  spawn cluster-dns "$BIN/cluster-dns" --kubeconfig "$STATE/cluster-dns.kubeconfig" --domain "$DOMAIN" \
    --listen "$NODE_IP:53" --health 127.0.0.1:8053 --hosts "${REGISTRY%:*}=$NODE_IP"
}

start_kubelet() {
  : >"$STATE/resolv.conf"
  cat >"$STATE/kubelet.yml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_IP
healthzBindAddress: 127.0.0.1
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $STATE/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $STATE/pki/kubelet.crt
tlsPrivateKeyFile: $STATE/pki/kubelet.key
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
clusterDomain: $DOMAIN
clusterDNS: [$NODE_IP]
resolvConf: $STATE/resolv.conf
failSwapOn: false
nodeStatusUpdateFrequency: 2s
serializeImagePulls: false
volumePluginDir: $STATE/kubelet-plugins
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
END
  # (without the variable its credential helper looks for a cloud's metadata server)
  spawn kubelet env AWS_EC2_METADATA_DISABLED=true "$BIN/kubelet" --v=1 --config="$STATE/kubelet.yml" --kubeconfig="$STATE/kubelet.kubeconfig" \
    --hostname-override="$NODE" --node-ip="$NODE_IP" \
    --container-runtime=remote --container-runtime-endpoint=unix:///run/containerd/containerd.sock
}

onenode_up() {
  local each
  [ "$(id -u)" = 0 ] || fail "run as root: namespaces, mounts and a network are made"
  onenode_packages
  BIN=$("$hack/kubernetes/build" --ready) || fail "the Kubernetes servers could not be had"
  take_lock "$KEEP/cluster.lock"
  for each in pki log kubelet etcd registry containerd volumes; do mkdir -p "$STATE/$each"; done
  cd "$STATE"
  chmod 700 pki etcd
  make_credentials;                                       say "credentials"
  make_node 9>&-;                                         say "node"
  for each in etcd containerd registry kube-apiserver; do start $each; done
  wait_for 20 "the registry" curl --noproxy '*' -fsS "http://$NODE_IP:5000/v2/"
  HYDRO_REGISTRY=$NODE_IP:5000 "$hack/images" --quiet pause
  # shellcheck disable=SC2086
  wait_for 60 "the API server" $KUBECTL get --raw /readyz; say "API server"
  for each in $DAEMONS; do start "$each"; done
  onenode_ready
}

onenode_ready() {
  # shellcheck disable=SC2086
  wait_for 60 "the node to register" $KUBECTL get node "$NODE"
  # The kubelet reports Ready as soon as its node has a pod CIDR.  The controller
  # that hands them out waits 10 s before it starts, so it is off and this does it.
  [ -n "$($KUBECTL get node "$NODE" -o jsonpath={.spec.podCIDR})" ] ||
    $KUBECTL patch node "$NODE" --type=merge -p "{\"spec\": {\"podCIDR\": \"$POD_CIDR\", \"podCIDRs\": [\"$POD_CIDR\"]}}" >/dev/null
  $KUBECTL wait --for=condition=Ready "node/$NODE" --timeout=60s >/dev/null || fail "the node is not Ready; see $LOGS"
  $KUBECTL apply -f - >/dev/null <<END
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: hostpath, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kubernetes.io/host-path
END
  # shellcheck disable=SC2086
  wait_for 20 "the default service account" $KUBECTL get serviceaccount default
  wait_for 20 "DNS" in_node curl -fsS http://127.0.0.1:8053/healthz
  wait_for 20 "kube-proxy" in_node curl -fsS http://127.0.0.1:10256/healthz
}

onenode_down() { # [--wipe]
  local each
  cd /
  if [ -d "$STATE" ]; then
    take_lock "$KEEP/cluster.lock"
    if node_pid >/dev/null; then
      for each in kubelet cluster-dns kube-proxy kube-scheduler kube-controller-manager kube-apiserver containerd registry etcd; do
        stop $each
      done
    fi
    remove_node
  fi
  [ "${1:-}" != --wipe ] || rm -rf "$STATE"
}

onenode_status() {
  local each pid rss total=0 all=0
  node_pid >/dev/null || { echo "the node is not running"; return 3; }
  for each in $DAEMONS; do
    if running "$each"; then
      pid=$(pid_of "$each")
      rss=$(in_node awk '/^VmRSS/ {print $2}' "/proc/$pid/status")
      total=$((total + rss))
      printf '%-24s running  pid %-6s %6d MiB\n' "$each" "$pid" $((rss / 1024))
    else
      printf '%-24s STOPPED\n' "$each"
      all=1
    fi
  done
  printf '%-45s %5d MiB\n' together $((total / 1024))
  return $all
}
