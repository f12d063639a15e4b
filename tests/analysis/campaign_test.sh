#!/bin/sh
# Campaigns end to end: one process, two shards, MPI and a kill give one result; exit codes; the job array; compare.
set -u
tokenyard=${1:?the binary}; mpi=${2:?tokenyard-mpi, or none}; root=${3:?the project root}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $1"; exit 1; }
cd "$work" || exit 1
cat > campaign.json << END
{"name": "small", "scenario": "$root/analysis/scenarios/requests.json", "set": {"/run": {"duration_s": 20}},
 "factors": [{"grid": {"/pools/0/replicas": [1, 2], "/workload/requests/rate_per_s": [1, 2, 3]}}], "repetitions": 4}
END
count() { "$tokenyard" campaign status campaign.json --out "$1" --json | sed -n 's/.*"done": \([0-9]*\).*/\1/p'; }
tables() { "$tokenyard" campaign export campaign.json --out "$1" --quiet && cat "$1/runs.csv" "$1/aggregates.csv"; }

[ "$("$tokenyard" campaign list campaign.json 2>/dev/null | wc -l)" = 24 ] || fail "24 runs are listed"
"$tokenyard" campaign run campaign.json --out one --jobs 1 --quiet || fail "a campaign ends with 0"
tables one > one.csv
"$tokenyard" campaign run campaign.json --out two --jobs 2 --quiet && tables two | cmp -s - one.csv || fail "two jobs give the same tables"
for k in 1 2; do "$tokenyard" campaign run campaign.json --out shards --shard $k/2 --quiet || fail "shard $k"; done
"$tokenyard" campaign merge campaign.json --out shards --quiet && tables shards | cmp -s - one.csv || fail "two shards, merged, give the same tables"
[ "$("$tokenyard" campaign run campaign.json --out shards --shard 1/3 | grep -c '^small: 0 runs now, 8 before')" = 1 ] || fail "a shard does not run what a merge has"
if [ "$mpi" != none ] && command -v mpirun > /dev/null; then
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n 2 "$mpi" campaign.json --out mpi > /dev/null || fail "mpirun ends with 0"
  tables mpi | cmp -s - one.csv || fail "MPI gives the same tables"
  echo '{"scenario": "'"$root"'/tests/analysis/scenarios/split.json", "factors": [{"grid": {"/seed": [1, 2]}}]}' > moving.json
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n 2 "$mpi" moving.json --out moving > /dev/null 2> message
  grep -q '^moving.json: /network: found "simgrid", and bytes that move between replicas, allowed: "analytic"' message || fail "MPI says which file asks for another network"
  grep -q 'allowed:.*allowed:' message && fail "a fault of a run is said as it is"
  ldd "$mpi" | grep -q simgrid && fail "tokenyard-mpi does not link SimGrid"
else
  echo "skipped: MPI is not there"
fi

"$tokenyard" campaign run campaign.json --out killed --jobs 2 --quiet & victim=$!
sleep 0.2; kill -9 $victim; wait $victim 2> /dev/null
"$tokenyard" campaign run campaign.json --out killed --quiet && tables killed | cmp -s - one.csv || fail "killed and resumed, it gives the same tables"
"$tokenyard" campaign run campaign.json --out stopped --jobs 1 --quiet 2> message & victim=$!
sleep 0.2; kill -INT $victim; wait $victim; code=$?
# 0: it was done before the signal came; otherwise what was finished is kept.
case $code in 0|130) ;; *) fail "an interrupt is exit 130, not $code" ;; esac
"$tokenyard" campaign run campaign.json --out stopped --quiet && tables stopped | cmp -s - one.csv || fail "interrupted and resumed, it gives the same tables"

sed 's|"repetitions": 4|"repetitions": {"metric": "latency.ttft_s.p95", "half_width": 0.0001, "min": 2, "max": 3}|' campaign.json > wide.json
"$tokenyard" campaign run wide.json --out wide > output || fail "a campaign that stops at max ends with 0"
"$tokenyard" campaign export wide.json --out wide > exported
"$tokenyard" campaign status wide.json --out wide > status
for text in output exported status; do
  grep -q '^6 of 6.cells stopped at 3 repetitions (max)' $text || fail "intervals that stayed too wide are told: $text"
done
"$tokenyard" campaign status wide.json --out wide --json | grep -q '"wide_cells": 6' || fail "also as JSON"
grep -q Unfinished exported && fail "a campaign at its max is finished"
"$tokenyard" campaign export campaign.json --out one | grep -q Unfinished && fail "an export of all runs says nothing of the kind"

