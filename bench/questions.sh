# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The questions of bench/peers, ask_QUESTION each: measures every peer in $tunnels in turn, as often
# as --repeat says, and records it. docs/performance.md says what they mean. A peer that fails at
# one gets a record that says so and a new start.
#
# $repetition of $repetitions is the caller's. Sourced after peers.sh.

declare -A ports=([down]=19 [up]=9) # of the targets

short_way() {
	way 10.77.5.1 10.77.5.2
}

# limited_way MBIT: by the router, which has a buffer of 50 ms
limited_way() {
	way 10.77.3.1 10.77.4.2
	limit_link "$1" 50
}

# note QUESTION PEER LABEL...: what is measured now
note() {
	say "$1: ${*:2}, $repetition of $repetitions"
}

# failed QUESTION PEER LOG LABEL...
failed() {
	local question=$1 peer=$2 log=$3
	shift 3
	say "$question: $peer has failed: $(tail -n 1 "$work/$log.log")"
	record '{"broken": true}' question="$question" peer="$peer" "$@"
	again "$peer"
}

# again PEER: anew; without it from now on if it does not start
again() {
	local peer left=()
	stop_peer "$1"
	begin_peer "$1" && return
	say "goes on without $1"
	for peer in "${tunnels[@]}"; do
		[ "$peer" = "$1" ] || left+=("$peer")
	done
	tunnels=("${left[@]}")
}

# in_turn COMMAND... PEER: for each peer
in_turn() {
	local peer
	for peer in "${tunnels[@]}"; do
		"$@" "$peer"
		wait_for 20 quiet
	done
}

# short QUESTION LABEL PROGRAM... PEER: a program of bench/ that ends by itself
short() {
	local question=$1 label=$2 peer=${*: -1} address port before
	shift 2
	note "$question" "$peer" "$label"
	to "$peer" 7
	before=$(cpu_seconds "$peer")
	if as_root timeout 60 "$build/bench/"${@:1:$#-1} "$address" "$port" >"$work/short.log" 2>&1; then
		record "$(tail -n 1 "$work/short.log")" question="$question" peer="$peer" "$label" \
			before="$before" after="$(cpu_seconds "$peer")"
	else
		failed "$question" "$peer" short "$label"
	fi
}

# resent: packets that TCP has sent again, in all hosts
resent() {
	local host
	for host in "$app" "$srv" "$web"; do
		ip netns exec "$host" cat /proc/net/snmp
	done | awk '$1 == "Tcp:" && $13 + 0 == $13 { packets += $13 } END { print packets }'
}

# transfer QUESTION DIRECTION FLOWS LABEL PEER: processor time is read just before the transfer is
# told to begin and to end, so that both are for the same time
transfer() {
	local question=$1 direction=$2 flows=$3 label=$4 peer=$5 address port before after packets
	note "$question" "$peer" "$direction" "$flows" "$label"
	to "$peer" "${ports[$direction]}"
	if start_load load '^open$' "$build/bench/flows" -g -n "$flows" "$direction" "$address" "$port" &&
		sleep "${warmup:-0.5}" && packets=$(resent) &&
		before=$(cpu_seconds "$peer") && kill -USR1 "${loads[load]}" 2>/dev/null &&
		sleep "${option[seconds]}" && packets=$(($(resent) - packets)) &&
		after=$(cpu_seconds "$peer") && end_load load; then
		record "$(tail -n 1 "$work/load.log")" question="$question" peer="$peer" "$label" \
			before="$before" after="$after" resent="$packets"
	else
		kill -KILL "${loads[load]}" 2>/dev/null
		failed "$question" "$peer" load direction="$direction" flows="$flows" "$label"
	fi
}

ask_bulk() {
	local direction flows
	for repetition in $(seq "$repetitions"); do
		for direction in down up; do
			for flows in 1 8; do
				in_turn transfer bulk "$direction" "$flows" way=short
			done
		done
	done
}

ask_requests() {
	local at_once
	for repetition in $(seq "$repetitions"); do
		for at_once in 1 32; do
			in_turn short requests at_once="$at_once" request -i 0 -c "$at_once" -w 0.3 \
				-t "${option[seconds]}"
		done
	done
}

ask_connections() {
	for repetition in $(seq "$repetitions"); do
		in_turn short connections at_once=32 connect -c 32 -w 0.3 -t "${option[seconds]}"
	done
}

# pss PEER near|far: of its processes there, in KiB
pss() {
	local pid
	for pid in $(ends "$1" "$2"); do
		pss_kib "$pid"
	done 2>/dev/null | awk '{ kib += $1 } END { print kib + 0 }'
}

both_pss() {
	jq -cn --argjson near "$(pss "$1" near)" --argjson far "$(pss "$1" far)" '{$near, $far}'
}

# idle_together STREAMS PEER...: opens so many by each, one peer after the other, waits, and asks
# whether they are alive
idle_together() {
	local streams=$1 peer address port
	local -A before=() open=() alive=()
	shift
	for peer; do
		say "idle: $streams by $peer"
		to "$peer" 7
		before[$peer]=$(both_pss "$peer")
		start_load "idle-$peer" kept "$build/bench/connect" -c 64 -k "$streams" "$address" "$port" ||
			say "idle: $peer has failed"
	done
	sleep "${option[idle-seconds]}"
	for peer; do
		open[$peer]=$(both_pss "$peer")
	done
	for peer; do
		end_load "idle-$peer"
	done
	sleep "${option[after-seconds]}"
	for peer; do
		record "$(jq -s add "$work/idle-$peer.log" | jq --argjson before "${before[$peer]}" \
			--argjson open "${open[$peer]}" --argjson after "$(both_pss "$peer")" \
			'. + {$before, $open, $after}')" question=idle peer="$peer" streams="$streams"
	done
}

ask_idle() {
	local streams
	for streams in ${option[idle]}; do
		idle_together "$streams" "${tunnels[@]}"
	done
	[[ " ${tunnels[*]} " = *" vpnr "* ]] || return 0
	for streams in ${option[idle-vpnr]}; do
		again vpnr
		possible "$streams"
		idle_together "$streams" vpnr
	done
}

# request_beside QUESTION LABEL FLOWS PORT PEER: a request every 5 ms at most, beside so many
# downloads from that port
request_beside() {
	local question=$1 label=$2 flows=$3 peer=$5 address port answers
	note "$question" "$peer" "$label" beside "$flows"
	to "$peer" "$4"
	if start_load load '^open$' "$build/bench/flows" -g -n "$flows" down "$address" "$port" &&
		sleep "$warmup" && kill -USR1 "${loads[load]}" 2>/dev/null && to "$peer" 7 &&
		answers=$(as_root timeout 60 "$build/bench/request" -i 5 -t "${option[seconds]}" \
			"$address" "$port" 2>>"$work/load.log") && end_load load; then
		record "$(tail -n 1 "$work/load.log" | jq --argjson answers "$answers" '. + $answers')" \
			question="$question" peer="$peer" beside="$flows" "$label"
	else
		kill -KILL "${loads[load]}" 2>/dev/null
		failed "$question" "$peer" load beside="$flows" "$label"
	fi
}

# Loads are unlimited; paced: the source sends 400 Mbit/s; and link-MBIT, which the way to the
# server carries. Peers begin anew on each way.
ask_beside() {
	local load port warmup
	for load in ${option[beside]}; do
		warmup=1
		port=19
		short_way
		case $load in
		unlimited) ;;
		paced) port=20 ;;
		link-*)
			limited_way "${load#link-}"
			warmup=2 # for what loss makes of the beginning
			;;
		*) bail "\"$load\" is none of unlimited, paced, link-MBIT" ;;
		esac
		stop_peers
		start_peers "${peers[@]}"
		for repetition in $(seq "$repetitions"); do
			in_turn request_beside beside load="$load" 1 "$port"
		done
	done
}

