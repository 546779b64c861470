# SPDX-License-Identifier: MIT
#
# Stress tests: short in make check, meant for a build with --enable-sanitizer=thread.
