# What the scripts share; sourced, not run.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Debian packages that the build and the programs need.
build_packages=(libmicrohttpd-dev libcurl4-gnutls-dev libgnutls28-dev libsqlite3-dev libre2-dev libsimdjson-dev nettle-dev pkg-config)
# What `scripts/up` needs besides: it posts an alert.
run_packages=(curl ca-certificates)
# What the tests drive and compare with.
test_packages=(prometheus prometheus-alertmanager docker-compose graphviz iproute2 procps python3 jq curl ca-certificates)

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

missing_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s\n' "$name"
  done
}

# install_packages ASK PACKAGE…: installs what is missing. ASK=yes asks first where somebody can answer.
install_packages() {
  local ask=$1 missing answer sudo=()
  shift
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "this needs Debian's apt-get to install: ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo. As root, run: apt-get install ${missing[*]}"
    sudo=(sudo)
  fi
  say "      needed from Debian: ${missing[*]}"
  if [ "$ask" = yes ] && [ -t 0 ]; then
    read -r -p "      Install them with apt-get? [Y/n] " answer
    case $answer in '' | [Yy]*) ;; *) fail "nothing was installed" ;; esac
  fi
  local log
  log=$(mktemp)
  if ! { "${sudo[@]}" apt-get update && DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    fail "apt-get failed; its whole output: $log"
  fi
  rm -f "$log"
}

require_swift() {
  command -v swift >/dev/null || fail "no Swift toolchain in PATH (6.2 or later): see https://www.swift.org/install/linux/"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  [ "$(printf '%s\n6.2\n' "$version" | sort -V | head -n 1)" = 6.2 ] || fail "Swift 6.2 or later is needed; this is ${version:-unknown}"
}