# crowd: an endless loop for each processor; each of them takes what it gets
crowd() {
	local loop
	loops=()
	for loop in $(seq "$(nproc)"); do
		spawn "loop-$loop" "$app" sh -c 'while :; do :; done'
		loops+=("$spawned")
	done
}

disperse() {
	local pid
	for pid in "${loops[@]}"; do
		stop "$pid"
	done
}

ask_crowded() {
	local at_once
	crowd
	for repetition in $(seq "$repetitions"); do
		for at_once in 1 32; do
			in_turn short crowded requests_at_once="$at_once" request -i 0 -c "$at_once" \
				-w 0.3 -t "${option[seconds]}"
			in_turn short crowded at_once="$at_once" connect -c "$at_once" -w 0.3 \
				-t "${option[seconds]}"
		done
		in_turn transfer crowded down 1 way=short
		in_turn transfer crowded up 8 way=short
	done
	disperse
}

# delayed_way LOSS: in percent
delayed_way() {
	local host=1 namespace
	: >"$work/delay.log"
	spawn delay "$srv" "$build/bench/delay" -d "${option[delay-ms]}" -r "${option[delay-mbit]}" \
		-q 50 -l "$1" "$srv" "$app"
	delay_pid=$spawned
	wait_for 20 logged_or_gone delay ready "$spawned"
	! gone "$spawned" || return 1
	for namespace in "$srv" "$app"; do
		ip -n "$namespace" address add "10.77.6.$host/24" dev delay
		ip -n "$namespace" link set delay up txqueuelen 5000
		host=2
	done
	way 10.77.6.1 10.77.6.2
}

ask_delay() {
	local warmup=3 loss direction flows
	for loss in ${option[loss]}; do
		stop_peers
		delayed_way "$loss" || {
			say "goes on without the delay: $(cat "$work/delay.log")"
			return
		}
		start_peers "${peers[@]}"
		for repetition in $(seq "$repetitions"); do
			for direction in down up; do
				for flows in 1 8; do
					in_turn transfer delay "$direction" "$flows" loss="$loss"
				done
			done
			in_turn request_beside delay loss="$loss" 8 "${ports[down]}"
		done
		stop_peers
		stop "$delay_pid"
	done
}

# 5,000 downloads that come faster than they go on fill 5,000 sockets at each end: more than the kernel
# lets TCP have here in all. Then it counts what each socket has, and a link, which is one of 20,000, is
# held to 115 KiB, while both processors idle. That would be the answer to another question.
ask_linear() {
	local warmup=1.5 flows at_once
	more_tcp_memory 4
	for repetition in $(seq "$repetitions"); do
		for flows in 1 10 100 1000 5000; do
			in_turn transfer linear down "$flows" way=short
		done
		for at_once in 1 8 32 128 512; do
			in_turn short linear at_once="$at_once" connect -c "$at_once" -w 0.3 \
				-t "${option[seconds]}"
		done
	done
	usual_tcp_memory
}
