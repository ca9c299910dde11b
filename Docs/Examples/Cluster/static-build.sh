#!/bin/sh
# Builds gracewalk as one file for machines without Swift: static-build.sh [FILE]
# With the static Linux SDK installed it needs nothing else; without, the system's C and C++ libraries.
set -eu
target=$(cd "$(dirname "${1:-gracewalk}")" && pwd)/$(basename "${1:-gracewalk}")
cd "$(dirname "$0")/../../.."
sdk=$(swift sdk list 2>/dev/null | grep -m 1 static-linux || true)
set -- -c release --product gracewalk --scratch-path .build/static
if [ -n "$sdk" ]; then
  set -- "$@" --swift-sdk "$sdk"
else
  set -- "$@" --static-swift-stdlib
fi
swift build "$@"
cp "$(swift build "$@" --show-bin-path)/gracewalk" "$target"
strip "$target" 2>/dev/null || true
"$target" --version
