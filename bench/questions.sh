# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The questions of bench/peers, ask_QUESTION each: measures every peer in $tunnels in turn, as often
# as --repeat says, and records it. docs/performance.md says what they mean. A peer that fails at one
# gets a record that says so and a new start.
#
# Sourced after peers.sh.

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
	stop_peer "$peer"
	begin_peer "$peer" || bail "$peer does not start again"
}

# in_turn COMMAND...: for each repetition and each peer, which is the last argument
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

# transfer QUESTION DIRECTION FLOWS LABEL PEER: processor time is read just before the transfer is
# told to begin and to end, so that both are for the same time
transfer() {
	local question=$1 direction=$2 flows=$3 label=$4 peer=$5 address port before after
	note "$question" "$peer" "$direction" "$flows" "$label"
	to "$peer" "${ports[$direction]}"
	if start_load load '^open$' "$build/bench/flows" -g -n "$flows" "$direction" "$address" "$port" &&
		sleep "${warmup:-0.5}" && before=$(cpu_seconds "$peer") && kill -USR1 "${loads[load]}" &&
		sleep "${option[seconds]}" && after=$(cpu_seconds "$peer") && end_load load; then
		record "$(tail -n 1 "$work/load.log")" question="$question" peer="$peer" "$label" \
			before="$before" after="$after"
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
