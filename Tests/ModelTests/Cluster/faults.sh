#!/usr/bin/env bash
# Runs commands under a real Slurm while things break at random, and compares each report with that
# of one machine: faults.sh GRACEWALK [RUNS [SEED]]. It needs what slurm.sh needs, and takes about
# ten seconds a run. Exit status: 0 all equal, 1 not.
set -u

gracewalk=$(realpath "$1")
runs=${2:-50}
RANDOM=${3:-1}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
folder=$(mktemp -d /tmp/gracewalk-faults-XXXXXX)
export SLURM_CONF="$folder/slurm/slurm.conf"
CPUS=4 bash "$here/slurm.sh" start "$folder/slurm" || exit 2
trap 'bash "$here/slurm.sh" stop "$folder/slurm"; rm -rf "$folder"' EXIT

commands=(
  "sweep collapse-locked-descendants --cpus 2 --all"
  "check collapse-locked-descendants --units 6 --unit-length 4000"
  "check collapse-unlocked-descendants --units 4 --unit-length 300"
  "ablate teardown-with-barrier"
  "fuzz --programs 300 --seed 7"
  "check $root/models/C --unroll 20"
  "check"
)

# A report without its times.
plain() { grep -vE ' s$' "$1" | sed -E 's/ +[0-9]+ ms//'; }

for number in "${!commands[@]}"; do
  # shellcheck disable=SC2086
  "$gracewalk" ${commands[$number]} > "$folder/one-$number" 2> /dev/null
  echo $? > "$folder/status-$number"
done

jobs_of() { pgrep -f "cluster work $1 " || true; }

slurmd_again() {
  kill -9 "$(cat "$folder/slurm/slurmd.pid")" 2> /dev/null
  sleep 0.5
  slurmd > /dev/null 2>&1
}

one_of() { shift "$((RANDOM % $#))"; echo "$1"; }

# Breaks something of the run in folder $1, whose coordinator is process $2; says what.
break_something() {
  local work=$1 coordinator=$2 job file
  case $((RANDOM % 8)) in
    0 | 1)
      # shellcheck disable=SC2046
      job=$(one_of $(jobs_of "$work") 0)
      [ "$job" != 0 ] && kill -9 "$job" 2> /dev/null
      echo "kill -9 of a job" ;;
    2)
      # shellcheck disable=SC2046
      job=$(one_of $(jobs_of "$work") 0)
      [ "$job" != 0 ] && kill -TERM "$job" 2> /dev/null
      echo "SIGTERM to a job" ;;
    3) scancel --quiet --user=root; echo "scancel" ;;
    4) slurmd_again; echo "kill -9 of slurmd" ;;
    5) kill -9 "$coordinator" 2> /dev/null; echo "kill -9 of the coordinator" ;;
    6)
      file=$(find "$work/answers" -name '*.answers' 2> /dev/null | sort | tail -n 1)
      if [ -n "$file" ]; then
        # A file that appears is complete: what is damaged later gets another name, as if new.
        head -c $(($(stat -c %s "$file") / 2)) "$file" > "$work/half"
        mv "$work/half" "$work/answers/half-$RANDOM.answers"
        printf 'x' | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") / 2)) conv=notrunc 2> /dev/null
      fi
      echo "damaged answers" ;;
    7) mkdir -p "$work/answers"; echo "not one of ours" > "$work/answers/foreign.answers"
      echo "a foreign file" ;;
  esac
}

differ=0
for run in $(seq "$runs"); do
  number=$((RANDOM % ${#commands[@]}))
  command=${commands[$number]}
  work="$folder/work $run"
  options=(--cluster slurm --array-limit "$((RANDOM % 4 + 1))" --tries 20)
  place=(--folder "$work")
  faults=
  for attempt in 1 2 3 4 5 6; do
    # shellcheck disable=SC2086
    "$gracewalk" $command "${options[@]}" "${place[@]}" > "$folder/many" 2> "$folder/errors" &
    coordinator=$!
    # The last attempt is left alone.
    while [ "$attempt" -lt 6 ] && kill -0 "$coordinator" 2> /dev/null; do
      sleep "0.$((RANDOM % 9 + 1))"
      [ -n "$faults" ] && [ $((RANDOM % 3)) -gt 0 ] && continue
      faults="$faults, $(break_something "$work" "$coordinator")"
    done
    wait "$coordinator" 2> /dev/null
    status=$?
    # Killed: another coordinator goes on.
    [ "$status" -eq 137 ] || break
    place=(--resume "$work")
  done
  verdict=equal
  if [ "$status" != "$(cat "$folder/status-$number")" ] \
    || ! diff <(plain "$folder/one-$number") <(plain "$folder/many") > "$folder/difference"; then
    verdict=DIFFERENT
    differ=$((differ + 1))
  fi
  echo "$run $verdict: $command;${faults#,}"
  if [ "$verdict" != equal ]; then
    echo "  status $status, not $(cat "$folder/status-$number")"
    head -n 6 "$folder/difference"
    tail -n 4 "$folder/errors"
  fi
  scancel --quiet --user=root
  rm -rf "$work"
done
echo "$((runs - differ)) of $runs runs are equal"
[ "$differ" -eq 0 ]
