# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the scenario tests share; each sources this file first. A test reports in TAP, works in a
# folder of its own and leaves nothing behind: its processes, namespaces and files end with it.
#
#     app host                server host               web host
#     10.77.1.2   <------->   10.77.1.1
#                             10.77.2.1    <------->    10.77.2.2
#
# (the same in IPv6: fd00:77:1::2 and so on). The server host does not forward and the app host
# rejects what is not redirected, so whatever reaches the web host has gone through vpnr.
#
# Environment: VPNR_BUILDDIR is the build folder (the current one by default); VPNR_KEEP=1 keeps the
# test's folder; VPNR_NO_ASLR, from make check, starts the programs as ThreadSanitizer needs them.

set -u
export LC_ALL=C
umask 022

here=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
top=${here%/tests/net}
build=${VPNR_BUILDDIR:-$PWD}
work=$(mktemp -d "${TMPDIR:-/tmp}/vpnr-net.XXXXXX")
chmod 755 "$work"

app=vpnr-$$-app
srv=vpnr-$$-srv
web=vpnr-$$-web
# shellcheck disable=SC2034 # the tests use them
readonly WEB4=10.77.2.2 WEB6=fd00:77:2::2 SRV4=10.77.1.1 SRV6=fd00:77:1::1 top

start=()
[ -z "${VPNR_NO_ASLR:-}" ] || start=(setarch -R)
hosts=() # namespaces
declare -A daemon # process ids by name: server, client
status=

# shellcheck source=tap.sh
. "$here/tap.sh"

# --- processes -----------------------------------------------------------------------------------

gone() {
	! kill -0 "$1" 2>/dev/null
}

listens() {
	ip netns exec "$1" ss -ltnH "sport = :$2" | grep -q .
}

listens_udp() {
	ip netns exec "$1" ss -lunH "sport = :$2" | grep -q .
}

# logged NAME PATTERN: the log of a spawned program has a line with the pattern
logged() {
	grep -q -e "$2" "$work/$1.log"
}

# spawn NAME NAMESPACE COMMAND...: in the background, its output in $work/NAME.log; the process id
# in $spawned
spawn() {
	local log=$work/$1.log namespace=$2
	shift 2
	ip netns exec "$namespace" "$@" >>"$log" 2>&1 </dev/null &
	spawned=$!
}

# A command on the app host as an ordinary user: the rules redirect everybody but root.
user=(setpriv --reuid 65534 --regid 65534 --clear-groups env "HOME=$work/home")

as_user() {
	ip netns exec "$app" timeout "${VPNR_TEST_TIMEOUT:-120}" "${user[@]}" "$@"
}

as_root() {
	ip netns exec "$app" "$@"
}

spawn_as_user() {
	local name=$1
	shift
	spawn "$name" "$app" "${user[@]}" "$@"
}

# ends_within SECONDS PID: TRUE if the process that this test started has ended; $status is then
# its exit status
ends_within() {
	wait_for "$1" gone "$2" || return 1
	wait "$2"
	status=$?
}

# stop PID [SIGNAL]
stop() {
	kill "-${2:-TERM}" "$1" 2>/dev/null
	ends_within 20 "$1" || bail "process $1 does not end"
}

# fetch URL [CURL OPTION...]: the page on standard output
fetch() {
	as_user curl --silent --show-error --fail --max-time 60 "$@"
}

# same_file URL FILE [CURL OPTION...]: the URL has the file's bytes
same_file() {
	local url=$1 file=$2
	shift 2
	fetch "$url" "$@" | cmp - "$file"
}

# --- hosts ---------------------------------------------------------------------------------------

# needs_tools TOOL...: the test is skipped without them
needs_tools() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip_all "$tool is not installed"
	done
}

add_host() {
	ip netns add "$1" 2>"$work/netns.err" || skip_all "no network namespaces: $(cat "$work/netns.err")"
	hosts+=("$1")
	ip -n "$1" link set lo up
	# The tests with many connections need twice the usual source ports, and soon again: one that
	# waits for a minute after its connection costs the kernel a search for another.
	ip netns exec "$1" sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 \
		net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_max_tw_buckets=1024 || skip_all "namespaces cannot be set up"
}

# carries NAMESPACE INTERFACE: it is up, and the kernel has said so
carries() {
	ip -n "$1" link show "$2" | grep -q ' state UP '
}

