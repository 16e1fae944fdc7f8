#!/usr/bin/env bash
# The simulator against the bare loop: user CPU time of whole processes, alternated.
#
#   benches/compare.sh [rounds]        (5 without an argument)
#
# Both are built in release mode. Each round runs the one and then the other, so that what else the
# machine does falls on both; the medians are compared. A ratio of 1.00 says that the simulator,
# with ledger and fingerprint, is as fast as a loop written for this one question.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5}
scenario=scenarios/bench/steady-chord.toml

cargo build --release --bin overcord
cargo build --release --bench bare_loop
loop=$(cargo bench --bench bare_loop --no-run 2>&1 | sed -n 's/.*(\(.*bare_loop-[0-9a-f]*\)).*/\1/p')
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# Prints the user CPU seconds of a command.
user_time() {
    local TIMEFORMAT=%U
    { time "$@" >"$results/output" 2>"$results/errors"; } 2>&1
}

median() {
    sort -n "$1" | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

for round in $(seq "$rounds"); do
    user_time target/release/overcord run "$scenario" --quiet --out "$results/run-$round" >>"$results/simulator"
    user_time "$loop" --bench >>"$results/loop"
    echo "round $round: overcord $(tail -n 1 "$results/simulator") s, bare loop $(tail -n 1 "$results/loop") s"
done
simulator=$(median "$results/simulator")
loop_median=$(median "$results/loop")
echo "median:  overcord $simulator s, bare loop $loop_median s, ratio $(awk "BEGIN { printf \"%.2f\", $simulator / $loop_median }")"
