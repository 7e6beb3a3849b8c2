# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
#
# Daemons with a pid file and a log each, started by `start_NAME`. The script
# that sources this sets STATE, and says with `inside` where a command runs (in
# the node's namespaces, or here).

pid_of() { cat "$STATE/run/$1.pid" 2>/dev/null; }

# Every daemon has the state directory among its arguments, so that another
# process that got its number is not taken for it.
running() { # NAME
  local pid
  pid=$(pid_of "$1") || return 1
  inside grep -qszF "$STATE" "/proc/$pid/cmdline"
}

spawn() { # NAME COMMAND...
  local name=$1
  shift
  # shellcheck disable=SC2016  # the inner shell expands them
  inside setsid --fork sh -c 'echo $$ >"$0"; exec "$@"' "$STATE/run/$name.pid" "$@" </dev/null >>"$STATE/log/$name.log" 2>&1 9>&-
  wait_for 5 "$name's process" test -s "$STATE/run/$name.pid"
}

start() { # NAME
  running "$1" && return
  mkdir -p "$STATE/run" "$STATE/log"
  rm -f "$STATE/run/$1.pid"
  "start_$1"
}

stop() { # NAME; asks for 20 s, then kills
  local pid end=$((SECONDS + 20))
  if running "$1"; then
    pid=$(pid_of "$1")
    inside kill -TERM "$pid" 2>/dev/null || true
    while running "$1"; do
      [ $SECONDS -lt $end ] || inside kill -KILL "$pid" 2>/dev/null || true
      sleep 0.1
    done
  fi
  rm -f "$STATE/run/$1.pid"
}

one_daemon() { # start|stop|restart NAME
  case " $DAEMONS " in *" ${2:-} "*) ;; *) fail "no daemon '${2:-}'; there are: $DAEMONS" ;; esac
  [ "$1" = start ] || stop "$2"
  [ "$1" = stop ] || start "$2"
}

etcd_arguments() { # CLIENT_PORT PEER_PORT
  echo --name one --data-dir "$STATE/etcd" --logger zap --log-level warn \
    --listen-client-urls "http://127.0.0.1:$1" --advertise-client-urls "http://127.0.0.1:$1" \
    --listen-peer-urls "http://127.0.0.1:$2" --initial-advertise-peer-urls "http://127.0.0.1:$2" \
    --initial-cluster "one=http://127.0.0.1:$2"
}

# The arguments of a Kubernetes API server that every server here has.
apiserver_arguments() { # ETCD_PORT SERVICE_CIDR
  echo --v=1 "--etcd-servers=http://127.0.0.1:$1" "--service-cluster-ip-range=$2" \
    "--tls-cert-file=$STATE/pki/kube-apiserver.crt" "--tls-private-key-file=$STATE/pki/kube-apiserver.key" \
    "--client-ca-file=$STATE/pki/ca.crt" --allow-privileged=true \
    "--service-account-issuer=$ISSUER" "--api-audiences=$ISSUER" \
    "--service-account-key-file=$STATE/pki/sa.pub" "--service-account-signing-key-file=$STATE/pki/sa.key"
}
