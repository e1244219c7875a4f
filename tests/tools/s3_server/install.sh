#!/usr/bin/env bash
# Installs the S3 server of the tests into FOLDER, once: a Python environment of its own, from PyPI. Some 20 s; then
# nothing. Safe to be run by several at once.
set -euo pipefail
folder=$1
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
cmp -s "$here/requirements.txt" "$folder/installed" && exit 0
rm -rf "$folder/venv"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile -r "$here/requirements.txt"
cp "$here/requirements.txt" "$folder/installed"
