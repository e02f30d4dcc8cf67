#!/bin/sh
# Install Debian's Chromium for the tests that drive a browser, when we may: as root, where there is apt-get.
# Elsewhere those tests are skipped and say so. In CI they must run, so a failure here is one.
set -u

for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "Chromium is not installed: the tests that drive a browser will be skipped (get it: apt-get install chromium)."
  [ "${CI:-}" != true ]
  exit
fi

echo "Installing Chromium for the tests that drive a browser …"
log=$(mktemp)
if apt-get update >"$log" 2>&1 &&
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium fonts-dejavu-core >>"$log" 2>&1; then
  rm -f "$log"
  exit 0
fi
tail -n 5 "$log" >&2
echo "Chromium could not be installed ($log has all of it): the tests that drive a browser will be skipped." >&2
[ "${CI:-}" != true ]
