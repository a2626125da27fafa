#!/bin/sh
# Runs one runner and keeps the books of it. Called in the instance's folder, as the leader of its
# own session, with the runner's name (for people who read ps) and the command.
#
# `pid` is made with link(2), which fails if the name exists: either this script gets it, and the
# runner starts, or a deleter got it first, and nothing starts. All paths are relative, so that a
# folder that was renamed away is never mistaken for a new one under the old name.
set -u
shift

start_ticks() {
  read -r stat <"/proc/$$/stat"
  # shellcheck disable=SC2086 # the fields after the name, one word each
  set -- ${stat##*) }
  echo "${20}"
}

echo "$$ $(start_ticks)" >"pid.$$" || exit 125
ln "pid.$$" pid 2>/dev/null || exit 125
rm -f "pid.$$"

# Until here a signal ends this script, and nothing has started. From here on this script outlives
# the runner, to write down how it ended. Caught, not ignored: the runner gets the default back.
trap : HUP INT TERM
(cd work && exec "$@")
echo $? >exit.tmp && mv exit.tmp exit
