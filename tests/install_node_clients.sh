#!/bin/sh
# Install the GraphQL clients and tools that some tests run, in tests/node: exactly what the lock file says.
# Where there is no Node those tests are skipped and say so. In CI they must run, so a failure here is one.
set -u
cd "$(dirname "$0")/node" || exit 1

installed=node_modules/.installed
if [ -e $installed ] && [ $installed -nt package-lock.json ] && [ $installed -nt package.json ]; then
  exit 0
fi

major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
if [ "${major:-0}" -lt 20 ] || ! command -v npm >/dev/null; then
  echo "Node 20 or newer with npm is not installed: the tests that run GraphQL clients in Node will be skipped."
  [ "${CI:-}" != true ]
  exit
fi

echo "Installing the GraphQL clients that the tests run in Node …"
if npm ci --loglevel=error >/dev/null; then
  touch $installed
  exit 0
fi
echo "They could not be installed: the tests that run GraphQL clients in Node will be skipped." >&2
[ "${CI:-}" != true ]
