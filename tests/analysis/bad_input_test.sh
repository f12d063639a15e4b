#!/bin/sh
# Bad input, through the real binary: every file under bad/ (and every bad trace) is answered with exit 2 and the faults that
# expected.txt lists; so is what no file of a repository can be: a folder, a pipe, a device, bytes that are no text. Then what
# the system can do: a full disk, a folder nobody may write to, an interrupt.
set -u
tokenyard=${1:?the binary}; root=${2:?the project root}
bad=$root/tests/analysis/bad
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0; cases=0
fail() { echo "FAILED: $1"; [ -s message ] && sed 's/^/    /' message | cut -c1-400 | head -20; failures=$((failures + 1)); }

refused() { # WHAT, then the command; its message is left in the file `message`
  what=$1; shift
  cases=$((cases + 1))
  "$tokenyard" "$@" > output 2> message
  code=$?
  [ $code = 2 ] || fail "$what: exit $code, not 2"
  grep -q 'fault of Tokenyard\|Sanitizer\|runtime error' message && fail "$what: taken for our own fault"
  [ -s message ] || fail "$what: no message"
}
says() { # WHAT TEXT
  grep -qF -- "$2" message || fail "$1: does not say: $2"
}

# Files with their faults.
while IFS= read -r line; do
  case $line in
    \#*) ;;
    "    "*) says "$file" "${line#    }" ;;
    *)
      file=$line
      refused "$file" check "$bad/$file"
      says "$file" "${file##*/}" ;;
  esac
done < "$bad/expected.txt"
listed=$(grep -c '^[^ #]' "$bad/expected.txt")
[ "$listed" = "$(find "$bad" -name '*.json' | wc -l)" ] || fail "expected.txt lists every file, once"
refused "speculation" check "$bad/scenario/speculation.json"
[ "$(grep -c /pools/2/engine/speculative_config/method: message)" = 1 ] || fail "an unknown method is judged once, not as another"
refused "all files at once" check "$bad"/*/*.json
for file in $(grep '^[^ #]' "$bad/expected.txt"); do says "all files at once" "${file##*/}"; done
# A run refuses what a check refuses, and writes nothing.
for file in unknown_keys key_twice infinite no_parts; do
  refused "run $file" run "$bad/scenario/$file.json" --quiet --out out
  [ ! -e out ] || fail "run $file: a folder for a run that never was"
done

for trace in "$root"/tests/traces/bad/*.*; do
  name=${trace##*/}
  refused "$name" check --format "${name%%_*}" "$trace"
  says "$name" "$name: "
done

