#!/bin/sh
# Runs one runner and keeps the books of it. Called in the instance's folder, as the leader of its
# own session, with the runner's name (for people who read ps), where its pid is valid, how long a log
# file may grow, how many there may be, and the command. Its own errors go to wrapper.log.
#
# `pid` is made with link(2), which fails if the name exists: either this script gets it, and the
# runner starts, or a deleter got it first, and nothing starts. All paths are relative, so that a
# folder that was renamed away is never mistaken for a new one under the old name.
set -u
pid_scope=$2 file_bytes=$3 files=$4
shift 4
# The definition may give the runner a PATH without the tools that are used here.
runner_path=${PATH:-}
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

start_ticks() {
  read -r stat <"/proc/$$/stat"
  # shellcheck disable=SC2086 # the fields after the name, one word each
  set -- ${stat##*) }
  echo "${20}"
}

write_exit() {
  echo "$1" >exit.tmp && mv exit.tmp exit
}

# Moves this process, and what it starts from here on, into one half of the instance's cgroups.
join() {
  [ -f cgroups ] || return 0
  while read -r folder; do
    echo 0 >"$folder/$1/cgroup.procs" || return 1
  done <cgroups
}

# Copies what comes from file descriptor $2 to $1.log until its end; full files move on to $1.1.log,
# $1.2.log and so on, and the last one is lost. What cannot be written (a full disk) is lost as well:
# the runner is never held up.
keep_log() {
  trap '' HUP INT TERM
  # Not as redirections of the call: the shell would keep the writing ends to restore them.
  exec <&"$2" 3>&- 4>&- 5<&- 6<&-
  umask 077
  unbuffered=
  ! command -v stdbuf >/dev/null || unbuffered='stdbuf -o0'
  while :; do
    # shellcheck disable=SC2086 # two words, or none
    if ! $unbuffered head -c "$file_bytes" >"$1.log"; then
      [ "$(head -c "$file_bytes" | wc -c)" -ge "$file_bytes" ] || break
      continue
    fi
    [ "$(wc -c <"$1.log")" -ge "$file_bytes" ] || break
    n=$((files - 1))
    while [ "$n" -gt 1 ]; do
      [ ! -f "$1.$((n - 1)).log" ] || mv -f "$1.$((n - 1)).log" "$1.$n.log"
      n=$((n - 1))
    done
    mv -f "$1.log" "$1.1.log"
  done
}

echo "$$ $(start_ticks) $pid_scope" >"pid.$$" || exit 125
ln "pid.$$" pid 2>/dev/null || exit 125
rm -f "pid.$$"

# Until here a signal ends this script, and nothing has started. From here on this script outlives
# the runner, to write down how it ended. Caught, not ignored: the runner gets the default back.
trap : HUP INT TERM
give_up() {
  write_exit "$1"
  exit "$1"
}
join keeper || give_up 125

# Both ends of each pipe are opened here, through one that is both: nothing waits for anything.
mkfifo -m 600 stdout.pipe stderr.pipe || give_up 125
exec 7<>stdout.pipe 3>stdout.pipe 5<stdout.pipe 7>&-
exec 7<>stderr.pipe 4>stderr.pipe 6<stderr.pipe 7>&-
rm -f stdout.pipe stderr.pipe
keep_log stdout 5 &
keep_log stderr 6 &
stderr_keeper=$!
exec 5<&- 6<&-

# A deleter makes `stopping` before it signals: a signal that came before the runner's process had the
# default back is not lost.
(
  [ ! -f stopping ] || exit 143
  join runner || exit 125
  PATH=$runner_path
  cd work && exec "$@" >&3 2>&4 3>&- 4>&-
)
code=$?
exec 3>&- 4>&-
# Of a program that did not start, the reason is all there is: let it be on disk first.
tries=0
while [ "$code" -ge 126 ] && [ "$code" -le 127 ] && [ "$tries" -lt 20 ] &&
  kill -0 "$stderr_keeper" 2>/dev/null; do
  sleep 0.1
  tries=$((tries + 1))
done
write_exit "$code"
