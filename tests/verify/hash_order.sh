#!/usr/bin/env bash
# Builds the program with a component that iterates a hash map on purpose (the feature hash-order),
# and checks that `verify` finds it: exit code 1, and the first event that differs, in both versions.
# The program without that feature must not be found wanting.
#
# Needs bash and cargo. Takes another build of the program, so it is no test of `cargo test`.
# Usage: tests/verify/hash_order.sh [--release]
set -euo pipefail
cd "$(dirname "$0")/../.."

profile=("$@")
scenario=(scenarios/handover.toml --set duration=2h)

fail() {
  echo "hash_order.sh: $1" >&2
  exit 1
}

code=0
told=$(cargo run --locked --quiet "${profile[@]}" --features hash-order -- \
  verify "${scenario[@]}") || code=$?
echo "$told"
[ "$code" -eq 1 ] || fail "verify exits with $code where runs do not repeat themselves, not with 1"
grep -q '^repeated on .*: NOT THE SAME in the only run: the program is broken$' <<<"$told" ||
  fail "verify does not say that the run does not repeat itself"
grep -Eq '^  they part at [0-9]+\.[0-9]{9} s, on node-[0-9]{5}:$' <<<"$told" ||
  fail "verify does not name the first event that differs"
for time in first second; do
  grep -Eq "^    the $time time +(nothing else|.*Chord replicate .*)( *\[[0-9a-f]{16}\])?(;.*)?\$" \
    <<<"$told" || fail "verify does not tell the event of the $time time, a Chord replicate"
done

code=0
told=$(cargo run --locked --quiet "${profile[@]}" -- verify "${scenario[@]}") || code=$?
echo "$told"
[ "$code" -eq 0 ] || fail "verify exits with $code where runs repeat themselves, not with 0"
echo "hash_order.sh: the component that iterates a hash map was found"