# An agent that the trace has not got, as a run says it.
printf '{"session_id": "s", "timestamp": 0, "input_length": 100, "output_length": 10, "hash_ids": [1]}\n' > sessions.jsonl
printf 'arrival_s,prompt_tokens,output_tokens\n0,100,10\n' > plain.csv
for trace in mooncake-sessions:sessions.jsonl requests:plain.csv; do
  echo '{"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1}]}]}, "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm"}],
    "workload": {"trace": {"path": "'"${trace#*:}"'", "format": "'"${trace%%:*}"'"}}, "slo": {"ttft_s": 2, "agents": {"nobody": {}}}}' > level.json
  for command in check "run --quiet --out out"; do
    refused "$command: a level of an agent that the $trace lacks" $command level.json
    says "$command: a level of an agent that the $trace lacks" 'level.json: /slo/agents: found "nobody", allowed: an agent of the workload'
  done
done

# What no file of a repository can be.
good=$root/analysis/scenarios/requests.json
: > empty.json
mkdir folder.json
head -c 4096 /dev/zero | tr '\0' '\377' > binary.json
printf '{"name": "\377\376"}' > no_utf8.json
{ head -c 100000 /dev/zero | tr '\0' '['; } > deep.json
{ head -c 100000 /dev/zero | tr '\0' '['; head -c 100000 /dev/zero | tr '\0' ']'; } > deep_closed.json
printf '\000\000{}' > zeros.json
{ printf '// "\n{"name": '; head -c 1000000 /dev/zero | tr '\0' '['; head -c 1000000 /dev/zero | tr '\0' ']'; echo '}'; } > deep_behind_comment.json
for file in empty folder binary no_utf8 deep deep_closed deep_behind_comment zeros missing; do
  refused "$file.json" check "$file.json"
  says "$file.json" "$file.json"
  refused "run $file.json" run "$file.json" --quiet --out out
done
refused "/dev/null" run /dev/null --quiet --out out
refused "/dev/zero as a trace" replay /dev/zero --format azure --on "$good" --quiet --out out
mkfifo pipe.json
(echo '{"pools": 3' > pipe.json) & refused "a pipe" run pipe.json --quiet --out out; wait
refused "a folder as a trace" replay . --format azure --on "$good" --quiet --out out
refused "no catalogue" run "$good" --quiet --out out --catalog nowhere
mkdir piped; mkfifo piped/p.json; mkdir -p deep/agents; mkfifo deep/agents/p.json
for catalog in piped deep; do
  refused "a pipe in a catalogue" run "$good" --quiet --out out --catalog $catalog; says "a pipe in a catalogue" "p.json: found a pipe or device"
done
mkdir -p mine/agents mine/chips; echo '{' > mine/agents/a.json; echo '{' > mine/chips/c.json
refused "a broken catalogue" run "$good" --quiet --out out --catalog mine
says "a broken catalogue" mine/agents/a.json; says "a broken catalogue" mine/chips/c.json
if [ "$(id -u)" != 0 ]; then
  cp "$good" secret.json; chmod 000 secret.json
  refused "an unreadable file" check secret.json
  mkdir locked; chmod 500 locked
  refused "a folder nobody may write to" run "$good" --quiet --out locked/out
fi
# A mark of the byte order and another system's line ends are no fault.
{ printf '\357\273\277'; cat "$good"; } > bom.json
sed 's/$/\r/' "$good" > crlf.json
"$tokenyard" check bom.json crlf.json > /dev/null 2> message || fail "a byte-order mark and CRLF are fine"

# The command line.
for set in nonsense /=3 /pools /pools/7/replicas=1 /pools/4000000000=1 /pools/-1=3 /pools/0/name/deeper=1 '/a~2=1' /pools=3 /name= '/pools/0/replicas=1e999'; do
  refused "--set $set" run "$good" --quiet --out out --set "$set"
done
refused "the empty key" run "$good" --quiet --out out --set /=3; says "the empty key" 'requests.json: /: found an unknown key, "", allowed: one of schema'
refused "an unknown command" rum "$good"; says "an unknown command" 'did you mean "run"'
refused "an unknown option" run "$good" --sed 3; says "an unknown option" 'did you mean "--seed"'
refused "no scenario" run
refused "a seed that is no number" run "$good" --seed one
refused "a negative limit" run "$good" --limit -3
says "a negative limit" '--limit: found "-3", allowed: a whole number of at least 1'
for option in --limit --speed --users --from; do
  refused "$option of generated work" run "$good" $option 2 --quiet --out out; says "$option of generated work" "$option: found a scenario that generates its work"
done
refused "a name of control characters" run "$good" --set '/pools/0/chip="\u0000\u001b[2J"'; says "a name of control characters" '/pools/0/chip: found "??[2J", allowed'
refused "an option twice" run "$good" --seed 1 --seed 2; says "an option twice" "--seed: found more than one value"
refused "two scenarios" run "$good" two.json; says "two scenarios" 'tokenyard run: found "two.json", allowed: no more than'
refused "a scenario without a name" run ''; says "a scenario without a name" '"": found no such file'
printf 'arrival_s,prompt_tokens,output_tokens\n1,x,3\n' > first_row.csv
refused "a trace without a good row" replay first_row.csv --format requests --on "$good" --out never-made
[ ! -e never-made ] || fail "a refused replay leaves its empty folder"
for command in demand bottleneck; do  # before the first simulation
  begin=$(date +%s); refused "results of $command below a device" $command "$good" --out /dev/null/x --set /run/duration_s=40000
  says "results of $command below a device" "/dev/null/x: Not a directory"
  [ $(($(date +%s) - begin)) -lt 3 ] || fail "$command found its --out to be none after its work"
done
"$tokenyard" help run | grep -q -- --seed || fail "help run is run --help"
refused "an option without its value" run "$good" --out; says "an option without its value" "--out: found no value"
refused "a negative seed" run "$good" --seed -1; says "a negative seed" '--seed: found "-1"'
refused "half a core" campaign run x.json --jobs 0.5; says "half a core" '--jobs: found "0.5", allowed: a whole number from 1 to'
mkfifo pipe; refused "a pipe of any format" check pipe; says "a pipe of any format" "--format"
refused "a folder that is not there" calibrate "$good" --chip h100-sxm -o nowhere/chip.json; says "a folder that is not there" "nowhere/chip.json cannot be created"
refused "a chip by half its name" calibrate "$good" --chip h100 -o chip.json; says "a chip by half its name" 'did you mean "h100-sxm"'
[ ! -e chip.json ] || fail "a refused calibration leaves no file"
refused "a speed of nothing" replay "$root/tests/traces/bad/azure_nan.csv" --format azure --on "$good" --speed 0
refused "an unknown network" run "$good" --network ns3
for write in cals otpl calls,none; do refused "--write $write" run "$good" --quiet --out out --write $write; done
refused "the speed of generated work" demand "$good" --speed 2 --out d; says "the speed of generated work" "--speed: found a scenario that generates its work"
for draw in '-5' '{"dist": "uniform", "low": -5, "high": 1}' '{"dist": "empirical", "values": [3, -1]}'; do
  refused "output of $draw tokens" run "$good" --quiet --out out --set "/workload/requests/output_tokens=$draw"
  says "output of $draw tokens" "/workload/requests/output_tokens: found"
done
# Studies, and what campaigns make of a scenario.
study() { # IN_SCENARIO IN_CASE NAME VERDICTS: mine.json, with that
  cat > mine.json <<END
{"schema": "tokenyard.study/1", "name": "$3", "title": "t", "question": "q", "claim": {"text": "c", "source": "s", "date": "2026"},
 "inputs": {"x": {"title": "x", "source": "s", "date": "2026", "value": 1}},
 "scenarios": {"one": {$1 "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1}]}]}, "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm"}],
   "workload": {"requests": {"rate_per_s": 1, "prompt_tokens": 100, "output_tokens": 10}}, "run": {"duration_s": 60}}},
 "cases": {"a": {"title": "a", "scenario": "one" $2}}, "measures": {"m": {"title": "m", "is": "latency.ttft_s.mean"}},
 "quantities": {"q": {"title": "q", "is": "a.m * x"}}, "outcome": "q", "verdicts": [$4]}
END
}
so='{"badge": "b", "say": "it is so"}'
study '' '' mine "$so"; "$tokenyard" check mine.json > output 2> message || fail "the study that the others change"
wrong_study() { # WHAT TEXT, then as study
  what=$1; text=$2; shift 2; study "$@"
  for command in check "study --quick --quiet --out out"; do refused "$what" $command mine.json; says "$what" "mine.json"; says "$what" "$text"; done
}
wrong_study "a study named after a path" '/name: found "../x"' '' '' ../x "$so"
wrong_study "a study without verdicts" '/verdicts: found none' '' '' mine ''
for seed in '"abc"' -4 1.5; do wrong_study "a study with the seed $seed" "the seed $seed" "\"seed\": $seed," '' mine "$so"; done
for scale in '{"compute": "fast"}' '{"compute": -0.8}' '"x"'; do wrong_study "a study's scale $scale" /cases/a/scale '' ", \"scale\": $scale" mine "$so"; done
wrong_study "a study's scenario with a key too many" '/replicaz: found an unknown key' '"replicaz": 3,' '' mine "$so"
sed 's/"seed": 1/"seed": "abc"/' "$good" > seeded.json
echo '{"scenario": "seeded.json", "factors": [{"grid": {"/run/warmup_s": [1]}}]}' > c.json
for command in check "campaign run --quiet"; do refused "a campaign of a seed that is none" $command c.json; says "a campaign of a seed that is none" 'the seed "abc"'; done
cp "$good" seeded.json; echo '{"scenario": "seeded.json", "factors": [{"grid": {"/run/warmup_s": [1]}}], "names": {"cell": "/run/warmup_s"}}' > c.json
refused "two columns of one name" check c.json; says "two columns of one name" '/names/cell'
mkdir -p evil/chips; sed 's/"name": "l40s"/"name": "..\/evil"/' "$root/platforms/catalog/chips/l40s.json" > evil/chips/e.json
refused "a chip named after a path" check evil/chips/e.json; says "a chip named after a path" '/name: found "../evil"'
printf '{"schema": "tokenyard.chip/1", "name": "mine", "memory_bytes": 80, "memory_bytes_per_s": 3.35, "peak_flops_per_s": {"bf16": 989}}' > units.json
refused "a chip in other units" check units.json
for place in memory_bytes memory_bytes_per_s peak_flops_per_s/bf16; do says "a chip in other units" "units.json: /$place: found"; done
printf 'concurrency,prompt_tokens,output_tokens,ttft_s,tpot_s\n1,1000,100,60,9000\n8,1000,100,200,12000\n' > milliseconds.csv
refused "a benchmark in milliseconds" calibrate milliseconds.csv --format serving --chip h100-sxm --model llama-3.1-8b --engine vllm-0.18 --name w -o w.json
says "a benchmark in milliseconds" "that the fit misses by"; [ ! -e w.json ] || fail "a refused calibration leaves no file"
{ printf '{"a": '; head -c 3000000 /dev/zero | tr '\0' 1; printf '}'; } > long.json
refused "a number of 3 MB" check long.json; [ $(wc -c < message) -lt 2000 ] || fail "a number of 3 MB is shown whole"
# Traces of agents.
printf '{"request_id":"a","input_length":10,"output_length":1}\n' > lone.jsonl
refused "a rule for no recorded model" replay lone.jsonl --format agentic-mooncake --on "$good" --quiet --out out --pools gpt-9=main; says "a rule for no recorded model" '--pools: found "gpt-9", which matches no recorded model'
printf '{"name": "w", "workflow": {"tasks": [{"name": "t", "id": "t", "runtimeInSeconds": 3, "parents": [], "children": []}]}}' > w.json
refused "a trace without calls, as requests" convert w.json --format wfformat --to requests -o never.csv
[ ! -e never.csv ] || fail "a refused conversion leaves its file"
printf '{"request_id":"a","input_length":10,"output_length":1,"wait_for":["b"]}\n{"request_id":"b","input_length":10,"output_length":1,"wait_for":["a"]}\n' > cycle.jsonl
refused "a cycle of calls" replay cycle.jsonl --format agentic-mooncake --on "$good" --quiet --out out; says "a cycle of calls" 'cycle.jsonl: line 1: found "a" waits for "b" waits for "a"'
refused "a cycle, checked" check cycle.jsonl --format agentic-mooncake; says "a cycle, checked" 'cycle.jsonl: line 1'
refused "a cycle, converted" convert cycle.jsonl --format agentic-mooncake --to otlp -o out.jsonl; says "a cycle, converted" 'cycle.jsonl: line 1'
# What is read is not written over.
cp cycle.jsonl kept.jsonl; ln -s cycle.jsonl link.jsonl
refused "a trace converted into itself" convert cycle.jsonl --format agentic-mooncake --skip-bad-rows --to otlp -o ./link.jsonl
says "a trace converted into itself" "--output: found ./link.jsonl, which is what is read"
refused "a table calibrated into itself" calibrate cycle.jsonl --chip h100-sxm -o cycle.jsonl; says "a table calibrated into itself" "which is what is read"
cmp -s cycle.jsonl kept.jsonl || fail "what is read is kept"
refused "an unknown target" convert cycle.jsonl --format agentic-mooncake --to oltp -o out.jsonl; says "an unknown target" 'did you mean "otlp"'
refused "blocks of nothing" convert cycle.jsonl --format agentic-mooncake --to otlp -o out.jsonl --block-tokens 99999999999
for format in agentic-mooncake mooncake-sessions weka otlp jaeger wfformat record; do
  for file in empty folder binary no_utf8 deep deep_closed zeros missing; do
    refused "$file.json as $format" replay $file.json --format $format --on "$good" --quiet --out out
  done
  refused "/dev/zero as $format" replay /dev/zero --format $format --on "$good" --quiet --out out
done
for demand in 'p95 ttft_s' 'p94 ttft_s < 2' 'p95 tfft_s < 2' 'slo.atainment >= 1' 'slo < 1' 'p95 ttft_s < two' '< 2' '' 'name == 5' 'pools < 1' 'pools.main < 1' \
  'pools.main.bussy < 1' 'pools.main.chip == 5' 'agents.request.tasks > 0'; do
  refused "--assert $demand" run "$good" --quiet --out out --assert "$demand"
done
refused "a pool that is not there" run "$good" --quiet --out out --assert 'pools.man.busy > 0.5'
says "a pool that is not there" '--assert: found "man" in "pools.man.busy > 0.5", allowed: one of main (did you mean "main"?)'
refused "an unknown kind" catalog chip; says "an unknown kind" 'did you mean "chips"'
refused "an unknown chip" catalog chips h100; says "an unknown chip" 'did you mean "h100-sxm"'
refused "an unknown agent" graph customer-servise
refused "a schema of nothing" schema scenaro; says "a schema of nothing" 'did you mean "scenario"'
[ ! -e out ] || fail "nothing is written for a run that is refused"

# What is wrong in every cell of a campaign is said once.
echo '{"scenario": "'"$good"'", "set": {"/pools/0/chip": "h100"}, "factors": [{"grid": {"/pools/0/replicas": [1, 2, 3, 4]}}]}' > cells.json
refused "a fault of all cells" campaign run cells.json --out cells; says "a fault of all cells" 'replicas=1 and other cells: /pools/0/chip: found "h100"'
[ "$(wc -l < message)" = 1 ] || fail "a fault of all cells is said once"

# A file is judged by itself, whatever the others are.
echo '{"scenario": "'"$good"'", "factors": [{"grid": {"/pools/0/replicas": [1, 2]}}]}' > campaign.json
refused "two files" check empty.json campaign.json
"$tokenyard" check empty.json campaign.json 2> message | grep -q 'campaign.json: campaign, fine' || fail "a campaign beside a broken file is fine"
! grep -q campaign.json message || fail "a fault of one file is no fault of another"

# A figure that is absurd, though well formed: nothing overflows, and the message says where to look.
mkdir -p slow/chips
"$tokenyard" catalog chips trainium2 --json | sed 's/"value": 667000000000000.0/"value": 6670000000.0/' > slow/chips/trainium2.json
"$tokenyard" run "$good" --catalog slow --set /pools/0/chip=trainium2 --set /cluster/sites/0/nodes/0/chip=trainium2 --quiet --out slow/out 2> message
[ $? = 3 ] || fail "a chip of 6.67 GFLOP/s is exit 3"
says "a chip of 6.67 GFLOP/s" 'pool "main": a step of llama-3.1-70b on trainium2 may take more than 500 s'

# Work without an end: time that stands still, a loop of steps that takes none, pictures of a month.
ended() { # WHAT TEXT, then the command
  what=$1 text=$2; shift 2
  cases=$((cases + 1))
  timeout 300 "$tokenyard" "$@" --quiet --out endless > output 2> message
  code=$?
  [ $code = 3 ] || fail "$what: exit $code, not 3"
  says "$what" "$text"
}
ended "users whose requests are refused at once" "rejects calls again and again" run "$good" --write none \
  --set '/workload={"requests": {"closed_loop": {"users": 2}, "prompt_tokens": 1000000000, "output_tokens": 1}}'
mkdir -p loops/agents
echo '{"schema": "tokenyard.agent/1", "name": "loop", "start": "go", "nodes": {"go": {"kind": "choice"}, "end": {"kind": "end"}}, "edges": [
  {"from": "go", "to": "go", "p": 0.999999999, "max": 1000000000}, {"from": "go", "to": "end", "p": 1e-9}]}' > loops/agents/loop.json
echo '{"schema": "tokenyard.agent/1", "name": "slow", "start": "go", "nodes": {"go": {"kind": "tool", "latency_s": 1e300, "result_tokens": 1}, "end": {"kind": "end"}},
  "edges": [{"from": "go", "to": "end"}]}' > loops/agents/slow.json
