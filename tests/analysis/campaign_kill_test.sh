#!/bin/sh
# A campaign's database depends on the campaign alone: one job, two jobs, two shards merged, MPI, and one that is killed
# five times at random moments hold the same runs. 100 tiny simulations, or as many as TOKENYARD_CAMPAIGN_RUNS says.
set -u
tokenyard=${1:?the binary}; mpi=${2:?tokenyard-mpi, or none}; root=${3:?the project root}
runs=${TOKENYARD_CAMPAIGN_RUNS:-100}
command -v sqlite3 > /dev/null || { echo "skipped: sqlite3 is not there"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $1"; exit 1; }
cd "$work" || exit 1
cat > campaign.json << END
{"name": "many", "scenario": "$root/analysis/scenarios/requests.json", "set": {"/run": {"duration_s": 60}},
 "factors": [{"grid": {"/pools/0/replicas": [1, 2], "/workload/requests/rate_per_s": [1, 2, 3, 4, 5]}}], "repetitions": $((runs / 10))}
END
run() { out=$1; shift; "$tokenyard" campaign run campaign.json --out "$out" --quiet "$@"; }
# All but `provenance`, which says who ran what, and when.
content() { sqlite3 "$1/campaign.db" 'SELECT * FROM campaign ORDER BY 1; SELECT * FROM cells ORDER BY 1; SELECT * FROM runs ORDER BY 1'; }
same() { content "$1" | cmp -s - undisturbed.txt || fail "$2"; echo "same: $2"; }
kept() { sqlite3 "$1/campaign.db" 'SELECT count(*) FROM runs' 2> /dev/null || echo 0; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

begin=$(milliseconds)
run one --jobs 1 || fail "a campaign ends with 0"
took=$(($(milliseconds) - begin))
content one > undisturbed.txt
[ "$(kept one)" = "$runs" ] || fail "$(kept one) of $runs runs are there"
run two --jobs 2 || fail "two jobs end with 0"
same two "two jobs"
run shards --shard 1/2 && run shards --shard 2/2 && "$tokenyard" campaign merge campaign.json --out shards --quiet || fail "two shards are merged"
same shards "two shards, merged"
if [ "$mpi" != none ] && command -v mpirun > /dev/null; then
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n 2 "$mpi" campaign.json --out mpi > /dev/null || fail "mpirun ends with 0"
  same mpi "two ranks of MPI"
else
  echo "skipped: MPI is not there"
fi

# Some of the first kills come before the database is whole, the others in the midst of runs: a fifth of the time that
# one job takes, at most.
for kill in 1 2 3 4 5; do
  wait_ms=$(($(od -An -N4 -tu4 /dev/urandom) % (took / 5 + 1)))
  "$tokenyard" campaign run campaign.json --out killed --jobs 2 --quiet & victim=$!
  sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
  kill -9 $victim 2> /dev/null; wait $victim 2> /dev/null
  now=$(kept killed)
  echo "kill $kill after $wait_ms ms: $now of $runs runs kept"
  [ "$now" -ge "${before:-0}" ] || fail "a kill loses what was kept"
  before=$now
done
"$tokenyard" campaign run campaign.json --out killed --jobs 2 > resumed.txt || fail "a killed campaign is resumed"
grep -q "^many: $((runs - before)) runs now, $before before; 0 failed, 0 left" resumed.txt || fail "only what is missing runs: $(cat resumed.txt)"
same killed "killed five times and resumed"
echo "all well: $runs runs"
