#!/bin/sh
# Takes back what after-install.sh put outside the package. Chats and models are the person's and stay.
set -e
if [ "$1" = remove ] || [ "$1" = purge ]; then
  rm -f /usr/bin/weightroom /etc/apparmor.d/weightroom
fi
