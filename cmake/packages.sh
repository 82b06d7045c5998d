# Sourced by ./run and ./test: installs the Debian packages that are missing, then configures and builds.
# bash; expects to be sourced from the top of the project.

packages=(g++ cmake ninja-build libxtensor-dev libxtensor-blas-dev libopenblas-dev libgtest-dev libgmock-dev
  libbenchmark-dev libcli11-dev libfmt-dev nlohmann-json3-dev libfast-float-dev zlib1g-dev libonnx-dev libprotobuf-dev
  libcurl4-openssl-dev libmd-dev ca-certificates
  gnuplot-nox graphviz)  # for pictures: 23 MB to download; everything works without them

install_missing() {
  local missing=() package
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || {
      echo "missing packages: ${missing[*]}; become root or install sudo, then try again" >&2
      return 1
    }
    sudo=(sudo)
  fi
  command -v apt-get > /dev/null || {
    echo "no apt-get here; install the equivalents of: ${missing[*]}" >&2
    return 1
  }
  echo "installing ${missing[*]}${sudo:+ (with sudo)}" >&2
  "${sudo[@]}" apt-get update -qq >&2 &&
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
}

# build PRESET [TARGET...]: everything, or the targets. Quiet unless something goes wrong.
build() {
  local preset=$1 log targets=()
  shift
  [ $# -eq 0 ] || targets=(--target "$@")
  log=$(mktemp)
  if [ ! -e "build/$preset/build.ninja" ]; then
    echo "configuring build/$preset" >&2
    cmake --preset "$preset" > "$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; return 1; }
  fi
  if [ -t 2 ]; then
    cmake --build --preset "$preset" "${targets[@]}" >&2 || { rm -f "$log"; return 1; }
  else
    cmake --build --preset "$preset" "${targets[@]}" > "$log" 2>&1 || { tail -n 60 "$log" >&2; rm -f "$log"; return 1; }
  fi
  rm -f "$log"
}
