//! The text of a script for Slurm, a pure function of what is to be run.

use super::words::{Memory, Partitions, SbatchLine, TimeLimit, quoted};

/// What a script is made of. Texts are of one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The name of the scenario, a slug.
    pub scenario: String,
    /// How many runs the study has.
    pub runs: u32,
    /// How many tasks they are shared out to.
    pub tasks: u32,
    /// The scenario, seen from the folder.
    pub file: String,
    /// The assignments of `--set`.
    pub set: Vec<String>,
    /// The seed, if another than the scenario's.
    pub seed: Option<u64>,
    /// The number of replications, if another than the scenario's.
    pub replications: Option<u32>,
    /// The folder for results, seen from the folder.
    pub out: String,
    /// The program.
    pub program: String,
    /// Where it is started.
    pub folder: String,
    /// What the script is called.
    pub itself: String,
    /// How long a task may take.
    pub time: Option<TimeLimit>,
    /// Where it is to run.
    pub partition: Option<Partitions>,
    /// How much memory a task may take.
    pub memory: Option<Memory>,
    /// Further options for `sbatch`.
    pub lines: Vec<SbatchLine>,
}

impl Script {
    /// The script.
    #[must_use]
    pub fn text(&self) -> String {
        let tasks = self.tasks;
        let (folder, program) = (quoted(&self.folder), quoted(&self.program));
        let options: String =
            self.options().iter().map(|option| format!("#SBATCH {option}\n")).collect();
        let itself = quoted(&path(&self.itself));
        let arguments = self.arguments();
        let merge = format!("cd -- {folder} && {program} merge {arguments}");
        let (wrapped, together) = (quoted(&merge), self.together());
        let shared = self.shared_out();
        format!(
            "\
#!/bin/bash
{options}#
# {shared}
# All machines must share the folder below, the one with results, and the program.
#
# Submit it, and a job that makes the tables when all tasks have ended well:
#   job=$(sbatch --parsable {itself})
#   sbatch --dependency=afterok:$job --kill-on-invalid-dep=yes{together} --wrap {wrapped}
# Where tasks have failed, this says which runs are missing:
#   {merge}
# Submit those tasks again, here the last, and then the job that makes the tables; finished runs are
# kept, and not simulated again:
#   job=$(sbatch --parsable --array={tasks} {itself})
set -euo pipefail

overcord={program}
task=${{SLURM_ARRAY_TASK_ID:?submit this script with sbatch}}
cd -- {folder}
exec \"$overcord\" run {arguments} --shard \"$task/{tasks}\" --jobs 1 --quiet --yes
"
        )
    }

    /// Which task has which runs.
    fn shared_out(&self) -> String {
        match (self.runs, self.tasks) {
            (1, _) => "1 run in 1 task.".to_owned(),
            (runs, 1) => format!("{runs} runs in 1 task."),
            (runs, tasks) => format!(
                "{runs} runs in {tasks} tasks: run r, counted from 0, belongs to task r % {tasks} + 1."
            ),
        }
    }

    /// The options for `sbatch`, those of the user last.
    fn options(&self) -> Vec<String> {
        let mut options = vec![
            format!("--job-name=overcord-{}", self.scenario),
            format!("--array=1-{}", self.tasks),
            "--nodes=1".to_owned(),
            "--ntasks=1".to_owned(),
            "--cpus-per-task=1".to_owned(),
        ];
        options.extend(self.time.iter().map(|it| format!("--time={it}")));
        options.extend(self.memory.iter().map(|it| format!("--mem={it}")));
        options.extend(self.partition.iter().map(|it| format!("--partition={it}")));
        options.extend(self.lines.iter().map(ToString::to_string));
        options
    }

    /// What the job that merges is told as well: where it may run, and who pays for it.
    fn together(&self) -> String {
        let partition = self.partition.iter().map(|it| format!(" --partition={it}"));
        partition.chain(self.lines.iter().map(|it| format!(" {it}"))).collect()
    }

    /// What `run` and `merge` are both given.
    fn arguments(&self) -> String {
        let mut words = vec![quoted(&path(&self.file))];
        words.extend(self.set.iter().flat_map(|it| ["--set".to_owned(), quoted(it)]));
        words.extend(self.seed.iter().map(|it| format!("--seed {it}")));
        words.extend(self.replications.iter().map(|it| format!("--replications {it}")));
        words.extend(["--out".to_owned(), quoted(&path(&self.out))]);
        words.join(" ")
    }
}

/// A path that nobody takes for an option.
fn path(text: &str) -> String {
    if text.starts_with('-') { format!("./{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sweep of 20 runs in 4 tasks, nothing else said.
    fn plain() -> Script {
        Script {
            scenario: "study".into(),
            runs: 20,
            tasks: 4,
            file: "study.toml".into(),
            set: Vec::new(),
            seed: None,
            replications: None,
            out: "results".into(),
            program: "/usr/local/bin/overcord".into(),
            folder: "/home/ann/studies".into(),
            itself: "study.sh".into(),
            time: None,
            partition: None,
            memory: None,
            lines: Vec::new(),
        }
    }

    /// One run, everything said, in places with unusual names.
    fn full() -> Script {
        Script {
            scenario: "handover".into(),
            runs: 1,
            tasks: 1,
            file: "-my studies/it's.toml".into(),
            set: vec!["dns.ttl=5s".into(), "churn.trace=$HOME/a b.avt".into()],
            seed: Some(7),
            replications: Some(1),
            out: "-out".into(),
            folder: "/home/ann o'neill".into(),
            itself: "a b.sh".into(),
            time: Some("1:00:00".parse().unwrap()),
            partition: Some("long".parse().unwrap()),
            memory: Some("2G".parse().unwrap()),
            lines: vec!["--account=sip".parse().unwrap(), "--requeue".parse().unwrap()],
            ..plain()
        }
    }

    #[test]
    fn a_script_is_a_job_array_of_shards() {
        assert_eq!(plain().text(), include_str!("golden_plain.sh"));
    }

    #[test]
    fn a_script_holds_all_that_was_said_and_quotes_it() {
        assert_eq!(full().text(), include_str!("golden_full.sh"));
    }
}
