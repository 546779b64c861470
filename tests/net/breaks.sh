# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Ways to break the link, moments to do it at, and applications that must not notice; sourced after
# lib.sh.
#
# Environment: VPNR_TEST_SEED chooses the moments; a test prints the one that it has used.

# The kinds for break_link. Between them each side learns of the end at once, or late, or only from
# the next link, and the next link itself does not live long.
# shellcheck disable=SC2034 # the tests use them
readonly BREAKS=(kill-client kill-server reset-client reset-server lose-client lose-server kill-resumes)

# seed_moments: before any other use of random_below
seed_moments() {
	RANDOM=${VPNR_TEST_SEED:=$SRANDOM}
	echo "VPNR_TEST_SEED=$VPNR_TEST_SEED repeats these moments" | diag
}

# random_below BOUND: in $REPLY; on standard output it would be the same number every time, since
# RANDOM does not move on in a subshell
random_below() {
	REPLY=$(((RANDOM * 32768 + RANDOM) % $1))
}

# limit_rate RATE: of the cable between client and server, each way, as tc has it. So there is
# always something in flight when a link breaks, and a transfer lasts as long as it should.
limit_rate() {
	local namespace
	for namespace in "$app" "$srv"; do
		ip netns exec "$namespace" tc qdisc replace dev "c1-$$" root \
			tbf rate "$1" burst 128k latency 50ms || skip_all "tc cannot limit a rate"
	done
}

# --- applications --------------------------------------------------------------------------------

# start_load SIZE CONNECTIONS: files of that size go down by redirection and up by the SOCKS proxy,
# one after the other, and so many connections talk, until end_load
start_load() {
	start_flow 7
	spawn_as_user get "$work/bin/flow" get -r -s 1 $WEB4 7 "$1"
	load[get]=$spawned
	spawn put "$app" "$work/bin/flow" put -r -s 2 -x 1080 $WEB4 7 "$1"
	load[put]=$spawned
	spawn_as_user talk "$work/bin/flow" echo -n "$2" -s 1000 $WEB4 7
	load[talk]=$spawned
}
declare -A load

# end_load: what has begun is completed; nobody has seen an error, and no stream began anew
end_load() {
	local name streams=0
	kill -TERM "${load[@]}"
	for name in get put talk; do
		check "$name: it ends" wait_for 600 gone "${load[$name]}"
		check "$name: no error" logged "$name" '^connections=.* errors=0$'
		sed -n "s/^connections=/$name: connections=/p" "$work/$name.log" | diag
		streams=$((streams + $(sed -n 's/^connections=\([0-9]*\).*/\1/p' "$work/$name.log")))
	done
	flow_agrees
	equal "each connection was one stream" "$streams" "$(field client .streams_total)"
	check "none is left on the client" wait_for 20 is client .streams 0
	check "none is left on the server" wait_for 20 is server .streams 0
}

# --- events --------------------------------------------------------------------------------------

# more_than PROGRAM FIELD VALUE
more_than() {
	local now
	now=$(field "$1" "$2") && [ "$now" -gt "$3" ]
}

# await_bytes N: until the client's applications have received N bytes more
await_bytes() {
	await 30 more_than client .bytes_received $(($(field client .bytes_received) + $1))
}

# pass SECONDS: for what is itself about time
pass() {
	read -rt "$1" <> <(:)
}

# --- breaks --------------------------------------------------------------------------------------

# links_at HOST [PORT]: the filter for the sockets of links in ss, or of the one with this port of
# the client. An application may have the same port.
links_at() {
	if [ "$1" = "$srv" ]; then
		echo "sport = :4334 ${2:+and dport = :$2}"
	else
		echo "dport = :4334 ${2:+and sport = :$2}"
	fi
}

# links N HOST [PORT]: so many are open
links() {
	local n=$1
	shift
	[ "$(ip netns exec "$1" ss -tnH state established "$(links_at "$@")" | wc -l)" = "$n" ]
}

# link_port: the client's port of the link
link_port() {
	as_root ss -tnH state established "$(links_at "$app")" |
		awk '{ sub(/.*:/, "", $3); print $3; exit }'
}

