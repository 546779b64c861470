#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes configure and the Makefile templates. Needed in a clone only; a release tarball has them.
set -eu
cd "$(dirname "$0")"

for tool in autoreconf automake pkg-config; do
	if ! command -v "$tool" >/dev/null; then
		echo "autogen.sh: $tool is missing; install autoconf, automake and pkg-config" >&2
		exit 1
	fi
done

autoreconf --install --force --warnings=all
echo "Now run ./configure, or configure from a build folder of your own."
