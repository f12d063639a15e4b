#!/bin/sh
# Includes go down only, from floor to floor and within a floor from room to room; SimGrid stays in its one folder.
root=${1:?the project root}
status=0
rising() { # PREFIX PART…: no part includes one that stands behind it
  prefix=$1; shift
  while [ $# -gt 1 ]; do
    part=$1; shift
    for up in "$@"; do
      if grep -rnE "#include \"$prefix$up/" "$root/$prefix$part" --include='*.hpp' --include='*.cpp'; then
        echo "upward include: $prefix$part includes $prefix$up"; status=1
      fi
    done
  done
}
rising '' sim platforms agents traces analysis
rising sim/ input core random statistics network
rising platforms/ spec cost kv serving cluster training
rising agents/ graph work record
rising analysis/ expression schemas measured scenario drawing result page report run compare bottleneck demand campaign studies calibrate \
  validate fit_agent command
if grep -rnE '#include [<"]simgrid/' "$root"/sim "$root"/platforms "$root"/agents "$root"/traces "$root"/analysis \
     --include='*.hpp' --include='*.cpp' | grep -v '/sim/network/simgrid/'; then
  echo "a SimGrid header outside sim/network/simgrid/"; status=1
fi
exit $status