# add_cable NAMESPACE SUBNET NAMESPACE: the first gets address 1, the second address 2. Then it stays
# as it is: the kernel gives it no address that has to be tried for two seconds, and has nothing left
# to say of it. A client that learns of a change replaces its link, which a test may have chosen to
# break just then.
add_cable() {
	# The kernel tells at once of an interface whose other end has another index.
	ip link add "c$2-$$" netns "$1" type veth peer name "c$2-$$" netns "$3" index "10$2"
	local namespace host=1
	for namespace in "$1" "$3"; do
		ip -n "$namespace" link set "c$2-$$" addrgenmode none
		ip -n "$namespace" address add "10.77.$2.$host/24" dev "c$2-$$"
		ip -n "$namespace" address add "fd00:77:$2::$host/64" dev "c$2-$$" nodad
		ip -n "$namespace" link set "c$2-$$" up
		host=2
	done
	await 20 carries "$1" "c$2-$$"
	await 20 carries "$3" "c$2-$$"
}

topology() {
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	needs_tools ip iptables ip6tables ss setpriv curl jq nginx
	local program
	for program in vpnr-client vpnr-server vpnrctl; do
		[ -x "$build/$program" ] || bail "$build/$program is missing: build it first"
	done
	add_host "$app"
	add_host "$srv"
	add_host "$web"
	add_cable "$srv" 1 "$app"
	add_cable "$srv" 2 "$web"
	ip -n "$app" route add default via 10.77.1.1
	ip -n "$app" -6 route add default via fd00:77:1::1
	local tables
	for tables in iptables ip6tables; do
		as_root $tables -t nat -nL >/dev/null || skip_all "$tables has no nat table"
	done
	as_root iptables -A OUTPUT -d 10.77.2.0/24 -p tcp -j REJECT --reject-with tcp-reset
	as_root ip6tables -A OUTPUT -d fd00:77:2::/64 -p tcp -j REJECT --reject-with tcp-reset
	mkdir -p "$work/home" "$work/www"
	chown 65534:65534 "$work/home"
	# The ordinary user may not be able to enter the folders of the build and of the source.
	mkdir -p "$work/bin"
	local helper
	for helper in probe peer garbage dns flow udp ipv4only; do
		install -m 755 "$build/tests/net/$helper" "$work/bin/"
	done
	if [ -n "${TSAN_OPTIONS:-}" ]; then
		install -m 644 "$top/tests/tsan.supp" "$work/"
		TSAN_OPTIONS+=" suppressions=$work/tsan.supp"
	fi
}

# The README's rule: every connection of every user but root.
redirect_all() {
	local tables
	for tables in iptables ip6tables; do
		as_root "$tables" -t nat -A OUTPUT -j REDIRECT -p tcp --to-port 4333 \
			-m owner ! --uid-owner root || bail "$tables does not redirect"
	done
}

start_web() {
	printf 'a small page\n' >"$work/www/small"
	sed "s|@work@|$work|g" "$here/nginx.conf.in" >"$work/nginx.conf"
	spawn nginx "$web" nginx -p "$work" -c "$work/nginx.conf" -e stderr
	await 20 listens "$web" 80
}

# start_peer MODE PORT: a server of the test's own on the web host, see peer.c
start_peer() {
	spawn "peer-$1" "$web" "$work/bin/peer" "$1" "$2"
	await 20 listens "$web" "$2"
}

# start_flow PORT: the far end of checked connections on the web host, see flow.c
start_flow() {
	spawn flow "$web" "$work/bin/flow" serve "$1"
	flow_pid=$spawned
	await 20 listens "$web" "$1"
}

# flow_agrees: one test, that the far end has seen nothing wrong either; it ends with it
flow_agrees() {
	stop "$flow_pid"
	check "nor have the destinations seen an error" logged flow '^served=[1-9][0-9]* errors=0$'
}

# random_file NAME SIZE: $work/www/NAME
random_file() {
	head -c "$2" /dev/urandom >"$work/www/$1"
}

# --- vpnr ----------------------------------------------------------------------------------------

vpnrctl() {
	"$build/vpnrctl" "$@"
}