ended "a loop of steps that takes no time" 'loop.json: a task goes on through node "go" for ever' run "$good" --catalog loops \
  --set '/workload={"agents": [{"agent": "loop", "rate_per_s": 1}]}'
ended "a tool that takes 280 years" 'Give the distribution of what takes so long a "max"' run "$good" --catalog loops --write none \
  --set '/workload={"agents": [{"agent": "slow", "rate_per_s": 1}]}' --set '/run={"duration_s": 10, "series_interval_s": 20}'
sed 's/"steps": 50/"steps": 100000000/' "$root/agents/catalog/ad-generation.json" > loops/agents/ad-generation.json
ended "pictures of a month" "or a month in all" run "$good" --catalog loops --set /cluster=hgx-h100-4x8 --set '/run={"duration_s": 60}' \
  --set '/pools/1={"name": "picture", "model": "flux.1-dev", "chip": "h100-sxm"}' \
  --set '/pools/2={"name": "video", "model": "wan2.1-t2v-14b", "chip": "h100-sxm"}' \
  --set '/workload={"agents": [{"agent": "ad-generation", "rate_per_s": 0.1, "pools": {"default": "main", "image": "picture", "video": "video"}}]}'

# A key whose value is not known is one message: what belongs to it cannot be judged.
once() { # then settings
  what=$1; cases=$((cases + 1)); settings=
  for set; do settings="$settings --set $set"; done
  "$tokenyard" run "$good" --quiet --out once $settings > output 2> message
  [ $? = 2 ] && [ "$(wc -l < message)" = 1 ] || fail "$what is one message"
}
once /workload/requests/prompt_tokens/dist=lognorml
once '/workload/requests/arrivals={"process":"gama","cv":2}'
once /pools/0/scheduling=plass /pools/0/quantum_s=0.01 /pools/0/preemptive=true
once /pools/0/kv_retention=statik-ttl /pools/0/kv_ttl_s=2
once '/workload={"requests":{"closed_loop":{"users":2,"think_s":-5},"prompt_tokens":1,"output_tokens":1}}'
once /workload/requests/output_tokens=-5
once '/cluster/sites/0/nodes/0/shape=[]'
refused "more users than fit" replay cycle.jsonl --format agentic-mooncake --users 100000000 --on "$good" --quiet --out out
says "more users than fit" "--users: found 100000000"

