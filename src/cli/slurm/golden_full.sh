#!/bin/bash
#SBATCH --job-name=overcord-handover
#SBATCH --array=1-1
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --time=1:00:00
#SBATCH --mem=2G
#SBATCH --partition=long
#SBATCH --account=sip
#SBATCH --requeue
#
# 1 run in 1 task.
# All machines must share the folder below, the one with results, and the program.
#
# Submit it, and a job that makes the tables when all tasks have ended well:
#   job=$(sbatch --parsable 'a b.sh')
#   sbatch --dependency=afterok:$job --kill-on-invalid-dep=yes --partition=long --account=sip --requeue --wrap 'cd -- '\''/home/ann o'\''\'\'''\''neill'\'' && /usr/local/bin/overcord merge '\''./-my studies/it'\''\'\'''\''s.toml'\'' --set dns.ttl=5s --set '\''churn.trace=$HOME/a b.avt'\'' --seed 7 --replications 1 --out ./-out'
# Where tasks have failed, this says which runs are missing:
#   cd -- '/home/ann o'\''neill' && /usr/local/bin/overcord merge './-my studies/it'\''s.toml' --set dns.ttl=5s --set 'churn.trace=$HOME/a b.avt' --seed 7 --replications 1 --out ./-out
# Submit those tasks again, here the last, and then the job that makes the tables; finished runs are
# kept, and not simulated again:
#   job=$(sbatch --parsable --array=1 'a b.sh')
set -euo pipefail

overcord=/usr/local/bin/overcord
task=${SLURM_ARRAY_TASK_ID:?submit this script with sbatch}
cd -- '/home/ann o'\''neill'
exec "$overcord" run './-my studies/it'\''s.toml' --set dns.ttl=5s --set 'churn.trace=$HOME/a b.avt' --seed 7 --replications 1 --out ./-out --shard "$task/1" --jobs 1 --quiet --yes
