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

# more_tcp_memory TIMES: so much of it for all sockets of the machine, until usual_tcp_memory or the end.
# No namespace has its own.
more_tcp_memory() {
	tcp_memory=$(cat /proc/sys/net/ipv4/tcp_mem)
	awk -v times="$1" '{ print times * $1, times * $2, times * $3 }' <<<"$tcp_memory" \
		>/proc/sys/net/ipv4/tcp_mem && return
	tcp_memory=
	say "goes on with the TCP memory there is: net.ipv4.tcp_mem cannot be changed"
}

usual_tcp_memory() {
	[ -z "${tcp_memory:-}" ] || echo "$tcp_memory" >/proc/sys/net/ipv4/tcp_mem
	tcp_memory=
}

# way GATEWAY OF_SERVER: from now on app host and server host reach each other by these
way() {
	ip -n "$app" route replace default via "$1" src 10.77.3.2
	ip -n "$srv" route replace 10.77.3.0/24 via "$2"
}

# limit_link MBIT BUFFER_MS: both directions. On the router, since a host's own TCP sees to it that
# its own queues stay short; what comes from elsewhere fills them.
limit_link() {
	local cable
	for cable in 3 4; do
		tc -n "$router" qdisc replace dev "c$cable-$$" root tbf rate "$1mbit" burst 32k \
			limit $(($1 * 125 * $2)) || skip_all "the kernel has no token bucket (tc tbf)"
	done
}

forwarded() {
	local host
	for host in "$router" "$srv"; do
		ip -n "$host" -s -j link
	done | jq -s '[.[][].stats64.tx.bytes] | add'
}

# What a load has left in the buffers is gone.
quiet() {
	local before
	before=$(forwarded)
	sleep 0.5
	[ $(($(forwarded) - before)) -lt 20000 ]
}

# start_target MODE PORT [MBIT]
start_target() {
	spawn "target-$1" "$web" "$build/bench/target" "$@"
	await 20 listens "$web" "$2"
}

# --- vpnr ----------------------------------------------------------------------------------------

# start_vpnr [CLIENT OPTION...]: the client, and the server if it does not run yet
start_vpnr() {
	local client
	read -ra client <<<"${programs[client]}"
	need_server
	start_client "${client[@]}" "$@"
	await 20 connected
}

need_server() {
	local server
	read -ra server <<<"${programs[server]}"
	[ -e "$work/server.conf" ] || configure
	! gone "${daemon[server]:-}" || start_server "${server[@]}"
}

# By its SOCKS5 proxy: the options of flows and request, and the address to give them.
via=(-x 127.0.0.1:1080)
address=$WEB4

# --- memory --------------------------------------------------------------------------------------

# pss_kib PID
pss_kib() {
	awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"
}

# possible STREAMS: as many of them as there can be, in $streams; each has two descriptors at each
# end, and 64 are for the rest of a program
possible() {
	local descriptors=$((2 * $1 + 64)) limit
	limit=$(ulimit -Hn)
	streams=$1
	[ "$limit" != unlimited ] && [ "$limit" -lt $descriptors ] || return 0
	ulimit -n $descriptors 2>/dev/null && return 0
	streams=$(((limit - 64) / 2))
	say "$streams streams, not $1: a process may have no more than $limit descriptors here"
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

# start_load NAME WORD COMMAND...: on the app host, until end_load; returns when it has printed the
# word, and fails if it ends before
start_load() {
	local load=$1 word=$2
	shift 2
	: >"$work/$load.log"
	spawn "$load" "$app" "$@"
	loads[$load]=$spawned
	wait_for 60 logged_or_gone "$load" "$word" "$spawned" && ! gone "$spawned"
}
declare -A loads=()

logged_or_gone() {
	logged "$1" "$2" || gone "$3"
}

# end_load NAME: fails if it did not end well; its JSON is the last line of its log
end_load() {
	kill -TERM "${loads[$1]}" 2>/dev/null
	ends_within 20 "${loads[$1]}" && [ "$status" = 0 ]
}

# start_flows NAME [OPTION...] DIRECTION PORT: by the tunnel of the last reach, until stop_flows;
# returns when they are measured
start_flows() {
	local load=$1 port=${*: -1}
	shift
	start_load "$load" measuring "$build/bench/flows" "${via[@]}" "${@:1:$#-1}" "$address" "$port" ||
		bail "$load: $(cat "$work/$load.log")"
}

# stop_flows NAME...: all at once
stop_flows() {
	local load
	for load; do
		kill -TERM "${loads[$load]}"
	done
	for load; do
		end_load "$load" || bail "$load: $(cat "$work/$load.log")"
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
		--arg congestion "$(cat /proc/sys/net/ipv4/tcp_congestion_control)" \
		--argjson load_before "$load_before" --argjson load_after "$(load)" \
		'{$kernel, $cpu, $processors, $congestion, $load_before, $load_after}'
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

# Columns as wide as their contents; those of the row that has most.
table() {
	jq -r '(max_by(length) // {"-": 0} | keys_unsorted) as $keys |
		$keys, (.[] | [.[$keys[]] | if . == null then "-" else tostring end]) | @tsv' |
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

# rows_by FILTER: the rows of the result, flat objects, made by it from all measurements (stats.jq)
rows_by() {
	jq -s -L "$bench" --argjson option "$(options_json)" "include \"stats\"; $1" \
		"$work/measurements" || bail "no result"
}

print_machine() {
	machine | jq -r '"\(.cpu), \(.processors) processors, Linux \(.kernel), " +
		"load \(.load_before) before"'
}

# print_json ROWS: the whole result
print_json() {
	jq -n --arg name "$name" --argjson machine "$(machine)" --argjson options "$(options_json)" \
		--argjson rows "$1" --argjson said "$(said)" --slurpfile measurements "$work/measurements" \
		'{benchmark: $name, $machine, $options, results: $rows, status: $said, $measurements}'
}

# report FILTER [NAMES]: the rows made by the filter; under the table stands what the programs say
# in fields of such names
report() {
	local rows
	rows=$(rows_by "$1") || exit
	if [ $json = yes ]; then
		print_json "$rows"
		return
	fi
	print_machine
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
	usual_tcp_memory
	ip netns delete "$router" 2>/dev/null
	[ -z "${leave_folder:-}" ] || rmdir "$leave_folder"
}
trap leave EXIT