# A pointer without end, in a campaign.
{ printf '{"scenario": "%s", "set": {"' "$good"; awk 'BEGIN { for (i = 0; i < 100000; ++i) printf "/a" }'; printf '": 1}}'; } > far.json
refused "a pointer without end" check far.json; says "a pointer without end" "far.json: /set: found"
sed 's|"set": \(.*\): 1}}|"factors": [{"grid": \1: [1, 2]}}]}|' far.json > far_grid.json
refused "a grid without end" check far_grid.json; says "a grid without end" "far_grid.json: /factors/0/grid: found"
refused "a setting without end" run "$good" --quiet --out out --set "/name$(awk 'BEGIN { for (i = 0; i < 50000; ++i) printf "/a" }')=1"
says "a setting without end" "--set: found a pointer of 50001 keys, allowed: at most 200"

# Bytes that are no UTF-8: a path may have them, text in a document may not.
byte=$(printf '\351')
refused "a value that is no text" run "$good" --quiet --out out --set "/name=$byte"; says "a value that is no text" "not UTF-8"
refused "a name that is no text" calibrate "$good" --chip h100-sxm --name "$byte" -o chip.json; says "a name that is no text" "--name"
refused "an agent's name that is no text" fit-agent cycle.jsonl --format agentic-mooncake --name "$byte" -o agent.json; says "an agent's name that is no text" "--name"
cp "$good" "s$byte.json"; mkdir -p "c$byte/chips"; "$tokenyard" catalog chips l40s --json > "c$byte/chips/l40s.json"
"$tokenyard" run "s$byte.json" --catalog "c$byte" --quiet --out "o$byte" --set /run/duration_s=90 2> message || fail "a path of any bytes is fine"
"$tokenyard" report "o$byte" > /dev/null 2> message || fail "a path of any bytes has its manifest"
"$tokenyard" compare "o$byte" "o$byte" --json > /dev/null 2> message || fail "results in a path of any bytes are compared"

