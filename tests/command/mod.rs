//! The program as a user starts it.

use std::path::Path;

use assert_cmd::Command;

/// Carries out a command in a folder; gives its exit code, what it printed and what it told. What a
/// job of continuous integration has set around it is not seen.
pub(crate) fn overcord(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::cargo_bin("overcord").expect("the binary is built with the tests");
    command.env_remove("GITHUB_STEP_SUMMARY");
    let output = command.current_dir(folder).args(arguments).output().expect("it can be started");
    let text = |bytes| String::from_utf8(bytes).expect("all output is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}
