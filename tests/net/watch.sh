# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Watches the app host's outer interface: whatever is seen there and is not the link to the server
# has leaked. To be sourced behind lib.sh.

# What a network needs itself is no leak: ARP, and ICMPv6 for neighbours, routers and their
# multicast groups.
not_ours="not arp and not (tcp port 4334) and not (icmp6 and ip6[40] >= 130 and ip6[40] <= 143)
	and not (ip6 proto 0)"

# start_watch: from now on, into $work/watch.log. (MLD reports are the IPv6 packets with a header of
# options.)
start_watch() {
	needs_tools tcpdump
	# Quick output: by its port tcpdump would take a packet for more than it is.
	spawn watch "$app" tcpdump -n -q -l -p --immediate-mode -Z root -i "c1-$$" "$not_ours"
	await 20 logged watch 'listening on'
	marks=0
}

seen_mark() {
	grep -q "10\.77\.1\.2\.9: UDP, length $marks$" "$work/watch.log"
}

# Everything that was on the wire before this returns is in the log: behind it comes a packet of the
# server host's own, whose length tells it from those before.
settle() {
	marks=$((marks + 1))
	ip netns exec "$srv" bash -c "head -c $marks /dev/zero >/dev/udp/10.77.1.2/9"
	await 20 seen_mark
}

# leaks: prints what had leaked when it settled last
leaks() {
	grep -e ' IP6\? ' "$work/watch.log" | grep -v -e '10\.77\.1\.2\.9: UDP' -e 'udp port 9 unreachable'
}

# answered DESTINATION: a flow to it has had an answer
answered() {
	vpnrctl --socket "$work/client.sock" connections --json |
		jq -e --arg dest "$1" \
			'any(.connections[]; .destination == $dest and .datagrams_received > 0)'
}

# asks_in_vain COMMAND...: by this command, sends datagrams to port 8 of the web host, by IPv4 and
# IPv6, from sockets that are closed when the answers come
asks_in_vain() {
	if ! listens_udp "$web" 8; then
		spawn echo-8 "$web" "$work/bin/udp" echo 8
		await 20 listens_udp "$web" 8
	fi
	"$@" bash -c "echo >/dev/udp/$WEB4/8; echo >/dev/udp/$WEB6/8"
	wait_for 20 answered "$WEB4:8" && wait_for 20 answered "[$WEB6]:8"
}

# is_bound: what is bound to the outer interface gets no connection. (Nobody tells it: it would not
# take what comes by lo.)
is_bound() {
	! as_root curl -sf --max-time 1 --interface "c1-$$" -o /dev/null "http://$WEB4/small" &&
		! as_root curl -sf --max-time 1 --interface "c1-$$" -o /dev/null "http://[$WEB6]/small"
}

# no_leak WHEN: one test; what has leaked is shown once
no_leak() {
	local found
	settle
	found=$(leaks)
	equal "nothing has leaked: $1" "" "$found"
	: >"$work/watch.log"
}

# is_served: clients from outside reach a service of the app host, by IPv4 and IPv6
is_served() {
	if ! listens "$app" 2222; then
		spawn service "$app" "$work/bin/peer" hold 2222
		await 20 listens "$app" 2222
	fi
	ip netns exec "$srv" timeout 20 bash -c \
		"echo >/dev/tcp/10.77.1.2/2222 && echo >/dev/tcp/fd00:77:1::2/2222"
}

# not_shadowed WHEN: three tests. Somebody outside sends a datagram in the name of a name server to a
# port of which that one is asked then: the question is not an answer to it. Those that have
# something to ask are answered.
not_shadowed() {
	local before
	check "a service of this host is reached: $1" is_served
	ip -n "$srv" address add 192.0.2.53/32 dev lo
	ip netns exec "$srv" bash -c "echo | timeout 5 nc -u -w 1 -s 192.0.2.53 -p 53 10.77.1.2 40000"
	settle
	: >"$work/watch.log"
	before=$(field client .counters.streams_total)
	as_root bash -c "echo | timeout 5 nc -u -w 1 -p 40000 192.0.2.53 53"
	check "a question behind a forged answer is captured: $1" \
		[ "$(field client .counters.streams_total)" -gt "$before" ]
	no_leak "such a question, $1"
	ip -n "$srv" address del 192.0.2.53/32 dev lo
}
