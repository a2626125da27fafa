#!/bin/sh
# Stands in for actions/runner's run.sh: takes --jitconfig or ACTIONS_RUNNER_INPUT_JITCONFIG.
exec "${BATON_NODE:-node}" "$(dirname "$0")/../src/runner/main.ts" "$@"