# Tables to calibrate with.
table() { file=$1; shift; for row; do echo "$row"; done > "$file"; }
uncalibrated() { # WHAT FILE TEXT, then options
  what=$1 file=$2 text=$3; shift 3
  refused "$what" calibrate "$file" --chip h100-sxm --name x -o x.json "$@"; says "$what" "$text"
  [ ! -e x.json ] || fail "$what: an entry is written"
}
attention=batch_size,num_heads,num_key_value_heads,head_dim,attn_dtype,kv_cache_dtype
table gen.csv $attention,step,latency 4,32,8,128,bfloat16,bfloat16,1023,0.05
uncalibrated "decode attention of one row" gen.csv "gen.csv: found 1 row of bf16, allowed: at least 3"
table ctx.csv $attention,isl,step,latency 4,32,8,128,bfloat16,bfloat16,1023,0,0.05
uncalibrated "prefill attention of one row" ctx.csv "ctx.csv: found 1 row of bf16, allowed: at least 5"
table batch.csv $attention,step,latency 0,32,8,128,bfloat16,bfloat16,1023,0.05
uncalibrated "a batch of nothing" batch.csv 'batch.csv: line 2, batch_size: found "0", allowed: a whole number from 1'
moe=kernel_source,moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,distribution,latency
table moe.csv $moe x,bfloat16,16,4096,14336,2,8,0,1,balanced,5
uncalibrated "experts divided by nothing" moe.csv 'line 2, moe_tp_size: found "0"'
table moe1.csv $moe x,bfloat16,16,4096,14336,2,8,1,1,balanced,5
uncalibrated "experts of one row" moe1.csv "found 1 row of bf16, allowed: at least 12"
table gemm.csv gemm_dtype,m,n,k,latency '' bfloat16,16,4096,4096,-1
uncalibrated "a product before it began" gemm.csv 'gemm.csv: line 3, latency: found "-1", allowed: a number above 0'
table one_gpu.csv num_gpus,message_size,latency 1,1048576,0.02
uncalibrated "an all-reduce of one" one_gpu.csv 'line 2, num_gpus: found "1"'
table p_dense.csv layer,tokens,time_us; table p_per_sequence.csv sequences,time_us
table p_attention.csv prefill_chunk,kv_prefill,n_decode,kv_decode,time_us
uncalibrated "a profile of headers" p "p_dense.csv: found no rows" --format llmservingsim --model llama-3.1-8b
watts=task,model_id,gpu_model,num_gpus,tensor_parallel,expert_parallel,data_parallel,weight_precision,max_num_seqs,avg_batch_size
watts=$watts,avg_output_len,avg_power_watts,energy_per_token_joules,median_itl_ms,output_throughput_tokens_per_sec
table watts.csv $watts lm-arena-chat,Qwen/Qwen3-8B,H100,1,1,1,1,bfloat16,8,8,400,400,1,10,1000
for lengths in '{' '[]' '{"Qwen__Qwen3-8B__lm-arena-chat":{}}' '{"Qwen__Qwen3-8B__lm-arena-chat":{"bins":[],"counts":[]}}' \
  '{"Qwen__Qwen3-8B__lm-arena-chat":{"bins":[1,2],"counts":[1,2]}}' '{"Qwen__Qwen3-8B__lm-arena-chat":{"bins":[1,1],"counts":[1]}}'; do
  echo "$lengths" > output_length_distributions.json
  uncalibrated "lengths $lengths" watts.csv "output_length_distributions.json: " --format mlenergy
