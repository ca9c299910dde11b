#!/bin/sh
# A sweep on several machines by ssh: gnu-parallel.sh node1,node2
# gracewalk must be installed on all of them.
set -eu
shards=8
mkdir -p out
seq $shards | parallel --sshlogin "$1" --return "out/shard-{}-of-$shards.answers" --cleanup \
  gracewalk sweep collapse-locked-descendants --cpus 3 --folder out --shard "{}/$shards"
gracewalk merge out
