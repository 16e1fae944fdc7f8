# What the test scripts in the folders beside this file begin with. They set `here` to their own
# folder, and source this: it sets `overcord` to the program that is tested, their first argument or
# a release build.

failed() {
  printf '%s\n' "FAILED: $*" >&2
  exit 1
}

if [ $# -gt 0 ]; then
  overcord=$(readlink -f "$1")
else
  (cd "$here/../.." && cargo build --release --locked)
  overcord=$(readlink -f "$here/../../target/release/overcord")
fi
[ -x "$overcord" ] || failed "there is no program $overcord"
