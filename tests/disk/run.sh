#!/usr/bin/env bash
# A disk without room ends a study with a message that says what to do; what is finished stays, no
# half file does, and with more room the same command goes on to the same bytes. The same where a
# limit (`ulimit -f`) takes the place of the disk, and where standard output is full.
#
#   tests/disk/run.sh [PROGRAM]      without PROGRAM: builds it with cargo, for release
#
# The disk is a tmpfs in a mount namespace of its own, for which Linux wants root or user namespaces.
# Exit codes: 0 passed, 1 failed, 77 no such disk could be had: nothing was tested then, and that is
# no success.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# shellcheck source=tests/program.sh
. "$here/../program.sh"

# --- A namespace in which a disk may be mounted --------------------------------------------------
if [ -z "${OVERCORD_DISK_TEST:-}" ]; then
  for way in "--mount" "--map-root-user --mount"; do
    # shellcheck disable=SC2086  # several words
    if unshare $way mount -t tmpfs -o size=64k none /tmp 2>/dev/null; then
      # shellcheck disable=SC2086
      OVERCORD_DISK_TEST=1 exec unshare $way -- "$0" "$overcord"
    fi
  done
  printf '%s\n' "" \
    "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!" \
    "!!  THE TEST OF A FULL DISK DID NOT RUN: no tmpfs can be mounted." \
    "!!  Nothing about full disks has been tested." \
    "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!" >&2
  exit 77
fi

scratch=$(mktemp -d)
mounted=
trap '[ -z "$mounted" ] || umount "$mounted" || true; rm -rf "$scratch"' EXIT
cd "$scratch"
cp "$here/study.toml" .

kibibytes() { du -k --apparent-size -s "$1" | cut -f 1; }
kept() { find "$1" -path '*/cells/*.csv' | wc -l; }
compare() { diff -r --exclude=manifest.json roomy "$1" || failed "$1 differs from a study with room"; }

# Runs the study, which is to fail for want of room: exit code 2, and a message of one line.
no_room() {
  local folder=$1 why=$2 advice=$3 status=0
  "$overcord" run study.toml --jobs 2 --quiet --out "$folder" >out.txt 2>err.txt || status=$?
  [ "$status" = 2 ] || failed "it exits with $status: $(cat err.txt)"
  [ ! -s out.txt ] || failed "it says on standard output: $(cat out.txt)"
  [ "$(wc -l <err.txt)" = 1 ] || failed "not one line: $(cat err.txt)"
  grep -q "^overcord: cannot [a-z ]* $folder/disk-test/.*: $why" err.txt || failed "$(cat err.txt)"
  grep -qF "; what is finished is kept: $advice, and the same command goes on from there" err.txt ||
    failed "no advice: $(cat err.txt)"
  [ -z "$(find "$folder" -name '*.partial')" ] || failed "half files are left"
  [ ! -e "$folder/disk-test/latest" ] || failed "an unfinished study is called the latest"
  printf '%s (%d of 8 runs are kept)\n' "$(cut -c 1-100 err.txt)…" "$(kept "$folder")"
}

"$overcord" run study.toml --jobs 2 --quiet --out roomy >roomy.txt 2>err.txt || failed "$(cat err.txt)"
cells=$(kibibytes roomy/disk-test/cells)
whole=$(kibibytes roomy)

# --- A full disk ---------------------------------------------------------------------------------
# Beside a file that takes up what is not wanted. Room for about half of the runs; then for all, and
# half of the tables; then for everything.
size=$((2 * whole + 512))
mkdir small
mount -t tmpfs -o size=${size}k none small
mounted=$scratch/small
# Leaves so many kibibytes for results, what is there included.
room() {
  rm -f small/filler
  fallocate -l $((size - $1))k small/filler
}
room $((cells / 2))
no_room small/results "No space left on device" "make room"
case $(kept small) in [1-7]) ;; *) failed "$(kept small) runs are kept" ;; esac

# The 48 are for the last pages of files, which are not full.
room $(((cells + whole) / 2 + 48))
no_room small/results "No space left on device" "make room"
[ "$(kept small)" = 8 ] || failed "$(kept small) runs are kept, with room for all"

rm small/filler
"$overcord" run study.toml --jobs 2 --quiet --out small/results >out.txt 2>err.txt ||
  failed "$(cat err.txt)"
[ ! -s err.txt ] || failed "something was complained about: $(cat err.txt)"
grep -q '^disk-test: 8 runs, 8 of them kept from before$' out.txt || failed "$(head -n 1 out.txt)"
compare small/results
echo "with room, the same command went on to the same bytes"

# --- A limit on the size of files ----------------------------------------------------------------
# Bash counts in units of 1,024 bytes. Where the signal is not ignored it ends the process, as the
# system has it; what is finished is kept then, too.
largest=$(find roomy/disk-test/cells -name '*.csv' -printf '%k\n' | sort -n | tail -n 1)
(
  trap '' XFSZ
  ulimit -f $((largest / 2))
  # shellcheck disable=SC2016  # the message has these signs in it
  no_room limited "File too large" 'raise the limit (`ulimit -f`)'
)
status=0
{ (
  ulimit -c 0 -f $((largest / 2))
  exec "$overcord" run study.toml --jobs 2 --quiet --out limited
); } >/dev/null 2>&1 || status=$?
[ "$status" = 153 ] || failed "a limit ends the process with $status"
"$overcord" run study.toml --jobs 2 --quiet --out limited >out.txt 2>err.txt || failed "$(cat err.txt)"
compare limited
[ -z "$(find limited -name '*.partial')" ] || failed "half files are left"
echo "without the limit, the same command went on to the same bytes"

# --- A full standard output ----------------------------------------------------------------------
status=0
"$overcord" run study.toml --quiet --out roomy >/dev/full 2>err.txt || status=$?
[ "$status" = 2 ] || failed "a full standard output gives $status"
grep -q '^overcord: cannot write the result: No space left on device' err.txt || failed "$(cat err.txt)"
cat err.txt
echo "PASSED"
