#!/usr/bin/env bash
# Installs what the tests need from the system and pip cannot bring: a second MQTT broker and its
# command-line clients (interoperability), and a browser (end-to-end tests).
# Debian's mosquitto package would start a broker on port 1883; that is kept from happening, because
# the tests start their own on free ports and must not take one that somebody else may be using.
set -euo pipefail

PATH="$PATH:/usr/sbin:/sbin" # where Debian keeps mosquitto, and where not every user's PATH leads
POLICY=/usr/sbin/policy-rc.d

missing=()
command -v mosquitto >/dev/null || missing+=(mosquitto)
command -v mosquitto_pub >/dev/null || missing+=(mosquitto-clients)
command -v chromium >/dev/null || missing+=(chromium)
if [ "${#missing[@]}" -eq 0 ]; then
  exit 0
fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need these system packages: ${missing[*]}" >&2
  echo "Install them (on Debian: sudo apt-get install ${missing[*]}), then run make test again;" >&2
  echo "make test-fast needs none of them." >&2
  exit 1
fi

if [ ! -e "$POLICY" ]; then
  # Debian asks this file before it starts any service; 101 means "not allowed".
  trap 'rm -f "$POLICY"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"

if [ -d /run/systemd/system ] && [[ " ${missing[*]} " == *" mosquitto "* ]]; then
  systemctl disable --now mosquitto # nor at the next boot: we asked for the program, not a service
fi
