# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What tools/demo, tools/check, tools/bench and .ci/run share: where the source is, and how it is
# built in a folder of its own.

top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)

# A clone that belongs to a user stays that user's when the command runs by sudo.
builder=()
if [ "$(id -u)" = 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
	builder=(runuser -u "$SUDO_USER" --)
fi

# build FOLDER [CONFIGURE OPTION...]: makes the programs in $top/FOLDER, which is kept, so that the
# next time is quick. What the tools print goes to FOLDER.log beside it, and its end here if they
# fail.
build() {
	local folder=$top/$1 log=$top/$1.log
	shift
	if [ -e "$top/config.status" ]; then
		echo "The source itself is configured, and then no other folder can be. Run: make distclean" >&2
		return 1
	fi
	"${builder[@]}" mkdir -p "$folder"
	"${builder[@]}" touch "$log"
	if ! {
		{ [ -e "$top/configure" ] || "${builder[@]}" "$top/autogen.sh"; } &&
			cd "$folder" &&
			{ [ -e config.status ] || "${builder[@]}" "$top/configure" "$@"; } &&
			"${builder[@]}" make -j"$(nproc)"
	} >"$log" 2>&1 </dev/null; then
		tail -n 40 "$log" >&2
		echo "The build has failed; all that it said is in $log" >&2
		return 1
	fi
}
