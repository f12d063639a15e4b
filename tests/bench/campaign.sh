#!/bin/sh
# What a campaign costs over its runs: rate with one job and with two, and the time of a run that is not the run's own.
#
#   tests/bench/campaign.sh BINARY ROOT [RUNS]
#
# Five rounds, in each of them one job, two jobs, and a fixed loop alone and twice side by side: that says how much two
# cores of this machine are worth at the moment, and so how far to trust the ratio. Root runs it all ahead of other
# processes (chrt); without that, a busy machine slows runs and loop alike.
set -eu
tokenyard=$1; root=$2; runs=${3:-1000}
command -v sqlite3 > /dev/null || { echo "sqlite3 is not there: no figures of campaigns"; exit 0; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
ahead=""; chrt -r 10 true 2> /dev/null && ahead="chrt -r 10"
cat > "$work/campaign.json" << END
{"scenario": "$root/analysis/scenarios/requests.json", "set": {"/run": {"duration_s": 60}},
 "factors": [{"grid": {"/pools/0/replicas": [1, 2], "/workload/requests/rate_per_s": [1, 2, 3, 4, 5]}}], "repetitions": $((runs / 10))}
END
spin() { $ahead awk 'BEGIN { for (i = 0; i < 60000000; ++i) x += i }'; }
twice() { spin & spin; wait; }
campaign() { rm -rf "$work/$1"; $ahead "$tokenyard" campaign run "$work/campaign.json" --out "$work/$1" --jobs "$1" --quiet; }
seconds() { begin=$(date +%s%N); "$@"; echo $((($(date +%s%N) - begin) / 1000)) | awk '{ print $1 / 1e6 }'; }
own() { sqlite3 "$work/$1/campaign.db" 'SELECT sum(wall_s) FROM provenance'; }

for _ in 1 2 3 4 5; do
  echo "$(seconds spin) $(seconds twice) $(seconds campaign 1) $(seconds campaign 2) $(own 1)"
done | awk -v runs="$runs" '
  { printf "two cores are worth %.2f; %.0f runs/s with 1 job, %.0f with 2: %.2f times; a run takes %.2f ms and %.2f ms beside\n",
           2 * $1 / $2, runs / $3, runs / $4, $3 / $4, $5 / runs * 1e3, ($3 - $5) / runs * 1e3
    for (i = NR; i > 1 && ratio[i - 1] > $3 / $4; --i) ratio[i] = ratio[i - 1]
    ratio[i] = $3 / $4
    for (i = NR; i > 1 && beside[i - 1] > $3 - $5; --i) beside[i] = beside[i - 1]
    beside[i] = $3 - $5 }
  END { printf "campaign, in the median: %.2f times the rate with 2 jobs (bar: 1.8), %.2f ms a run beside the run (bar: 5)\n", ratio[3], beside[3] / runs * 1e3 }'
