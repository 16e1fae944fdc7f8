#!/usr/bin/env bash
# How much faster a study of 8 points and 10 runs each is on two threads than on one.
#
#   benches/scaling.sh [rounds [PROGRAM]]      (3 rounds without an argument; builds without PROGRAM)
#
# Wall-clock time of whole processes, alternated, so that what else the machine does falls on both;
# the medians are compared. Two processors have to be idle for that: when the processes got much less
# than they could have used, the ratio is that of the machine's load, and the script says so. The CPU
# time stands beside it: what two threads take more of it than one is lost to caches and allocators.
# The results of both have to be the same, byte for byte. Exit code 1 where they are not, or where
# the ratio is below 1.8.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-3}
if [ $# -gt 1 ]; then
    overcord=$(readlink -f "$2")
else
    cargo build --release --locked
    overcord=$(readlink -f target/release/overcord)
fi
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
mkdir "$results/one" "$results/two"

# Runs the study on so many threads; keeps wall-clock and CPU seconds, and prints them.
study() {
    local jobs=$1 name=$2 TIMEFORMAT='%R %U %S'
    rm -rf "$results/$name/out"
    { time "$overcord" run benches/scaling.toml --jobs "$jobs" --quiet --out "$results/$name/out" \
        >"$results/output" 2>"$results/errors"; } 2>"$results/time"
    awk '{ print $1 }' "$results/time" >>"$results/$name/wall"
    awk '{ print $2 + $3 }' "$results/time" >>"$results/$name/cpu"
    awk -v jobs="$jobs" '{ printf "  on %d: %.1f s, %.1f s of CPU", jobs, $1, $2 + $3 }' \
        "$results/time"
}

median() {
    sort -n "$1" | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

for round in $(seq "$rounds"); do
    printf 'round %s:' "$round"
    study 1 one
    study 2 two
    echo
done
diff -r --exclude=manifest.json "$results/one/out" "$results/two/out" >/dev/null ||
    { echo "the results of one and two jobs differ" >&2; exit 1; }
awk -v one="$(median "$results/one/wall")" -v two="$(median "$results/two/wall")" \
    -v cpu_one="$(median "$results/one/cpu")" -v cpu_two="$(median "$results/two/cpu")" 'BEGIN {
    printf "median: %.1f s and %.1f s: %.2f times as fast on two jobs; %.2f times the CPU time\n",
        one, two, one / two, cpu_two / cpu_one
    busy = cpu_two / two / 2
    if (busy < 0.9)
        printf "the machine is busy: two jobs got %.0f %% of two processors; measure again\n", 100 * busy
    exit one / two < 1.8
}'
