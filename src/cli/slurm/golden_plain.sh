#!/bin/bash
#SBATCH --job-name=overcord-study
#SBATCH --array=1-4
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#
# 20 runs in 4 tasks: run r, counted from 0, belongs to task r % 4 + 1.
# All machines must share the folder below, the one with results, and the program.
#
# Submit it, and a job that makes the tables when all tasks have ended well:
#   job=$(sbatch --parsable study.sh)
#   sbatch --dependency=afterok:$job --kill-on-invalid-dep=yes --wrap 'cd -- /home/ann/studies && /usr/local/bin/overcord merge study.toml --out results'
# Where tasks have failed, this says which runs are missing:
#   cd -- /home/ann/studies && /usr/local/bin/overcord merge study.toml --out results
# Submit those tasks again, here the last, and then the job that makes the tables; finished runs are
# kept, and not simulated again:
#   job=$(sbatch --parsable --array=4 study.sh)
set -euo pipefail

overcord=/usr/local/bin/overcord
task=${SLURM_ARRAY_TASK_ID:?submit this script with sbatch}
cd -- /home/ann/studies
exec "$overcord" run study.toml --out results --shard "$task/4" --jobs 1 --quiet --yes
