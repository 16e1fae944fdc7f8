//! The script that `slurm` writes, carried out by bash: a stand-in for `sbatch` runs the tasks one
//! after the other. `tests/slurm/run.sh` does the same with a real Slurm.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const TINY: &str = r#"
name = "tiny"
duration = "5m"
warmup = "1m"
replications = 5
[overlay]
nodes = 4
"#;

/// Runs the tasks of an array, all or those asked for, and what is wrapped; says what job it is.
const SBATCH: &str = r##"#!/bin/bash
set -euo pipefail
wrap= array= script= after=
for word in "$@"; do
  case $after$word in
  --wrap) after=$word; continue ;;
  --wrap*) wrap=${word} ;;
  --array=*) array=${word#--array=} ;;
  --*) ;;
  *) script=$word ;;
  esac
  after=
done
if [ -n "$wrap" ]; then
  sh -c "$wrap" >&2
  exit
fi
[ -n "$array" ] || array=$(sed -n 's/^#SBATCH --array=//p' "$script")
for task in $(seq "${array%-*}" "${array#*-}"); do
  echo "task $task" >>tasks.txt
  cd / && SLURM_ARRAY_TASK_ID=$task bash "$OLDPWD/$script" >/dev/null
  cd "$OLDPWD"
done
echo 123
"##;

/// A folder whose name needs quoting, with a scenario whose name needs it, too.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::with_prefix("it's a \"$HOME\" ").unwrap();
        fs::write(folder.path().join("a b.toml"), TINY).unwrap();
        fs::write(folder.path().join("sbatch"), SBATCH).unwrap();
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path().join("sbatch"), executable).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn start(&self, program: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
        let path = format!("{}:{}", self.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.path()).env("PATH", path);
        let output = command.env_remove("SLURM_ARRAY_TASK_ID").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn overcord(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        self.start(env!("CARGO_BIN_EXE_overcord"), arguments)
    }

    fn bash(&self, script: &str) -> (Option<i32>, String, String) {
        self.start("bash", &["-c", script])
    }

    fn tasks(&self) -> String {
        fs::read_to_string(self.path().join("tasks.txt"))
            .unwrap()
            .replace("task ", "")
            .replace('\n', "")
    }
}

#[test]
fn what_the_script_says_can_be_typed() {
    let place = Place::new();
    let set = "description=$(touch pwned) `x` \"it's\"";
    let settings = ["a b.toml", "--set", set, "--seed", "7", "--out=-r s"];
    let slurm = [&["slurm"], &settings[..], &["--tasks", "3", "--time", "1:00"]].concat();
    let (code, printed, err) = place.overcord(&slurm);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let to_file = [&slurm[..], &["--script", "my study.sh"]].concat();
    let wrote = "wrote my study.sh: 5 runs in 3 tasks; submit it with `sbatch`\n".to_owned();
    assert_eq!(place.overcord(&to_file), (Some(0), wrote, String::new()));
    let script = fs::read_to_string(place.path().join("my study.sh")).unwrap();
    assert_eq!(script.replace("'my study.sh'", "tiny.sh"), printed);
    assert_eq!(place.start("bash", &["-n", "my study.sh"]).0, Some(0));
    let exists = "overcord: my study.sh exists already; give another path\n".to_owned();
    assert_eq!(place.overcord(&to_file), (Some(2), String::new(), exists));

    let commands: Vec<&str> = script.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
    let [submit, tables, missing, again] = commands[..] else { panic!("{script}") };
    // By itself it is no task.
    let (code, _, err) = place.start("bash", &["my study.sh"]);
    assert!(code != Some(0) && err.contains("submit this script with sbatch"), "{err}");

    // The last task alone: runs 2 of 0 to 4.
    assert_eq!(place.bash(again), (Some(0), String::new(), String::new()));
    let (code, out, err) = place.bash(missing);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        err.starts_with("overcord: tiny: 4 of 5 runs are missing (numbers 0, 1, 3, 4); "),
        "{err}"
    );
    // All of them, and the tables.
    let (code, _, err) = place.bash(&format!("{submit}\n{tables}"));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.starts_with("tiny: 5 runs, 5 of them kept from before\n"), "{err}");
    assert_eq!(place.tasks(), "3123");
    assert!(place.path().join("-r s/tiny/latest").exists());
    assert!(!place.path().join("pwned").exists());
}

#[test]
fn what_a_script_cannot_hold_is_refused() {
    let place = Place::new();
    let refused = |arguments: &[&str]| {
        let (code, out, err) = place.overcord(&[&["slurm", "a b.toml"], arguments].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""));
        err.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        refused(&["--out", "a\nb"]),
        "overcord: the path of the results cannot be written into a script, since it has control \
         characters in it: \"a\\nb\""
    );
    assert_eq!(
        refused(&["--set", "overlay={\nnodes = 4 }"]),
        "overcord: a value of --set cannot be written into a script, since it has control \
         characters in it: \"overlay={\\nnodes = 4 }\""
    );
    assert!(refused(&["--time", "1h"]).ends_with("2-12:00:00, or UNLIMITED"));
    assert!(refused(&["--memory", "lots"]).contains("such as 500M or 4G"));
    assert!(refused(&["--sbatch", "--array=1-9"]).contains("is said by --tasks"));
    assert!(refused(&["--tasks", "0"]).contains("invalid value '0' for '--tasks"));
    assert!(refused(&["--script", "none/a.sh"]).starts_with("overcord: cannot write none/a.sh: "));
}
