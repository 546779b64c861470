# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The peers of bench/peers: tunnels of other programs, as Debian packages them, each with its own
# configuration in $work and its own processes. Their services are not touched.
#
#     direct        none: the server host forwards
#     vpnr          redirect, as it is by default
#     links4        the same with links = 4, by a client of its own to the same server
#     haproxy       a pair, TCP mode, TLS 1.3 with AES-128-GCM between them
#     haproxy-nat   another, to which connections are redirected
#     stunnel       a pair, the same TLS
#     ssh           ssh -D with aes128-gcm, behind redsocks
#     sshuttle      by ssh to the same sshd
#     ss-aes        ss-redir and ss-server of shadowsocks-libev, aes-128-gcm
#     ss-chacha     the same, chacha20-ietf-poly1305
#     openvpn       over UDP, TLS, AES-128-GCM, without the kernel module unless that is loaded
#
# An application connects as it would: where the peer captures connections, to an address of the web
# host, one for each peer, and where it forwards a port, to that port on its own host (port 7 by
# haproxy is 127.0.0.1:10007).
#
# Sourced after tunnels.sh, of which it takes ssh and sshuttle.

# Addresses of the web host that only a peer leads to.
readonly CAPTURED=10.77.2.8/29

known=(vpnr links4 haproxy haproxy-nat stunnel ssh sshuttle ss-aes ss-chacha openvpn direct)
proxy=()
captured=([haproxy-nat]=10.77.2.8 [links4]=10.77.2.9 [sshuttle]=10.77.2.10 [vpnr]=10.77.2.11
	[ssh]=10.77.2.12 [ss-aes]=10.77.2.13 [ss-chacha]=10.77.2.14 [openvpn]=10.77.2.15)
declare -A forwards=([haproxy]=10000 [stunnel]=20000) # what is added to a port
readonly PORTS="7 9 19 20" # of targets
ssh_cipher=aes128-gcm@openssh.com # as the others
PATH=$PATH:/usr/sbin:/sbin

# to PEER PORT: how an application reaches a port of the web host, in $address and $port
to() {
	reach "$1"
	port=$2
	[ -n "${forwards[$1]:-}" ] || return 0
	address=127.0.0.1
	port=$((port + forwards[$1]))
}

# stop_peer PEER
stop_peer() {
	local pid
	for pid in ${near[$1]:-} ${far[$1]:-}; do
		kill -TERM "$pid" 2>/dev/null
	done
	for pid in ${near[$1]:-} ${far[$1]:-}; do
		ends_within 20 "$pid"
	done
	near[$1]="" far[$1]=""
	release "$1"
}

# ways_in: addresses of the web host for the peers; what a peer should capture and does not is
# refused. Connections are tracked where they are redirected, which costs who only forwards a port
# nothing: theirs are exempt, and those without a tunnel.
ways_in() {
	local peer rule
	for peer in "${!captured[@]}"; do
		ip -n "$web" address add "${captured[$peer]}/24" dev "c2-$$"
	done
	as_root iptables -A OUTPUT -d $CAPTURED -p tcp ! -o bench -j REJECT --reject-with tcp-reset
	for rule in "OUTPUT -s 127.0.0.1 -d 127.0.0.1" "OUTPUT -d $WEB4" "PREROUTING -s $WEB4" \
		"OUTPUT -d $SRV4 -p tcp --dport 10000:20100" "PREROUTING -s $SRV4 -p tcp --sport 10000:20100"; do
		# shellcheck disable=SC2086 # a rule is words
		as_root iptables -t raw -A $rule -j NOTRACK || {
			say "all connections are tracked, since there is no raw table"
			break
		}
	done
}

# congestion NAME: what sockets have that are made from now on
congestion() {
	local host
	[ "$1" != machine ] || return 0
	for host in "$app" "$srv" "$web"; do
		ip netns exec "$host" sysctl -qw net.ipv4.tcp_congestion_control="$1" 2>/dev/null ||
			bail "no congestion control \"$1\" for network namespaces here"
	done
}

