# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the benchmarks share; each sets the table of its options and sources this file first. The
# hosts and programs are those of the scenario tests, with a router on the way, where the link can
# be given a rate and a buffer:
#
#     app host            router             server host            web host
#     10.77.3.2 <-----> 10.77.3.1            10.77.1.1 (lo)
#                       10.77.4.2 <-----> 10.77.4.1
#                                            10.77.2.1 <----------> 10.77.2.2
#
# A benchmark prints a table, or with --json one object with every measurement; what it is doing
# goes to standard error. It installs nothing, and its processes, namespaces and files end with it.

: "${option[repeat]:=3}"

bench=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=../tests/net/lib.sh
. "$bench/../tests/net/lib.sh"
name=${0##*/}
json=no
declare -A programs=([client]="" [server]="") # -o options of vpnr-client and vpnr-server
: >"$work/measurements"

# --- words ---------------------------------------------------------------------------------------

say() {
	echo "$name: $*" >&2
}

# What the tests tell in TAP, a benchmark tells in words.
skip_all() {
	say "skipped: $*"
	[ $json = no ] || jq -n --arg name "$name" --arg why "$*" '{benchmark: $name, skipped: $why}'
	exit 0
}

bail() {
	say "$*"
	failed=1
	exit 1
}

usage() {
	local key
	printf 'usage: %s [--json] [-o SECTION.KEY=VALUE]...' "$name"
	for key in "${!option[@]}"; do
		printf ' [--%s %s]' "$key" "${option[$key]}"
	done
	printf '\n'
	exit 2
} >&2

# parse_options ARGUMENT...: --NAME VALUE for each name in the table; -o goes to the program whose
# section it names
parse_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--json) json=yes ;;
		-o)
			case ${2:-} in
			client.*) programs[client]+="-o $2 " ;;
			server.*) programs[server]+="-o $2 " ;;
			*) usage ;;
			esac
			shift
			;;
		--*)
			[ -n "${option[${1#--}]+known}" ] && [ -n "${2:-}" ] || usage
			option[${1#--}]=$2
			shift
			;;
		*) usage ;;
		esac
		shift
	done
}

# --- hosts ---------------------------------------------------------------------------------------

router=vpnr-$$-router

hosts() {
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	needs_tools ip tc iptables ss jq
	local program host
	for program in vpnr-client vpnr-server vpnrctl bench/flows bench/request bench/target; do
		[ -x "$build/$program" ] || bail "$build/$program is missing: run make $program first"
	done
	for host in "$app" "$router" "$srv" "$web"; do
		add_host "$host"
	done
	add_cable "$router" 3 "$app"
	add_cable "$srv" 4 "$router"
	add_cable "$srv" 2 "$web"
	ip -n "$srv" address add $SRV4/32 dev lo
	ip -n "$srv" address add $SRV6/128 dev lo
	ip -n "$app" route add default via 10.77.3.1
	ip -n "$web" route add default via 10.77.2.1
	ip -n "$srv" route add 10.77.3.0/24 via 10.77.4.2
	ip -n "$router" route add 10.77.0.0/16 via 10.77.4.1
	for host in "$router" "$srv"; do
		ip netns exec "$host" sysctl -qw net.ipv4.ip_forward=1
	done
}

# limit_link MBIT BUFFER_MS: both directions. On the router, since a host's own TCP sees to it that
# its own queues stay short; what comes from elsewhere fills them.
limit_link() {
	local cable
	for cable in 3 4; do
		tc -n "$router" qdisc add dev "c$cable-$$" root tbf rate "$1mbit" burst 32k \
			limit $(($1 * 125 * $2)) || skip_all "the kernel has no token bucket (tc tbf)"
	done
}

forwarded() {
	ip -n "$router" -s -j link | jq '[.[].stats64.tx.bytes] | add'
}

# What a load has left in the buffers is gone.
quiet() {
	local before
	before=$(forwarded)
	sleep 0.5
	[ $(($(forwarded) - before)) -lt 20000 ]
}

# start_target MODE PORT
start_target() {
	spawn "target-$1" "$web" "$build/bench/target" "$1" "$2"
	await 20 listens "$web" "$2"
}

# --- vpnr ----------------------------------------------------------------------------------------

# start_vpnr [CLIENT OPTION...]: the client, and the server if it does not run yet
start_vpnr() {
	local client server
	read -ra client <<<"${programs[client]}"
	read -ra server <<<"${programs[server]}"
	[ -e "$work/server.conf" ] || configure
	if gone "${daemon[server]:-}"; then
		start_server "${server[@]}"
	fi
	start_client "${client[@]}" "$@"
	await 20 connected
}

# By its SOCKS5 proxy: the options of flows and request, and the address to give them.
via=(-x 127.0.0.1:1080)
address=$WEB4

# --- memory --------------------------------------------------------------------------------------

# pss_kib PID
pss_kib() {
	awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"
}

