#!/usr/bin/env bash
# A study that is killed with SIGKILL at ten moments and goes on each time ends with the same bytes
# as one that was left alone.
#
#   tests/kill/run.sh [PROGRAM [SEED]]      without PROGRAM: builds it with cargo, for release
#
# The moments are drawn from bash's generator, seeded with SEED (default 1), over the time that the
# whole study takes here. Two more come while a run is written, and when the first table is.
# Exit codes: 0 passed, 1 failed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# shellcheck source=tests/program.sh
. "$here/../program.sh"
seed=${2:-1}

scratch=$(mktemp -d)
child=
trap '[ -z "$child" ] || kill -KILL "$child" 2>/dev/null || true; rm -rf "$scratch"' EXIT
cd "$scratch"
cp "$here/study.toml" .

study() { exec "$overcord" run study.toml --jobs 2 --quiet --out "$1" >>out.txt 2>>err.txt; }
milliseconds() { echo $((${EPOCHREALTIME/./} / 1000)); }
count() { find "$1" -name "$2" 2>/dev/null | wc -l; }

from=$(milliseconds)
(study alone) || failed "the study alone: $(cat err.txt)"
whole=$(($(milliseconds) - from))
runs=$(count alone/kill-test/cells '*.csv')
printf 'left alone: %d runs in %d ms\n' "$runs" "$whole"

compare() { diff -r --exclude=manifest.json alone killed || failed "the study that was killed differs"; }

# Ten moments of that time, in their order. (Bash seeds its generator anew where a subshell begins.)
mapfile -t moments < <(
  RANDOM=$seed
  for _ in {1..10}; do echo $((whole * RANDOM / 32768)); done | sort -n
)

# Kills the process, and says what it leaves. On a machine that has become faster it may have ended
# by itself before: then the study begins anew, and the moment is not over.
killed=0 halves=0
kill_child() {
  local status=0 left
  kill -KILL "$child" 2>/dev/null || true
  wait "$child" 2>/dev/null || status=$?
  child=
  case $status in
  137) ;;
  0)
    compare
    rm -r killed
    echo "ended with the same bytes before it could be killed $1: from the beginning"
    return 1
    ;;
  *) failed "it was not killed: it exited with $status: $(cat err.txt)" ;;
  esac
  killed=$((killed + 1))
  left=$(count killed '*.partial')
  halves=$((halves + left))
  printf 'killed %-19s: %2d of %d runs are kept, %d half files are left\n' \
    "$1" "$(count killed/kill-test/cells '*.csv')" "$runs" "$left"
  # What calls itself finished is finished.
  [ ! -e killed/kill-test/latest ] || compare
}

kill_after() {
  study killed &
  child=$!
  sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
  kill_child "$(printf 'after %4d ms' "$1")"
}
before=0
for moment in "${moments[@]}"; do
  wait_for=$((moment - before))
  before=$moment
  until kill_after "$wait_for"; do wait_for=$((wait_for / 2)); done
done

# Waits for a file while the study goes on, and kills it there.
kill_at() {
  study killed &
  child=$!
  until compgen -G "$2" >/dev/null; do kill -0 "$child" 2>/dev/null || break; done
  kill_child "$1"
}
tables=killed/kill-test/$(cat alone/kill-test/latest)
until kill_at "as a run is written" 'killed/kill-test/cells/*/*.partial'; do :; done
until kill_at "at the first table" "$tables"; do :; done

(study killed) || failed "the study exits with $?: $(cat err.txt)"
compare
left=$(find killed -name '*.partial')
[ -z "$left" ] || failed "half files are left: $left"
[ ! -s err.txt ] || failed "something was complained about: $(cat err.txt)"
printf 'PASSED: killed %d times, %d half files cleared away; %d files are the same, byte for byte\n' \
  "$killed" "$halves" "$(find killed -type f ! -name manifest.json | wc -l)"
