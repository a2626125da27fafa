#!/bin/sh
# Stands in for run.sh where there are hundreds of runners: the instance is this shell, which costs a
# hundredth of a Node process, and what its runner says to GitHub is said by the host process whose folder
# $SIM_RUNNER_HOST is. The host is told by a file, named after this process, and answers through a pipe:
# "busy", and at the end the exit code. A signal ends this shell as it would end a runner.
set -eu
busy=0
trap 'exit $busy' TERM INT
umask 077
mkfifo words
exec 3<>words
# By a builtin: the JIT config is in no argument list.
echo "$PWD/words $ACTIONS_RUNNER_INPUT_JITCONFIG" >"$SIM_RUNNER_HOST/.$$"
mv "$SIM_RUNNER_HOST/.$$" "$SIM_RUNNER_HOST/$$"
while read -r word <&3; do
  [ "$word" = busy ] || exit "$word"
  busy=1
  echo 'Running a job'
done