# take PEER PORT [FROM]: what goes to the peer's address, or to port FROM there, goes to this port of
# the app host
take() {
	as_root iptables -t nat -A OUTPUT -d "${captured[$1]}" -p tcp ${3:+--dport "$3"} -j REDIRECT \
		--to-port "$2"
}

release() {
	[ -n "${captured[$1]:-}" ] || return 0
	as_root iptables -t nat -S OUTPUT | grep -e "-d ${captured[$1]}/32 .*REDIRECT" | sed 's/^-A/-D/' |
		while read -ra rule; do
			as_root iptables -t nat "${rule[@]}"
		done
}

start_vpnr_peer() {
	start_vpnr || return 1
	near[vpnr]=${daemon[client]} far[vpnr]=${daemon[server]}
	take vpnr 4333
}

start_links4() {
	need_server
	local options
	read -ra options <<<"${programs[client]} -o client.links=4"
	sed -e 's/^redirect .*/redirect = 127.0.0.1:4343/' -e '/^socks /d' \
		-e 's/client.sock/links4.sock/' "$work/client.conf" >"$work/links4.conf"
	if ! "$build/vpnr-client" --config "$work/links4.conf" "${options[@]}" --check \
		>"$work/check.log" 2>&1; then
		say "$(tail -n 1 "$work/check.log")"
		return 1
	fi
	spawn links4 "$app" "$build/vpnr-client" --config "$work/links4.conf" "${options[@]}"
	near[links4]=$spawned far[links4]=${daemon[server]}
	wait_for 20 is links4 .state connected && take links4 4343
}

# serves NAMESPACE PORT: what was spawned last does; fails as soon as it has ended
serves() {
	wait_for 20 listens_or_gone "$1" "$2" "$spawned" && ! gone "$spawned"
}

listens_or_gone() {
	listens "$1" "$2" || gone "$3"
}

# A key and a certificate for whoever wants some: an elliptic curve, as today's are.
certificate() {
	[ -e "$work/pair.pem" ] && return 0
	has openssl || return 1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=bench \
		-keyout "$work/pair.key" -out "$work/pair.crt" 2>"$work/openssl.log" || return 1
	cat "$work/pair.crt" "$work/pair.key" >"$work/pair.pem"
	chmod 644 "$work"/pair.*
}

# haproxy_pair PEER ADDED: ADDED to the port of a target is the port of both
haproxy_pair() {
	has haproxy && certificate || return 1
	local port side tls="ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256"
	for side in near far; do
		cat >"$work/$1-$side.cfg" <<-END
			defaults
			    mode tcp
			    timeout connect 10s
			    timeout client 1h
			    timeout server 1h
		END
	done
	for port in $PORTS; do
		cat >>"$work/$1-near.cfg" <<-END
			listen p$port
			    bind 127.0.0.1:$((port + $2))
			    server far $SRV4:$((port + $2)) ssl verify required ca-file $work/pair.crt $tls
		END
		cat >>"$work/$1-far.cfg" <<-END
			listen p$port
			    bind $SRV4:$((port + $2)) ssl crt $work/pair.pem $tls
			    server web $WEB4:$port
		END
	done
	spawn "$1-far" "$srv" haproxy -db -f "$work/$1-far.cfg"
	far[$1]=$spawned
	spawn "$1-near" "$app" haproxy -db -f "$work/$1-near.cfg"
	near[$1]=$spawned
	serves "$srv" $((7 + $2)) && serves "$app" $((7 + $2))
}

start_haproxy_nat() {
	local port added=12000
	haproxy_pair haproxy-nat $added || return 1
	for port in $PORTS; do
		take haproxy-nat $((port + added)) "$port"
	done
}

