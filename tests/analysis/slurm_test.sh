#!/bin/sh
# A real Slurm of one node, started here and stopped at the end, runs the job array that `--emit slurm` writes, and MPI in
# a job of its own: both give what one process gives. All of it lives in a temporary folder and under ports of its own;
# needs root (munged and slurmd change users) and Debian's slurm-wlm, munge and sqlite3. Skipped (77) without them.
set -u
tokenyard=${1:?the binary}; mpi=${2:?tokenyard-mpi, or none}; root=${3:?the project root}
[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 77; }
for program in munged slurmctld slurmd sbatch sqlite3; do
  PATH=$PATH:/usr/sbin command -v $program > /dev/null || { echo "skipped: $program is not there"; exit 77; }
done
PATH=$PATH:/usr/sbin
work=$(mktemp -d)
daemons=""
clean_up() {
  [ -e "$work/up" ] && scancel --quiet --user root 2> /dev/null
  # shellcheck disable=SC2086
  kill $daemons 2> /dev/null; wait
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM
fail() { echo "FAILED: $1"; tail -n 20 "$work"/*.log "$work"/array/*.log 2> /dev/null; exit 1; }
until_true() { # SECONDS COMMAND…
  tries=$(($1 * 10)); shift
  while ! "$@" > /dev/null 2>&1; do
    tries=$((tries - 1)); [ $tries -gt 0 ] || return 1
    sleep 0.1
  done
}
cd "$work" || exit 1
mkdir state spool

# ---- Slurm ----------------------------------------------------------------------------------------------------------
port=$((20000 + $$ % 20000))
export SLURM_CONF="$work/slurm.conf"
cat > slurm.conf << END
ClusterName=tokenyard
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2
MpiDefault=none
ReturnToService=2
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
head -c 1024 /dev/urandom > munge.key; chmod 600 munge.key; chmod 711 "$work"
munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munged.pid" \
  --log-file="$work/munged.log" --seed-file="$work/munged.seed" > munged.out 2>&1 & daemons=$!
until_true 10 test -S munge.socket || fail "munged starts"
slurmctld -D > slurmctld.log 2>&1 & daemons="$! $daemons"
slurmd -D > slurmd.log 2>&1 & daemons="$! $daemons"
until_true 60 sh -c 'sinfo -h -o %t | grep -qx idle' || fail "the node comes up"
touch up

# ---- The campaign ---------------------------------------------------------------------------------------------------
cat > campaign.json << END
{"name": "array", "scenario": "$root/analysis/scenarios/requests.json", "set": {"/run": {"duration_s": 60}},
 "factors": [{"grid": {"/pools/0/replicas": [1, 2], "/workload/requests/rate_per_s": [1, 2, 3]}}], "repetitions": 30}
END
content() { sqlite3 "$1/campaign.db" 'SELECT * FROM campaign ORDER BY 1; SELECT * FROM cells ORDER BY 1; SELECT * FROM runs ORDER BY 1'; }
"$tokenyard" campaign run campaign.json --out local --quiet || fail "the campaign runs here"
content local > local.txt

"$tokenyard" campaign run campaign.json --out array --emit slurm || fail "a job array is written"
sbatch --wait array/campaign.sbatch || fail "the array ends with 0"
"$tokenyard" campaign merge campaign.json --out array || fail "its shards are merged"
content array | cmp -s - local.txt || fail "the array gives what one process gives"
[ "$(ls array/shard-*-of-4.db | wc -l)" = 4 ] || fail "180 runs are an array of 4 tasks"
echo "same: the job array"

if [ "$mpi" != none ] && command -v mpirun > /dev/null; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  sbatch --wait --ntasks="$(nproc)" --output=mpi.log --wrap "mpirun '$mpi' '$work/campaign.json' --out '$work/mpi'" || fail "mpirun in a job ends with 0"
  content mpi | cmp -s - local.txt || fail "MPI in a job gives what one process gives"
  echo "same: mpirun in a job, $(grep -o 'on [0-9]* ranks' mpi.log)"
else
  echo "skipped: MPI is not there"
fi
echo "all well"
