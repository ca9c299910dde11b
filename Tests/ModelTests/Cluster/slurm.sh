#!/usr/bin/env bash
# Runs Slurm on this machine alone, for the tests: slurm.sh start FOLDER, slurm.sh stop FOLDER.
# It needs root, and Debian's packages slurm-wlm and munge. All state is in FOLDER, but munge's key.
# Afterwards, SLURM_CONF=FOLDER/slurm.conf makes sbatch and the others talk to it.
set -eu

action=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
export SLURM_CONF="$folder/slurm.conf"

stop() {
  for daemon in slurmd slurmctld munged; do
    if [ -f "$folder/$daemon.pid" ]; then
      process=$(cat "$folder/$daemon.pid")
      kill "$process" 2>/dev/null || true
      for _ in 1 2 3 4 5 6 7 8 9 10; do
        kill -0 "$process" 2>/dev/null || break
        sleep 0.5
      done
    fi
  done
}

# A port below the ephemeral ones that depends on the folder, so that two tests can run at once.
port=$((20000 + $(printf %s "$folder" | cksum | cut -d ' ' -f 1) % 5000 * 2))

configure() {
  mkdir -p "$folder/state" "$folder/spool"
  cat > "$SLURM_CONF" <<EOF
ClusterName=test
SlurmctldHost=localhost
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=20
KillWait=5
MinJobAge=10
InactiveLimit=0
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0,defer_batch
MailProg=/bin/true
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
NodeName=localhost CPUs=${CPUS:-$(nproc)} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
EOF
}

start_munge() {
  if [ ! -f "$folder/munge.key" ]; then
    dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 2>/dev/null
    chmod 400 "$folder/munge.key"
  fi
  munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
    --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" \
    --seed-file="$folder/munged.seed" > /dev/null 2>&1
}

case $action in
  stop) stop ;;
  start)
    # Daemons keep what they inherit: whoever waits for this script must not wait for them.
    for descriptor in /proc/self/fd/*; do
      number=${descriptor##*/}
      if [ "$number" -gt 2 ]; then eval "exec $number>&-"; fi
    done
    configure
    start_munge
    slurmctld > /dev/null 2>&1
    slurmd > /dev/null 2>&1
    seconds=0
    until sinfo --noheader --format=%T 2>/dev/null | grep -q idle; do
      seconds=$((seconds + 1))
      if [ $seconds -gt 30 ]; then
        echo "slurm does not come up; see $folder/*.log" >&2
        exit 1
      fi
      sleep 1
    done
    ;;
  *) echo "usage: slurm.sh start|stop FOLDER" >&2; exit 2 ;;
esac
