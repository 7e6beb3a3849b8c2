# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
#
# API servers with an etcd of their own, on loopback and nothing else: for tests
# that need a server's behaviour and no node. The script that sources this sets
# STATE, DAEMONS (etcd first), PORT, and defines `prepare` and `start_NAME`.

LOGS=$STATE/log
inside() { "$@"; }

loopback_credentials() {
  mkdir -p pki
  chmod 700 pki
  cert ca /CN=ca
  cert kube-apiserver /CN=kube-apiserver IP:127.0.0.1,DNS:localhost
  cert admin /O=system:masters/CN=admin
  service_account_keys
  kubeconfig admin "https://127.0.0.1:$PORT"
}

loopback_up() {
  local each
  need openssl=openssl kubectl=kubernetes-client setsid=util-linux
  prepare
  take_lock "$STATE.lock"
  mkdir -p "$STATE/etcd" "$STATE/run" "$STATE/log"
  chmod 700 "$STATE/etcd"
  cd "$STATE"
  loopback_credentials
  for each in $DAEMONS; do start "$each"; done
  wait_for 60 "the API server" ready_or_dead
  for each in $DAEMONS; do running "$each" || fail "$each ended at once: $(tail -n 1 "$LOGS/$each.log")"; done
  say "ready: eval \"\$($0 env)\""
}

# A server that could not start (its port is taken) is not worth waiting for.
ready_or_dead() {
  local each
  for each in $DAEMONS; do running "$each" || return 0; done
  kubectl --kubeconfig "$STATE/admin.kubeconfig" get --raw /readyz
}

loopback_down() { # forgets its state: every `up` begins with an empty server
  local each
  cd /
  take_lock "$STATE.lock"
  for each in $(printf '%s\n' $DAEMONS | tac); do stop "$each"; done
  rm -rf "$STATE"
  say "stopped"
}

loopback_status() {
  local each code=0
  for each in $DAEMONS; do
    if running "$each"; then echo "$each running, pid $(pid_of "$each")"; else echo "$each stopped"; code=3; fi
  done
  return $code
}

loopback_main() { # COMMAND [NAME]
  case ${1:-} in
    up) loopback_up ;;
    down) loopback_down ;;
    status) loopback_status ;;
    env) printf 'export KUBECONFIG=%q\n' "$STATE/admin.kubeconfig" ;;
    start | stop | restart) prepare && one_daemon "$@" ;;
    *) manual; exit 2 ;;
  esac
}