done

# A demand that is not met.
"$tokenyard" run "$good" --quiet --out demand --set /run/duration_s=90 --assert 'p95 ttft_s < 100' --assert 'counts.calls_failed == 0' --assert 'pools.main.busy <= 1' 2> message || fail "demands that are met"
"$tokenyard" run "$good" --quiet --out demand --set /run/duration_s=90 --assert 'p95 ttft_s < 0.000001' --assert 'counts.calls < 1' 2> message
[ $? = 3 ] || fail "a demand that is not met is exit 3"
says "a demand that is not met" '"p95 ttft_s < 0.000001" is false: it is'; says "a demand that is not met" '"counts.calls < 1" is false: it is'

# A full disk, for tables and for the terminal's output; a limit on file sizes.
mkdir full; ln -s /dev/full full/calls.csv
refused "a full disk" run "$good" --quiet --out full; says "a full disk" "No space left"
"$tokenyard" catalog chips > /dev/full 2> message; [ $? = 2 ] || fail "an output that cannot be written is exit 2"
"$tokenyard" rum 2> /dev/full; [ $? = 2 ] || fail "a message that cannot be written is exit 2"
"$tokenyard" run "$good" --out closed --set /run/duration_s=90 >&- 2>&-
"$tokenyard" report closed > /dev/null 2> message || fail "with its output closed, a run leaves whole files"
(ulimit -f 8; exec "$tokenyard" run "$good" --quiet --out limited --write calls > /dev/null 2> message); [ $? = 2 ] || fail "a limit on file sizes is exit 2"
says "a limit on file sizes" "ulimit -f"
for folder in full limited; do
  [ -z "$(find $folder -type f)" ] || fail "$folder: nothing is left behind"
