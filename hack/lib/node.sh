# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
#
# A machine in the machine: namespaces of its own (mount, network, process, UTS,
# IPC) in which every daemon, pod, mount, bridge and iptables rule lives. All of
# it goes when the node's first process does. This machine sees one end of a
# virtual cable to the node, some cgroups, and the state directory. Nothing in
# the node has a route to any other network.

NODE=${HYDRO_NODE:-node1}
NET=${HYDRO_NODE_NET:-10.200}           # .0 the node's, .1 the pods', .2 the services' addresses
CABLE=${HYDRO_NODE_CABLE:-hydro0}       # this machine's end of the cable
CGROUP=hydro-$NODE
HOST_IP=$NET.0.1 NODE_IP=$NET.0.2
POD_CIDR=$NET.1.0/24 SERVICE_CIDR=$NET.2.0/24 KUBERNETES_IP=$NET.2.1

scratch=tmp
HOSTPATHS=/$scratch/hostpath_pv         # where Kubernetes' host-path provisioner puts volumes: fixed in its source
MOUNTPOINTS="/var/lib/kubelet /var/lib/cni $HOSTPATHS"   # only for the node to mount over
SYSCTLS="vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes"

node_pid() { # of the node's first process, as this machine counts
  local pid
  pid=$(cat "$STATE/run/node.pid" 2>/dev/null) && [ "$(readlink "/proc/$pid/exe" 2>/dev/null)" = "$(command -v catatonit)" ] && echo "$pid"
}
in_node() { nsenter --target "$(node_pid)" --mount --net --pid --uts --ipc -- "$@"; }
inside() { in_node "$@"; }

cgroups() { # the node's directory in each hierarchy: one in version 2, one per controller in version 1
  local each
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    echo "/sys/fs/cgroup/$CGROUP"
  else
    for each in /sys/fs/cgroup/*/; do echo "$each$CGROUP"; done
  fi
}

make_cgroups() {
  local each
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    for each in cpu cpuset memory pids io; do echo "+$each" >/sys/fs/cgroup/cgroup.subtree_control || true; done
  fi
  for each in $(cgroups); do mkdir -p "$each"; done
  [ ! -d "/sys/fs/cgroup/cpuset/$CGROUP" ] ||
    for each in cpus mems; do cat /sys/fs/cgroup/cpuset/cpuset.$each >"/sys/fs/cgroup/cpuset/$CGROUP/cpuset.$each"; done
}

make_node() {
  local outer each
  node_pid >/dev/null && return
  rm -rf run
  mkdir -p run
  # shellcheck disable=SC2086  # a list of names
  sysctl $SYSCTLS >run/sysctls          # the kubelet changes these
  modprobe -aq br_netfilter overlay 2>/dev/null || true   # where they are modules
  make_cgroups
  # Only those made here are removed again: a folder that is mounted over
  # elsewhere would lose that mount.
  for each in $MOUNTPOINTS; do [ -d "$each" ] || { mkdir -p "$each" && echo "$each" >>run/mountpoints; }; done

  setsid unshare --mount --net --pid --uts --ipc --fork --kill-child --mount-proc --propagation slave \
    catatonit -P </dev/null >log/node.log 2>&1 &
  outer=$!
  wait_for 5 "the node's first process" pgrep -P $outer
  pgrep -P $outer >run/node.pid
  wait_for 5 "the node's first process" node_pid

  ip link add "$CABLE" type veth peer name eth0 netns "$(node_pid)"
  ip addr add "$HOST_IP/30" dev "$CABLE"
  ip link set "$CABLE" up
  in_node sh -ec "
    mount --make-rshared /
    mount -t tmpfs -o mode=755 tmpfs /run
    mount -t tmpfs tmpfs /var/lib/cni
    mount --bind '$STATE/kubelet' /var/lib/kubelet
    mount --bind '$STATE/log' /var/log
    mount --bind '$STATE/volumes' '$HOSTPATHS'
    mkdir /run/lock /run/containerd
    hostname $NODE
    ip link set lo up
    ip addr add $NODE_IP/30 dev eth0
    ip link set eth0 up
    ip route add $SERVICE_CIDR via $HOST_IP    # a route there has to be; kube-proxy's rules come first
    sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1"
  ip route add "$POD_CIDR" via "$NODE_IP"
  ip route add "$SERVICE_CIDR" via "$NODE_IP"
}

remove_node() {
  local pid each
  if pid=$(node_pid); then
    kill -KILL "$pid"                   # and with it every process of the node
    wait_for 20 "the node's end" sh -c "! [ -e /proc/$pid ]"
  fi
  wait_for 20 "the cable's end" sh -c "! ip link show $CABLE"
  for each in $(cgroups); do
    [ ! -d "$each" ] || wait_for 20 "$each to be empty" sh -c "find $each -depth -type d -exec rmdir {} + ; ! [ -e $each ]"
  done
  [ ! -s "$STATE/run/mountpoints" ] || xargs rmdir <"$STATE/run/mountpoints" 2>/dev/null || true   # unless in use
  [ ! -s "$STATE/run/sysctls" ] || sysctl -qp "$STATE/run/sysctls"
  rm -rf "$STATE/run"
}