# memory: both programs, as JSON
memory() {
	local side
	for side in client server; do
		jq -n --arg side "$side" --argjson rss "$(memory_kib "${daemon[$side]}")" \
			--argjson pss "$(pss_kib "${daemon[$side]}")" \
			'{($side + "_rss_kib"): $rss, ($side + "_pss_kib"): $pss}'
	done | jq -cs add
}

# --- loads ---------------------------------------------------------------------------------------

# start_flows NAME [OPTION...] DIRECTION PORT: by the tunnel of the last reach, until stop_flows;
# returns when they are measured
start_flows() {
	local load=$1 port=${*: -1}
	shift
	set -- "${@:1:$#-1}"
	: >"$work/$load.log"
	spawn "$load" "$app" "$build/bench/flows" "${via[@]}" "$@" "$address" "$port"
	flows[$load]=$spawned
	await 60 logged_or_gone "$load" measuring "$spawned"
	! gone "$spawned" || bail "$load: $(cat "$work/$load.log")"
}
declare -A flows=()

logged_or_gone() {
	logged "$1" "$2" || gone "$3"
}

# stop_flows NAME...: each one's JSON is the last line of its log
stop_flows() {
	local load
	for load; do
		kill -TERM "${flows[$load]}"
	done
	for load; do
		ends_within 20 "${flows[$load]}" && [ "$status" = 0 ] || bail "$load: $(cat "$work/$load.log")"
	done
}

# --- results -------------------------------------------------------------------------------------

# record JSON NAME=TEXT...: one measurement
record() {
	local measured=$1
	shift
	jq -c '($ARGS.positional | map(capture("(?<key>[^=]*)=(?<value>.*)")) | from_entries) + .' \
		--args "$@" <<<"$measured" >>"$work/measurements" || bail "cannot record: $measured"
}

machine() {
	local cpu
	cpu=$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)
	jq -n --arg kernel "$(uname -r)" --arg cpu "$cpu" --argjson processors "$(nproc)" \
		--argjson load_before "$load_before" --argjson load_after "$(load)" \
		'{$kernel, $cpu, $processors, $load_before, $load_after}'
}

load() {
	cut -d' ' -f1 /proc/loadavg
}

load_before=$(load)

options_json() {
	local key
	for key in "${!option[@]}"; do
		jq -n --arg key "$key" --arg value "${option[$key]}" '{($key): $value}'
	done | jq -s 'add' | jq -c --arg client "${programs[client]}" --arg server "${programs[server]}" \
		'. + {"vpnr-client": $client, "vpnr-server": $server}'
}

# Columns as wide as their contents.
table() {
	jq -r '(.[0] | keys_unsorted), (.[] | map_values(. // "-" | tostring) | [.[]]) | @tsv' |
		awk -F '\t' '
		{
			for (i = 1; i <= NF; i++) {
				cell[NR, i] = $i
				if (length($i) > width[i])
					width[i] = length($i)
			}
		}
		END {
			for (row = 1; row <= NR; row++) {
				line = ""
				for (i = 1; i <= NF; i++)
					line = line sprintf("%-" width[i] "s  ", cell[row, i])
				sub(/ +$/, "", line)
				print line
			}
		}'
}

# said: what the programs that still run tell of themselves, as JSON
said() {
	local side
	for side in client server; do
		gone "${daemon[$side]:-}" || vpnrctl --socket "$work/$side.sock" status --json |
			jq --arg side "$side" '{($side): .}'
	done | jq -s add
}

# report FILTER [NAMES]: makes the rows of the result, flat objects, from all measurements
# (stats.jq); under the table stands what the programs say in fields of such names
report() {
	local rows
	rows=$(jq -s -L "$bench" --argjson option "$(options_json)" "include \"stats\"; $1" \
		"$work/measurements") || bail "no result"
	if [ $json = yes ]; then
		jq -n --arg name "$name" --argjson machine "$(machine)" --argjson options "$(options_json)" \
			--argjson rows "$rows" --argjson said "$(said)" --slurpfile measurements "$work/measurements" \
			'{benchmark: $name, $machine, $options, results: $rows, status: $said, $measurements}'
		return
	fi
	machine | jq -r '"\(.cpu), \(.processors) processors, Linux \(.kernel), " +
		"load \(.load_before) before"'
	table <<<"$rows"
	[ -z "${2:-}" ] || said | jq -r --arg names "$2" 'to_entries[] | .key as $side | .value |
		to_entries[] | select(.key | test($names)) | "\($side): \(.key) \(.value)"'
}

# --- the end -------------------------------------------------------------------------------------

# Peers start processes of their own; whatever is in our hosts is ours.
leave() {
	local host
	{
		for host in "$app" "$srv" "$web" "$router"; do
			# shellcheck disable=SC2046 # one id a word
			kill -KILL $(ip netns pids "$host")
		done
		wait # or the shell tells that they were killed
	} 2>/dev/null
	cleanup >&2
	ip netns delete "$router" 2>/dev/null
	[ -z "${leave_folder:-}" ] || rmdir "$leave_folder"
}
trap leave EXIT
