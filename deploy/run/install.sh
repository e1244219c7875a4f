# Installs what the build and the tests need from Debian, only what is missing. Sourced by ./run.

# One package a line, with what it is for. `a|b`: either does; the first that this release of Debian has is installed.
PACKAGES=(
  build-essential        # g++ 12 or later
  ca-certificates
  ccache                 # a second build takes seconds
  cmake
  curl                   # the HTTP calls of the README
  git
  golang-github-gogo-googleapis-dev  # google/api and google/rpc protos
  libabsl-dev
  libarchive-dev         # tar and zip sources
  libbenchmark-dev
  'libboost1.81-dev|libboost1.83-dev|libboost-dev'  # Asio and Beast, headers only; Debian 12's default 1.74 is too old
  libcli11-dev
  libcurl4-openssl-dev   # artifacts in S3
  libgmock-dev
  libgrpc++-dev
  libgtest-dev
  libjemalloc-dev
  libjpeg62-turbo-dev
  libpng-dev
  libpq-dev
  libprotobuf-dev
  libprotoc-dev
  libseccomp-dev         # the sandbox of command jobs
  libsimdjson-dev        # JSON of SigMF recordings and safetensors files
  libsqlite3-dev
  libssl-dev
  libtorch-dev
  mold
  ninja-build
  pkg-config
  postgresql             # the tests start servers of their own
  prometheus-cpp-dev
  protobuf-compiler
  protobuf-compiler-grpc
  python3-minimal        # a program for the end-to-end test of command jobs
  python3-venv           # the S3 server of the tests, from PyPI
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

any_installed() {
  local package
  for package in ${1//|/ }; do
    is_installed "$package" && return 0
  done
  return 1
}

# The first of `a|b` that apt knows.
choose() {
  local package
  for package in ${1//|/ }; do
    if apt-cache show "$package" >/dev/null 2>&1; then
      echo "$package"
      return 0
    fi
  done
  echo "run: apt knows none of $1" >&2
  return 1
}

install_packages() {
  if ! command -v apt-get >/dev/null; then
    echo "run: no apt-get here. Debian 12 or 13 is what this is built and tested on; install by hand:" >&2
    printf '  %s\n' "${PACKAGES[@]}" >&2
    return 1
  fi
  local missing=() chosen=() package
  for package in "${PACKAGES[@]}"; do
    any_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return 0
  as_root apt-get update -qq
  for package in "${missing[@]}"; do
    chosen+=("$(choose "$package")")
  done
  echo "run: installing ${chosen[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${chosen[@]}" >/dev/null
}