done
: > file
refused "a result folder that is a file" run "$good" --quiet --out file

# An interrupt: what was done is kept, whole, and marked.
for signal in INT TERM HUP; do
  rm -rf partial
  "$tokenyard" run "$good" --quiet --out partial --write calls,series --set /run/duration_s=30000000 > /dev/null 2> message & run=$!
  while [ ! -e partial ] && kill -0 $run 2> /dev/null; do sleep 0.05; done
  sleep 0.5
  kill -$signal $run; wait $run
  [ $? = 130 ] || fail "SIG$signal is exit 130"
  grep -q '"status": "partial"' partial/manifest.json || fail "SIG$signal: the manifest says partial"
  [ -z "$(find partial -name '*.tmp*')" ] || fail "SIG$signal: a temporary file is left"
  awk -F, 'NR == 1 { columns = NF } NF != columns { exit 1 }' partial/calls.csv || fail "SIG$signal: rows are whole"
done

(trap '' HUP; exec "$tokenyard" run "$good" --quiet --out nohup --write none --set /run/duration_s=30000000 2> message) & run=$!
while [ ! -e nohup ] && kill -0 $run 2> /dev/null; do sleep 0.05; done
sleep 0.5
kill -HUP $run; sleep 0.5; kill -INT $run || fail "under nohup a run outlives SIGHUP"
wait $run; [ $? = 130 ] || fail "under nohup a run still ends by SIGINT"

# What cannot be kept half done says so, in a line, and leaves nothing.
interrupted() { # TEXT, then the command
  text=$1; shift
  : > message
  "$tokenyard" "$@" > output 2> message & run=$!
  for _ in $(seq 100); do [ -s message ] && break; sleep 0.1; kill -INT $run 2> /dev/null; done  # ignored until it is caught
  wait $run; [ $? = 130 ] || fail "$1, interrupted, is exit 130"
  says "$1, interrupted" "Interrupted: $text"
  [ "$(wc -l < message)" = 1 ] || fail "$1, interrupted, says one line"
}
long="--set /run/duration_s=30000000"
interrupted "nothing was kept." bottleneck "$good" $long
interrupted "nothing was kept." demand "$good" --no-cache $long
interrupted "the sizings that were finished are kept in $work/sizings" demand "$good" --cache "$work/sizings" $long
interrupted "nothing was kept." study seven-gigawatts --out book
[ ! -e book ] || fail "an interrupted study leaves no folder"
refused "a study below a device" study token-surge --out /dev/null/x; says "a study below a device" "/dev/null/x: Not a directory"

[ $failures = 0 ] || { echo "$failures failures"; exit 1; }
echo "$cases refusals, all well"
