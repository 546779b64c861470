# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Ways to break the link, and moments to do it at; sourced after lib.sh.
#
# Environment: VPNR_TEST_SEED chooses the moments; a test prints the one that it has used.

# The kinds for break_link. Between them each side learns of the end at once, or late, or only from
# the next link.
# shellcheck disable=SC2034 # the tests use them
readonly BREAKS=(kill-client kill-server reset-client reset-server lose-client lose-server)

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

# link_port: the client's port of the link
link_port() {
	as_root ss -tnH state established "dport = :4334" | awk '{ sub(/.*:/, "", $3); print $3; exit }'
}

# kill_socket NAMESPACE FILTER: the kernel ends the connection and sends the other end a reset
kill_socket() {
	ip netns exec "$1" ss -KtnH state established "$2"
}

# reset_sender NAMESPACE MATCH...: whoever next sends that host a packet of the link gets a reset
# for it, as from a firewall that has forgotten the connection
reset_sender() {
	local namespace=$1
	shift
	local rule=(INPUT -p tcp "$@" -j REJECT --reject-with tcp-reset)
	has_hit() {
		ip netns exec "$namespace" iptables -nvxL INPUT | awk '/REJECT/ { n += $1 } END { exit !n }'
	}
	ip netns exec "$namespace" iptables -A "${rule[@]}"
	await 20 has_hit
	ip netns exec "$namespace" iptables -D "${rule[@]}"
}

# drop -A|-D [PORT]: from now on everything between client and server is lost, or what belongs to
# the link with this port of the client; -D: no more
drop() {
	ip netns exec "$srv" iptables "$1" INPUT -p tcp --dport 4334 ${2:+--sport "$2"} -j DROP
	ip netns exec "$app" iptables "$1" INPUT -p tcp --sport 4334 ${2:+--dport "$2"} -j DROP
}

# break_link KIND: and waits until the client has the next link, and the server that one alone
break_link() {
	local reconnects port
	await 60 connected
	reconnects=$(field client .reconnects)
	port=$(link_port)
	case $1 in
	kill-client) kill_socket "$app" "sport = :$port" ;;
	kill-server) kill_socket "$srv" "dport = :$port" ;;
	reset-client) reset_sender "$srv" --dport 4334 --sport "$port" ;;
	reset-server) reset_sender "$app" --sport 4334 --dport "$port" ;;
	lose-client)
		drop -A "$port"
		kill_socket "$app" "sport = :$port"
		;;
	lose-server)
		drop -A "$port"
		kill_socket "$srv" "dport = :$port"
		drop -D "$port"
		;;
	*) bail "there is no break \"$1\"" ;;
	esac >/dev/null
	await 60 more_than client .reconnects "$reconnects"
	await 60 is server '.links | length' 1
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
	ip -n "$app" route replace default via 10.77.1.1 src 10.77.5.1
}

# give_applications_an_address: one that stays when the cable's address changes, as behind a router.
# A connection whose own address is gone is lost, whoever carries it.
give_applications_an_address() {
	ip -n "$app" address add 10.77.5.1/32 dev lo
	restore_routes
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