sed 's|"/pools/0/replicas": \[1, 2\]|"/pools/0/model": ["llama-3.1-70b", "llama-3.1-405b"]|' campaign.json > failing.json
"$tokenyard" campaign run failing.json --out failing > output 2>&1; [ $? = 4 ] || fail "failed runs are exit 4"
grep -q 'failed: cell 3, repetition 0: infeasible' output || fail "a failure is named"
sed 's|"repetitions"|"outputs": ["latency.tfft_s.p95"], "repetitions"|' campaign.json > outputs.json
"$tokenyard" campaign run outputs.json --out outputs 2> message; [ $? = 2 ] || fail "an unknown output is exit 2"
grep -q '^outputs.json: /outputs/0: found "latency.tfft_s.p95", allowed: a key of the summary that leads to numbers (did you mean "latency.ttft_s.p95"?)' message \
  || fail "an unknown output is said with its file"
"$tokenyard" check outputs.json 2> other; cmp -s message other || fail "a check says what a run says"
sed 's|"repetitions"|"repetitons"|' campaign.json > wrong.json
"$tokenyard" campaign run wrong.json --out wrong 2> message; [ $? = 2 ] || fail "a wrong campaign is exit 2"
grep -q '/repetitons.*did you mean "repetitions"' message || fail "the message names place and remedy"
[ "$("$tokenyard" check campaign.json)" = "campaign.json: campaign, fine, 6 cells" ] || fail "a campaign is checked"
sed 's|"/pools/0/replicas": \[1|"/pools/0/chip": ["h100"|' campaign.json > no_chip.json
"$tokenyard" check no_chip.json 2> message; [ $? = 2 ] && grep -q '^no_chip.json, cell .*: /pools/0/chip: .*did you mean' message || fail "so are the scenarios of its cells"
"$tokenyard" campaign run no_chip.json --out refused 2> other; [ $? = 2 ] && [ ! -e refused ] || fail "a campaign that is refused leaves nothing"
sed 's|"duration_s": 20|"duration_s": 21|' campaign.json > changed.json
for action in run status merge list; do
  "$tokenyard" campaign $action changed.json --out one 2> message; [ $? = 2 ] || fail "a changed scenario is exit 2"
  grep -q '/scenario/run/duration_s was 20, is 21.*--out' message || fail "campaign $action says what has changed"
done
mkdir foreign; echo 'CREATE TABLE addresses(name)' > sql
if command -v sqlite3 > /dev/null; then sqlite3 foreign/campaign.db < sql; else head -c 4096 /dev/urandom > foreign/campaign.db; fi
cp foreign/campaign.db before.db
for action in run status merge list export; do
  "$tokenyard" campaign $action campaign.json --out foreign 2> message; [ $? = 2 ] || fail "campaign $action of another database is exit 2"
  grep -q '^foreign/campaign.db: found .*, allowed: the results of a campaign: remove campaign.db, or choose another folder with --out' message \
    || fail "campaign $action of another database names the remedy"
done
cmp -s foreign/campaign.db before.db || fail "another database is left as it is"
mkdir new; : > new/campaign.db
"$tokenyard" campaign export campaign.json --out new 2> message; [ $? = 2 ] && grep -q 'new/campaign.db: found no results yet' message || fail "an empty file has no results"
"$tokenyard" campaign status campaign.json --out new > /dev/null || fail "a campaign that was killed as it began has a status"
"$tokenyard" campaign run campaign.json --shard 3/2 2> message; [ $? = 2 ] || fail "a wrong shard is exit 2"

array="it's an array"
"$tokenyard" campaign run campaign.json --out "$array" --emit slurm --quiet || fail "a job array is written"
SLURM_ARRAY_TASK_ID=1 sh "$array/campaign.sbatch" && "$tokenyard" campaign merge campaign.json --out "$array" --quiet && tables "$array" | cmp -s - one.csv \
  || fail "the job array's script gives the same tables"

for n in 1 2; do "$tokenyard" run "$root/analysis/scenarios/requests.json" --set "/pools/0/replicas=$n" --set '/run={"duration_s": 60}' --quiet --no-report --out r$n; done
"$tokenyard" compare r1 r2 > output && grep -q '^    duration_s ' output || fail "two folders are compared"
[ "$("$tokenyard" compare r1 r2 --json | grep -c '"other_arrival": 0')" = 2 ] || fail "both see the same work"
"$tokenyard" compare r1 2> message; [ $? = 2 ] || fail "one folder cannot be compared"
echo "all well"
