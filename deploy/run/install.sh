# Installs what the build and the tests need from Debian, only what is missing. Sourced by ./run.

# One package a line, with what it is for.
PACKAGES=(
  build-essential        # g++ 12 or later
  ca-certificates
  ccache                 # a second build takes seconds
  cmake
  curl                   # the demo's HTTP calls
  git
  golang-github-gogo-googleapis-dev  # google/api and google/rpc protos
  libabsl-dev
  libarchive-dev         # tar and zip sources
  libbenchmark-dev
  libboost-dev           # Asio and Beast, headers only
  libcli11-dev
  libgmock-dev
  libgrpc++-dev
  libgtest-dev
  libjemalloc-dev
  libjpeg62-turbo-dev
  libpng-dev
  libprotobuf-dev
  libprotoc-dev
  libsimdjson-dev        # JSON of SigMF recordings and safetensors files
  libsqlite3-dev
  libssl-dev
  libtorch-dev
  mold
  ninja-build
  pkg-config
  prometheus-cpp-dev
  protobuf-compiler
  protobuf-compiler-grpc
  zlib1g-dev             # the carried digits
)

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "run: this needs root once, to install packages: run it as root or install sudo" >&2
    return 1
  fi
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_packages() {
  if ! command -v apt-get >/dev/null; then
    echo "run: no apt-get here. Debian 12 or 13 is what this is built and tested on; install by hand:" >&2
    printf '  %s\n' "${PACKAGES[@]}" >&2
    return 1
  fi
  local missing=()
  for package in "${PACKAGES[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return 0
  echo "run: installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
