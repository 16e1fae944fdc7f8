#!/usr/bin/env bash
# A study as a job array of a real Slurm: one controller and two nodes with a processor each, on
# this machine, all on loopback.
#
#   tests/slurm/run.sh [PROGRAM]      without PROGRAM: builds it with cargo, for release
#
# It submits the array exactly as the script that `overcord slurm` writes says in its comment, kills
# the last task with SIGKILL on its way, sees that `merge` names the missing run and fails, submits
# that task again, has the tables made by a job that waits for it, and compares every file but
# manifest.json with a study that was simulated without Slurm.
#
# Takes about a minute. What is missing of Debian's slurmctld, slurmd, slurm-client and munge is
# installed where this runs as root. Exit codes: 0 passed, 1 failed, 77 Slurm could not be started:
# nothing was tested then, and that is no success.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

not_tried() {
  printf '%s\n' "" \
    "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!" \
    "!!  THE SLURM TEST DID NOT RUN: $*" \
    "!!  Nothing about Slurm has been tested." \
    "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!" >&2
  exit 77
}

say() { printf '%s\n' "$*"; }

# --- The program -------------------------------------------------------------------------------
# shellcheck source=tests/program.sh
. "$here/../program.sh"

# --- Slurm -------------------------------------------------------------------------------------
PATH=$PATH:/usr/sbin:/sbin
for program in slurmctld slurmd sbatch squeue scontrol munged munge; do
  command -v "$program" >/dev/null && continue
  [ "$(id -u)" = 0 ] || not_tried "$program is missing, and only root can install it"
  command -v apt-get >/dev/null || not_tried "$program is missing, and there is no apt-get"
  say "installing Slurm, since $program is missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o Acquire::http::Timeout=15 -o Acquire::Retries=0 update -qq || true
  apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null ||
    not_tried "it cannot be installed"
done

