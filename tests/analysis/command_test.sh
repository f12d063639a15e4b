#!/bin/sh
# The command end to end: a small scenario, leaping against stepping, one seed twice, bad input.
set -u
tokenyard=${1:?the binary}; root=${2:?the project root}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $1"; exit 1; }
cd "$work" || exit 1
scenario=$root/analysis/scenarios/requests.json
for scenario in "$root"/tests/analysis/scenarios/*.json "$root"/analysis/scenarios/requests.json; do
  rm -rf a b c
  "$tokenyard" run "$scenario" --quiet --out a || fail "$scenario: a run ends with 0"
  "$tokenyard" run "$scenario" --quiet --out b || fail "$scenario: a second run ends with 0"
  "$tokenyard" run "$scenario" --quiet --out c --stepwise || fail "$scenario: a stepwise run ends with 0"
  for dir in a b c; do grep -vE '"(wall_s|events)":' $dir/summary.json > $dir.summary; done
  for other in b c; do
    for table in calls tasks series; do
      cmp -s a/$table.csv $other/$table.csv || fail "$scenario: the same $table.csv in a and $other (b: again, c: stepwise)"
    done
    cmp -s a.summary $other.summary || fail "$scenario: the same summary in a and $other"
  done
  case $scenario in *tight.json) grep -q '"preemptions": 0' a/summary.json && fail "the tight scenario preempts" ;; esac
done
[ "$(ls a | wc -l)" = 7 ] || fail "a result folder holds its seven files and no other"
"$tokenyard" run "$scenario" --quiet --out d --set /pools/0/chip=h100 2> message; [ $? = 2 ] || fail "an unknown chip is exit 2"
grep -q '/pools/0/chip.*did you mean "h100-sxm"' message || fail "the message names place and remedy"
"$tokenyard" run "$scenario" --quiet --out d --set /pools/0/model=llama-3.1-405b 2> message; [ $? = 3 ] || fail "a model that does not fit is exit 3"
for agent in customer-service sales-report; do
  "$tokenyard" catalog agents $agent --json > agent.json && "$tokenyard" check agent.json > /dev/null || fail "the catalogue's $agent is a start for one's own"
done
"$tokenyard" run "$scenario" --quiet --out d --set /pools/0/replicas=1 --set /pools/0/parallelism='{"tp": 8, "pp": 2}' \
  --set '/cluster={"sites": [{"nodes": [{"chip": "h100-sxm", "count": 2}]}], "fabric": {"topology": "none"}}' 2> message
[ $? = 3 ] && grep -q "^$scenario: /pools/0: pool \"main\": .*joins no nodes" message || fail "nodes that nothing joins: exit 3, with file and place"
"$tokenyard" replay nothing.csv --format azure --on "$scenario" 2> message; [ $? = 2 ] || fail "a missing trace is exit 2"
# A node for each replica: the KV of 1000 tokens, 131.072 MB, crosses a fabric of 1 GB/s in 131.072 ms and its 5 us.
printf 'arrival_s,prompt_tokens,output_tokens\n0,1000,10\n' > one.csv
"$tokenyard" replay one.csv --format requests --on "$root"/tests/analysis/scenarios/split.json --quiet --out e --set /cluster/sites/0/nodes/0/count=8 \
  --set /cluster/sites/0/nodes/0/chips_per_node=1 --set '/cluster/fabric={"bytes_per_s": 1e9}' || fail "a replay on a changed cluster ends with 0"
grep -q '"kv_transfer": 0.131077,' e/summary.json || fail "KV takes its bytes over the fabric's rate"
"$tokenyard" run "$scenario" --quiet --out d --set /cluster/sites/0/nodes/0/chips_per_node=9 2> message; [ $? = 2 ] || fail "a node beyond the scale-up domain is exit 2"
grep -q '/cluster/sites/0/nodes/0/chips_per_node.*at most 8' message || fail "the message names the domain"
"$tokenyard" run "$scenario" --quiet --out d --set /pools/0/site=nowhere 2> message; [ $? = 2 ] || fail "an unknown site is exit 2"
printf 'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,374,-4\n' > bad.csv
"$tokenyard" replay bad.csv --format azure --on "$scenario" --out d 2> message; [ $? = 2 ] || fail "a bad row is exit 2"
grep -q 'bad.csv: line 2' message || fail "a bad row is named by file and line"
[ ! -e d/calls.csv ] || fail "nothing half-written is left behind"
# Recorded agents: what was left out is told; what a run recorded is played again.
printf 'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,GPT-4,472,18,490,API log\n6,GPT-4,10,0,10,API log\n' > burst.csv
"$tokenyard" replay burst.csv --format burstgpt --on "$scenario" --quiet --no-report --out f || fail "a BurstGPT trace is played"
grep -q 'left out of the trace: 1 rows: failed when recorded' f/summary.json || fail "calls that failed are counted"
"$tokenyard" convert burst.csv --format burstgpt --to agentic-mooncake -o burst.jsonl 2> message || fail "requests become tasks of a call"
grep -q 'left out: 1 rows: failed when recorded' message || fail "convert tells what it left out"
"$tokenyard" convert burst.csv --format burstgpt --to agentic-mooncake -o - 2> message | cmp -s - burst.jsonl || fail "-o - is standard output"
[ ! -e ./- ] || fail "-o - makes no file"
"$tokenyard" check burst.jsonl --format agentic-mooncake | grep -q '1 tasks, 1 requests.*472 tokens in, 18 out, fine' || fail "check counts tasks and tokens"
"$tokenyard" replay burst.jsonl --format agentic-mooncake --on "$scenario" --quiet --no-report --write otlp,record --out g || fail "tasks are played and recorded"
for pair in otlp:trace.otlp.jsonl record:record.jsonl; do
  "$tokenyard" check g/${pair#*:} --format ${pair%:*} | grep -q '1 tasks, 1 requests.*472 tokens in, 18 out, fine' || fail "$pair holds what ran"
done
echo "all well"
