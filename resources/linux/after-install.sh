#!/bin/sh
# Puts the command on the path, lets Chromium's sandbox work, and refreshes the desktop's caches.
set -e
ln -sf '/opt/${sanitizedProductName}/resources/bin/weightroom' /usr/bin/weightroom
if [ -f '/opt/${sanitizedProductName}/chrome-sandbox' ]; then chmod 4755 '/opt/${sanitizedProductName}/chrome-sandbox'; fi
if command -v update-mime-database >/dev/null 2>&1; then update-mime-database /usr/share/mime || true; fi
if command -v update-desktop-database >/dev/null 2>&1; then update-desktop-database /usr/share/applications || true; fi
if [ -d /etc/apparmor.d ] && command -v apparmor_parser >/dev/null 2>&1 && apparmor_parser --skip-kernel-load --debug '/opt/${sanitizedProductName}/resources/apparmor-profile' >/dev/null 2>&1; then
  cp -f '/opt/${sanitizedProductName}/resources/apparmor-profile' /etc/apparmor.d/weightroom
  apparmor_parser --replace --write-cache --skip-read-cache /etc/apparmor.d/weightroom || true
fi