scratch=$(mktemp -d)
daemons=()
stop() {
  status=$?
  trap - EXIT
  if [ "$status" != 0 ]; then
    tail -n 15 "$scratch"/*.log "$scratch"/*/*.out 2>/dev/null >&2 || true
  fi
  # The last started first: nodes, controller, munge.
  for ((i = ${#daemons[@]} - 1; i >= 0; i--)); do
    kill "${daemons[i]}" 2>/dev/null || true
    wait "${daemons[i]}" 2>/dev/null || true
  done
  rm -rf "$scratch"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT TERM

# Waits until a command succeeds, for at most so many seconds.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
port=$((20000 + $$ % 10000))
until port_is_free $port && port_is_free $((port + 1)) && port_is_free $((port + 2)); do
  port=$((port + 3))
done

start_munge() {
  head -c 1024 /dev/urandom >"$scratch/munge.key"
  chmod 400 "$scratch/munge.key"
  munged --foreground --force --key-file="$scratch/munge.key" --socket="$scratch/munge.socket" \
    --pid-file="$scratch/munge.pid" --seed-file="$scratch/munge.seed" \
    --log-file="$scratch/munge-own.log" >"$scratch/munge.log" 2>&1 &
  daemons+=($!)
  within 20 answers_munge || not_tried "munge does not answer"
}
answers_munge() { munge --socket="$scratch/munge.socket" --no-input >/dev/null 2>&1; }

host=$(hostname -s)
export SLURM_CONF=$scratch/slurm.conf
write_configuration() {
  local user
  user=$(id -un)
  cat >"$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$scratch/munge.socket
CredType=cred/munge
SlurmctldPort=$port
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd-%n.pid
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool-%n
SlurmctldLogFile=$scratch/slurmctld.log
SlurmdLogFile=$scratch/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
JobRequeue=0
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=1 RealMemory=500 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=1 RealMemory=500 State=UNKNOWN
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
CONF
}

start_slurm() {
  mkdir "$scratch/state" "$scratch/spool-n1" "$scratch/spool-n2"
  slurmctld -D -f "$SLURM_CONF" >/dev/null 2>&1 &
  daemons+=($!)
  local node
  for node in n1 n2; do
    slurmd -D -f "$SLURM_CONF" -N "$node" >/dev/null 2>&1 &
    daemons+=($!)
  done
  within 60 nodes_are_idle || not_tried "the two nodes do not come up"
}
nodes_are_idle() { [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | sort | tr '\n' ' ')" = "n1 n2 " ]; }

start_munge
write_configuration
start_slurm
say "Slurm $(sinfo --version | cut -d' ' -f2) is up, with two nodes"

# --- What is to come out -----------------------------------------------------------------------
# A folder that needs quoting, shared by all nodes.
work="$scratch/it's a shared folder"
mkdir "$work"
cd "$work"
cp "$here/study.toml" .
settings=(study.toml --set 'description=8 runs, "shared out"' --seed 7)
"$overcord" run "${settings[@]}" --jobs 2 --quiet --out local >local.txt

# The cell of a run, from the manifest of the local study.
cell_of() {
  awk -v run="$1" '/"run":/ { it = $2 + 0 } /"cell":/ && it == run { gsub(/[",]/, "", $2); print $2 }' \
    local/slurm-test/*/manifest.json
}
last_fast=$(cell_of 3)
last_slow=$(cell_of 7)
[ "${#last_fast} ${#last_slow}" = "32 32" ] || failed "the manifest names no cells"

# --- The array ---------------------------------------------------------------------------------
"$overcord" slurm "${settings[@]}" --tasks 4 --out results --time 10:00 --memory 100M \
  --partition debug --sbatch='--comment="a study"' --script study.sh
bash -n study.sh
if "$overcord" slurm "${settings[@]}" --script study.sh 2>refused.txt; then
  failed "a script was overwritten"
fi

# The commands as the script has them: submit, merge when all is well, merge by hand, submit again.
mapfile -t commands < <(sed -n 's/^#   //p' study.sh)
[ ${#commands[@]} = 4 ] || failed "the script does not say how to use it"

is_over() { [ -z "$(squeue -h -j "$1" 2>/dev/null)" ]; }
state_of() { scontrol show job "$1" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p' | head -n 1; }
# The process of a task, which is the program itself.
process_of() {
  local folder
  for folder in /proc/[0-9]*; do
    [ "$(readlink "$folder/exe" 2>/dev/null)" = "$overcord" ] || continue
    tr '\0' '\n' <"$folder/environ" 2>/dev/null | grep -qx "SLURM_ARRAY_JOB_ID=$1" || continue
    tr '\0' '\n' <"$folder/environ" 2>/dev/null | grep -qx "SLURM_ARRAY_TASK_ID=$2" || continue
    echo "${folder#/proc/}"
  done
}

job=
eval "${commands[0]}"
tables=$(eval "${commands[1]}")
tables=${tables##* }
say "job $job is submitted, and job $tables waits to make the tables"

# Task 4 has runs 3 and 7: when the first is there, it is at work on the second for seconds.
has_cell() { compgen -G "results/slurm-test/cells/*/$1.csv" >/dev/null; }
within 300 has_cell "$last_fast" || failed "task 4 does not come to its first run"
victim=$(process_of "$job" 4)
[ -n "$victim" ] || failed "the process of task 4 cannot be found"
kill -KILL "$victim"
say "task 4, process $victim, is killed after the first of its two runs"

within 300 is_over "$job" || failed "the array does not end"
[ "$(state_of "${job}_4")" = FAILED ] || failed "task 4 was killed and is $(state_of "${job}_4")"
for task in 1 2 3; do
  state=$(state_of "${job}_$task")
  [ "$state" = COMPLETED ] || failed "task $task is $state"
done
within 60 is_over "$tables" || failed "the tables are still waited for, though a task has failed"
if has_cell "$last_slow"; then failed "the killed run is there"; fi
[ ! -e results/slurm-test/latest ] || failed "there are tables, though a run is missing"
say "tasks 1 to 3 are done, task 4 has failed, and the tables were not made"

# --- What is missing ---------------------------------------------------------------------------
status=0
(eval "${commands[2]}") >merged.txt 2>missing.txt || status=$?
told="overcord: slurm-test: 1 of 8 runs are missing (numbers 7); run their shards again"
grep -qF "$told" missing.txt || failed "merge says: $(cat missing.txt)"
[ "$status" = 1 ] || failed "merge exits with $status where a run is missing"
say "merge: $(cat missing.txt)"

# --- Once more ---------------------------------------------------------------------------------
eval "${commands[3]}"
tables=$(eval "${commands[1]}")
tables=${tables##* }
within 300 is_over "$job" || failed "the task does not end the second time"
within 60 is_over "$tables" || failed "the tables are not made"
grep -qF "shard 4/4: 2 of 2 runs are kept, 8 in all shards" "slurm-${job}_4.out" ||
  failed "task 4 says: $(cat "slurm-${job}_4.out")"
[ "$(state_of "$tables")" = COMPLETED ] || failed "the tables: $(cat "slurm-$tables.out")"
say "task 4 was submitted again as job $job, and job $tables has made the tables"

# --- The same bytes ----------------------------------------------------------------------------
diff -r --exclude=manifest.json local results || failed "Slurm's study differs from the local one"
left=$(find results -name '*.partial')
[ -z "$left" ] || failed "partial files are left: $left"
same=$(find results -type f ! -name manifest.json | wc -l)
say "PASSED: $same files of 8 runs are the same, byte for byte, as without Slurm"