start_stunnel() {
	has stunnel && certificate || return 1
	local port side
	for side in near far; do
		cat >"$work/stunnel-$side.conf" <<-END
			foreground = yes
			syslog = no
			debug = warning
			pid =
			sslVersion = TLSv1.3
			ciphersuites = TLS_AES_128_GCM_SHA256
			socket = l:TCP_NODELAY=1
			socket = r:TCP_NODELAY=1
		END
	done
	for port in $PORTS; do
		cat >>"$work/stunnel-near.conf" <<-END
			[p$port]
			client = yes
			accept = 127.0.0.1:$((port + 20000))
			connect = $SRV4:$((port + 20000))
			CAfile = $work/pair.crt
			verifyPeer = yes
		END
		cat >>"$work/stunnel-far.conf" <<-END
			[p$port]
			accept = $SRV4:$((port + 20000))
			connect = $WEB4:$port
			cert = $work/pair.pem
		END
	done
	spawn stunnel-far "$srv" stunnel "$work/stunnel-far.conf"
	far[stunnel]=$spawned
	spawn stunnel-near "$app" stunnel "$work/stunnel-near.conf"
	near[stunnel]=$spawned
	serves "$srv" 20007 && serves "$app" 20007
}

start_redsocks_ssh() {
	has redsocks && start_ssh || return 1
	cat >"$work/redsocks.conf" <<-END
		base { log_debug = off; log_info = off; log = "file:$work/redsocks.log"; daemon = off;
			redirector = iptables; rlimit_nofile = 20000; redsocks_conn_max = 9000; }
		redsocks { local_ip = 127.0.0.1; local_port = 12345; ip = 127.0.0.1; port = 1081;
			type = socks5; }
	END
	spawn redsocks "$app" redsocks -c "$work/redsocks.conf"
	near[ssh]+=" $spawned"
	serves "$app" 12345 && take ssh 12345
}

# start_shadowsocks PEER METHOD PORT
start_shadowsocks() {
	has ss-redir ss-server || return 1
	local common=(-s "$SRV4" -p "$3" -k benchmark -m "$2" -t 3600 -n 20000)
	spawn "$1-far" "$srv" ss-server "${common[@]}"
	far[$1]=$spawned
	spawn "$1-near" "$app" ss-redir "${common[@]}" -b 127.0.0.1 -l "$3"
	near[$1]=$spawned
	serves "$srv" "$3" && serves "$app" "$3" && take "$1" "$3"
}

start_openvpn() {
	has openvpn && certificate || return 1
	if [ ! -e /dev/net/tun ]; then
		say "there is no /dev/net/tun"
		return 1
	fi
	: >"$work/openvpn-near.log"
	local print
	print=$(openssl x509 -in "$work/pair.crt" -noout -fingerprint -sha256 | cut -d= -f2)
	local common=(--dev-type tun --proto udp --port 1194 --cert "$work/pair.crt" --dh none
		--key "$work/pair.key" --peer-fingerprint "$print" --data-ciphers AES-128-GCM --verb 1)
	spawn openvpn-far "$srv" openvpn "${common[@]}" --dev bench --tls-server --local "$SRV4" \
		--ifconfig 10.77.8.1 10.77.8.2
	far[openvpn]=$spawned
	spawn openvpn-near "$app" openvpn "${common[@]}" --dev bench --tls-client --remote "$SRV4" \
		--ifconfig 10.77.8.2 10.77.8.1 --route "${captured[openvpn]}" 255.255.255.255
	near[openvpn]=$spawned
	wait_for 20 logged openvpn-near "Initialization Sequence Completed"
}

# begin_peer PEER
begin_peer() {
	case $1 in
	vpnr) start_vpnr_peer ;;
	haproxy) haproxy_pair haproxy "${forwards[haproxy]}" ;;
	haproxy-nat) start_haproxy_nat ;;
	ssh) start_redsocks_ssh ;;
	ss-aes) start_shadowsocks ss-aes aes-128-gcm 8388 ;;
	ss-chacha) start_shadowsocks ss-chacha chacha20-ietf-poly1305 8389 ;;
	*) "start_$1" ;;
	esac
}

# start_peers PEER...: those that are installed and start; then in $tunnels
start_peers() {
	local peer
	tunnels=()
	for peer; do
		if begin_peer "$peer"; then
			tunnels+=("$peer")
		else
			say "goes on without $peer"
		fi
	done
}

stop_peers() {
	local peer
	for peer in "${tunnels[@]}"; do
		stop_peer "$peer"
	done
}
