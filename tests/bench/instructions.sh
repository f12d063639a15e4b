#!/bin/sh
# Instructions per call, counted by callgrind: unlike time, a busy machine does not change them. Start-up is left out, as the
# difference of two runs of the same scenario, one longer than the other.
#
#   tests/bench/instructions.sh build/release/tokenyard . [check]
#
# With `check`, more than the bound of a case is a fault. The bounds are 10 % above what g++ 12 gave when they were set;
# lower them when a case gets faster.
set -eu
tokenyard=${1:?the tokenyard to measure} root=${2:?the project root}
out=$(mktemp -d); trap 'rm -rf "$out"' EXIT
status=0

# Sets `instructions` and `calls` of one run.
count() { # SCENARIO SECONDS
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$tokenyard" run "$1" --set "/run/warmup_s=0" --set "/run/duration_s=$2" \
    --write none --no-report --quiet --out "$out/run" 2>"$out/log" || { cat "$out/log" >&2; exit 1; }
  instructions=$(sed -n 's/.*Collected : //p' "$out/log")
  calls=$(sed -n 's/.*"calls": \([0-9]*\),/\1/p' "$out/run/summary.json" | head -1)
}

measure() { # NAME BOUND SCENARIO SHORT LONG
  count "$3" "$4"; few_instructions=$instructions few_calls=$calls
  count "$3" "$5"
  per_call=$(( (instructions - few_instructions) / (calls - few_calls) ))
  printf '%-10s %6d instructions per call (bound: %d)\n' "$1" "$per_call" "$2"
  if [ "${check:-}" ] && [ "$per_call" -gt "$2" ]; then
    echo "$1: more instructions per call than its bound. If that is worth it, raise the bound in tests/bench/instructions.sh." >&2
    status=1
  fi
}

check=${3:-}
measure requests 16300 "$root/analysis/scenarios/requests.json" 300 900
measure demo     23600 "$root/analysis/scenarios/demo.json" 40 120
exit $status
