#!/bin/sh
# The machine that an instance is: runs its user data once, and leaves how that ended. Of several
# started for one instance, one goes on.
mkdir launch 2>/dev/null || exit 0
echo "$$" >pid.new && mv pid.new pid
/bin/bash user-data.sh >log 2>&1
echo "$?" >exit.new && mv exit.new exit