# make_key NAME: $work/NAME.key and $work/NAME.pub
make_key() {
	(umask 077 && vpnrctl genkey >"$work/$1.key")
	vpnrctl pubkey <"$work/$1.key" >"$work/$1.pub"
}

# The configuration of a server with one client, alice, and of that client. Tests vary it with -o.
configure() {
	make_key server
	make_key client
	cat >"$work/server.conf" <<-END
		[server]
		listen = $SRV4:4334;[$SRV6]:4334
		private-key-file = server.key
		control-socket = server.sock

		[client alice]
		public-key = $(cat "$work/client.pub")
		allow = 0.0.0.0/0;::/0
	END
	cat >"$work/client.conf" <<-END
		[client]
		server = $SRV4:4334
		server-public-key = $(cat "$work/server.pub")
		private-key-file = client.key
		redirect = 127.0.0.1:4333;[::1]:4333
		socks = 127.0.0.1:1080
		control-socket = client.sock
	END
}

# start_server [OPTION...]. The server resolves names with the test's own resolv.conf where a test
# has made one.
start_server() {
	local enter=()
	[ -e "$work/resolv.conf" ] && enter=(sh -c "mount --bind '$work/resolv.conf' /etc/resolv.conf &&
		exec \"\$@\"" sh)
	spawn server "$srv" "${enter[@]}" "${start[@]}" "$build/vpnr-server" --config "$work/server.conf" "$@"
	daemon[server]=$spawned
	await 20 answers server
}

# start_client [OPTION...]
start_client() {
	spawn client "$app" "${start[@]}" "$build/vpnr-client" --config "$work/client.conf" "$@"
	daemon[client]=$spawned
	await 20 answers client
}

answers() {
	vpnrctl --socket "$work/$1.sock" status
}

connected() {
	is client .state connected
}

unconnected() {
	is client '.state != "connected"' true
}

# server_links N: so many of the server's sessions have a link
server_links() {
	is server '[.links[] | select(.link_age_s != null)] | length' "$1"
}

# The usual start of a scenario: hosts, a web server, both programs, everything redirected.
everything() {
	topology
	start_web
	configure
	start_server
	start_client
	await 20 connected
	redirect_all
}

# field PROGRAM FILTER: from vpnrctl status --json, by jq
field() {
	vpnrctl --socket "$work/$1.sock" status --json | jq -r "$2"
}

# is PROGRAM FILTER VALUE
is() {
	[ "$(field "$1" "$2")" = "$3" ]
}

# What a process holds.
fds() {
	local all=("/proc/$1/fd/"*)
	echo "${#all[@]}"
}

threads() {
	local all=("/proc/$1/task/"*)
	echo "${#all[@]}"
}

# waiting N: so many connections wait for the client's link
waiting() {
	is client .waiting "$1"
}

memory_kib() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}

# fds_at_most BOUND PID
fds_at_most() {
	[ "$(fds "$2")" -le "$1" ]
}

# --- the end -------------------------------------------------------------------------------------

# Ends the programs, which is a test of its own, and prints the plan.
finish() {
	local name
	for name in "${!daemon[@]}"; do
		kill -TERM "${daemon[$name]}" 2>/dev/null
		ends_within 20 "${daemon[$name]}" || status="none: it did not end"
		equal "vpnr-$name ends with status 0" 0 "$status"
	done
	check_not "no sanitizer has complained" sanitizer_complained
	echo "1..$count"
	[ "$failed" = 0 ]
	exit
}

sanitizer_complained() {
	grep -s -e 'ERROR: .*Sanitizer' -e 'WARNING: ThreadSanitizer' -e 'runtime error:' \
		"$work/client.log" "$work/server.log"
}

cleanup() {
	local pid log namespace
	# Only what this shell knows to run: the id of a process that has ended may be another's by now,
	# and soon is where tests have ten thousand threads.
	for pid in $(jobs -pr); do
		kill -KILL "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	for log in "$work"/*.log; do
		if [ "$failed" != 0 ] && [ -s "$log" ]; then
			echo "# --- the end of ${log##*/}"
			tail -n 40 "$log" | diag
		fi
	done
	for namespace in "${hosts[@]}"; do
		ip netns delete "$namespace" 2>/dev/null
	done
	[ -n "${VPNR_KEEP:-}" ] || rm -rf "$work"
}

trap cleanup EXIT
trap 'exit 1' INT TERM HUP