# kill_link HOST [PORT]: the kernel ends the connection and sends the other end a reset
kill_link() {
	ip netns exec "$1" ss -KtnH state established "$(links_at "$@")" >/dev/null
}

# has_sent N: the client has sent so many bytes on a link
has_sent() {
	as_root ss -tniH state established "$(links_at "$app")" |
		awk -v n="$1" 'match($0, /bytes_sent:[0-9]+/) {
			found = found || substr($0, RSTART + 11, RLENGTH - 11) + 0 >= n
		}
		END { exit !found }'
}

# kill_resumes: the link is killed, and three times the next one, somewhere between its handshake
# and its first 100,000 bytes, in which the programs say what they have, and send what is missing
kill_resumes() {
	local i
	for i in 0 1 2 3; do
		kill_link "$app"
		[ $i = 3 ] && return
		random_below 100000
		await 60 has_sent "$REPLY"
	done
}

# forge_reset HOST PORT: whatever comes to the host on this link is answered by a reset, as if by a
# firewall that has forgotten the connection, until the other host has no link: it ignores a reset
# whose sequence number is not the next one
forge_reset() {
	local rule=(INPUT -p tcp --dport 4334 --sport "$2") other=$app
	if [ "$1" = "$app" ]; then
		rule=(INPUT -p tcp --sport 4334 --dport "$2")
		other=$srv
	fi
	rule+=(-j REJECT --reject-with tcp-reset)
	ip netns exec "$1" iptables -A "${rule[@]}"
	await 20 links 0 "$other" "$2"
	ip netns exec "$1" iptables -D "${rule[@]}"
}

# drop -A|-D [PORT]: from now on everything between client and server is lost, or what belongs to
# the link with this port of the client; -D: no more
drop() {
	ip netns exec "$srv" iptables "$1" INPUT -p tcp --dport 4334 ${2:+--sport "$2"} -j DROP
	ip netns exec "$app" iptables "$1" INPUT -p tcp --sport 4334 ${2:+--dport "$2"} -j DROP
}

# break_link KIND: and waits until the client has the next link, and the server that one alone
break_link() {
	local reconnects port began
	await 60 connected
	reconnects=$(field client .reconnects)
	port=$(link_port)
	began=${EPOCHREALTIME/./}
	case $1 in
	kill-client) kill_link "$app" "$port" ;;
	kill-server) kill_link "$srv" "$port" ;;
	reset-client) forge_reset "$srv" "$port" ;;
	reset-server) forge_reset "$app" "$port" ;;
	lose-client)
		drop -A "$port"
		kill_link "$app" "$port"
		;;
	lose-server)
		drop -A "$port"
		kill_link "$srv" "$port"
		drop -D "$port"
		;;
	kill-resumes) kill_resumes ;;
	*) bail "there is no break \"$1\"" ;;
	esac
	await 60 more_than client .reconnects "$reconnects"
	echo "$1: $(((${EPOCHREALTIME/./} - began) / 1000)) ms to the next link" | diag
	await 60 links 1 "$srv"
	[ "$1" != lose-client ] || drop -D "$port"
}

# black_hole SECONDS: nothing gets through, and nobody is told
black_hole() {
	drop -A
	pass "$1"
	drop -D
}

# restore_routes: those that an interface loses with its last address, or when it goes down
restore_routes() {
	ip -n "$app" route replace default via 10.77.1.1
}

# give_applications_an_address: one that stays when the cable's address changes, and a way out that
# stays with it, as behind a router. A connection whose own address is gone is lost, whoever carries
# it; and one that begins while there is no route is refused by the kernel before it is redirected.
give_applications_an_address() {
	ip -n "$app" address add 10.77.5.1/32 dev lo
	ip -n "$app" route add default dev lo src 10.77.5.1 table 77
	ip -n "$app" rule add uidrange 65534-65534 table 77
}

# move_client ADDRESS: the app host has this address on the cable, in place of the one it had
move_client() {
	ip -n "$app" -4 address flush dev "c1-$$"
	ip -n "$app" address add "$1/24" dev "c1-$$"
	restore_routes
}

# bounce_cable: the app host's interface goes down and up again
bounce_cable() {
	ip -n "$app" link set "c1-$$" down
	ip -n "$app" link set "c1-$$" up
	restore_routes
}
