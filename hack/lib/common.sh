# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
#
# What every script here begins with: where things are kept, how progress and
# failure are said, how to wait, and how to have a Debian package.

hack=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # for those who source this
repository=$(dirname "$hack")
KEEP=${HYDRO_STATE:-$HOME/.cache/hydro}

began=$(date +%s%N)
say() { # MESSAGE, with the seconds since the script began
  local tenths=$((($(date +%s%N) - began) / 100000000))
  printf '%6d.%d s  %s\n' $((tenths / 10)) $((tenths % 10)) "$*"
}
fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

# The comment that a script begins with is its manual.
manual() { awk 'NR < 5 {next} !/^#/ {exit} {sub(/^# ?/, ""); print}' "$0"; }

wait_for() { # SECONDS WHAT COMMAND...
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "waited in vain for $what; see ${LOGS:-$KEEP}"
    sleep 0.1
  done
}

# One at a time: takes file descriptor 9 for as long as the script runs.
take_lock() { # FILE
  mkdir -p "$(dirname "$1")"
  exec 9>"$1"
  flock -w "${HYDRO_LOCK_SECONDS:-300}" 9 || fail "another $(basename "$0") is at work ($1)"
}

# Installs the packages whose command or file is missing; what is there stays,
# wherever it came from.
need() { # COMMAND_OR_FILE=PACKAGE...
  local pair what missing=()
  for pair; do
    what=${pair%%=*}
    command -v "$what" >/dev/null || [ -e "$what" ] || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "missing, and there is no apt-get to install it: ${missing[*]}"
  [ "$(id -u)" = 0 ] || fail "missing: ${missing[*]}; run as root, or: sudo apt-get install ${missing[*]}"
  say "installing ${missing[*]}"
  install_packages "${missing[@]}" >"${TMPDIR:-/tmp}/hydro-apt.log" 2>&1 || {
    tail -n 20 "${TMPDIR:-/tmp}/hydro-apt.log" >&2
    fail "apt-get could not install ${missing[*]}"
  }
}

install_packages() { # PACKAGE...
  local policy=/usr/sbin/policy-rc.d ours='' code=0
  # Packages of servers start them on installation; here each server is started
  # by its script and ended by it, so that nothing runs that nobody asked for.
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && ours=yes
  fi
  DEBIAN_FRONTEND=noninteractive apt_get install -y --no-install-recommends "$@" || {
    apt_get update -q && DEBIAN_FRONTEND=noninteractive apt_get install -y --no-install-recommends "$@"
  } || code=$?
  [ -z "$ours" ] || rm -f $policy
  return $code
}
apt_get() { apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@"; }
