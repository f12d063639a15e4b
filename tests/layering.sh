#!/bin/sh
# Includes go down the floors only, and SimGrid stays in its one folder.
root=${1:?the project root}
status=0
above() { # FLOOR ABOVE…: no file of FLOOR includes one of ABOVE
  floor=$1; shift
  for up in "$@"; do
    if grep -rnE "#include \"$up/" "$root/$floor" --include='*.hpp' --include='*.cpp'; then
      echo "upward include: $floor includes $up"; status=1
    fi
  done
}
above sim platforms agents traces analysis
above platforms agents traces analysis
above agents traces analysis
above traces analysis
if grep -rnE '#include [<"]simgrid/' "$root"/sim "$root"/platforms "$root"/agents "$root"/traces "$root"/analysis \
     --include='*.hpp' --include='*.cpp' | grep -v '/sim/network/simgrid/'; then
  echo "a SimGrid header outside sim/network/simgrid/"; status=1
fi
exit $status
