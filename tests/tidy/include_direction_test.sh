#!/usr/bin/env bash
# The include directions of the design: scheduler, worker, gateway and cli never include one another, common includes none
# of them, scheduler/core and scheduler/policy know neither gRPC nor protobuf services nor SQLite, and LibTorch stays in
# worker/torch. Prints every line that breaks a rule.
set -u
cd "${1:?the root of the repository}"
faults=0

# forbid WHERE PATTERN WHY: no #include in WHERE may match PATTERN.
forbid() {
  local where=$1 pattern=$2 why=$3 hits
  [ -d "$where" ] || { echo "no folder $where"; faults=1; return; }
  hits=$(grep -rnE --include='*.h' --include='*.cc' "^ *#include [<\"]($pattern)" "$where")
  [ -z "$hits" ] && return
  echo "$why:"
  echo "$hits"
  faults=1
}

forbid scheduler 'worker/|gateway/|cli/' 'scheduler includes another program'
forbid worker 'scheduler/|gateway/|cli/' 'worker includes another program'
forbid gateway 'scheduler/|worker/|cli/' 'gateway includes another program'
forbid cli 'scheduler/|worker/|gateway/' 'cli includes another program'
forbid common 'scheduler/|worker/|gateway/|cli/' 'common includes a program'
for folder in scheduler/core scheduler/policy; do
  forbid "$folder" 'grpc|sqlite3|switchyard/.*\.pb\.h|scheduler/(service|engine|store)/' "$folder decides and calls nobody"
done
hits=$(grep -rlE --include='*.h' --include='*.cc' '^ *#include [<"](torch|ATen|c10)/' scheduler worker gateway cli common tests |
  grep -v '^worker/torch/')
if [ -n "$hits" ]; then
  echo "LibTorch outside worker/torch:"
  echo "$hits"
  faults=1
fi
exit "$faults"
