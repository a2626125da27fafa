#!/bin/sh
# A runner program for tests: does what its JIT config says.
case $ACTIONS_RUNNER_INPUT_JITCONFIG in
  exit\ *) code=${ACTIONS_RUNNER_INPUT_JITCONFIG#exit } && exit "${code%% *}" ;;
  stubborn*) trap '' TERM ;;
esac
echo "$$" >started
exec tail -f /dev/null
