# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Test results in TAP, one line each, and waiting for what they are about. Sourced by lib.sh.

count=0
failed=0

ok() {
	count=$((count + 1))
	echo "ok $count - $*"
}

not_ok() {
	count=$((count + 1))
	failed=$((failed + 1))
	echo "not ok $count - $*"
}

diag() {
	sed 's/^/# /'
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

bail() {
	echo "Bail out! $*"
	failed=$((failed + 1))
	exit 1
}

# check WHAT COMMAND...: one test, passed if the command succeeds
check() {
	local what=$1
	shift
	if "$@" >"$work/check.out" 2>&1; then
		ok "$what"
	else
		not_ok "$what"
		echo "# failed: $*"
		tail -n 20 "$work/check.out" | diag
	fi
}

# check_not WHAT COMMAND...: one test, passed if the command fails
check_not() {
	local what=$1
	shift
	if "$@" >"$work/check.out" 2>&1; then
		not_ok "$what"
		echo "# succeeded: $*"
		tail -n 20 "$work/check.out" | diag
	else
		ok "$what"
	fi
}

# equal WHAT WANTED GOT: one test
equal() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1"
		printf '# wanted: %s\n# got:    %s\n' "$2" "$3"
	fi
}

# at_most WHAT BOUND GOT: one test, whole numbers
at_most() {
	if [ "$3" -le "$2" ]; then
		ok "$1 ($3, at most $2)"
	else
		not_ok "$1 ($3, at most $2)"
	fi
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails when the time is over. The bounds
# are for machines that are slow and busy: they cost nothing where the event comes.
wait_for() {
	local limit=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$limit" ] || return 1
		sleep 0.02
	done
}

# await SECONDS COMMAND...: the same for what the test cannot do without
await() {
	wait_for "$@" || bail "waited in vain: $*"
}
