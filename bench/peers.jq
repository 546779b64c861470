# SPDX-License-Identifier: MIT
#
# The rows of each question of bench/peers, from all measurements.

include "stats";

# Three digits that mean something.
def short:
	if . == null then null
	elif fabs >= 100 then digits(0)
	elif fabs >= 10 then digits(1)
	elif fabs >= 1 then digits(2)
	else digits(4) end;

# Without repetitions.
def unique_in_order: reduce .[] as $one ([]; if index([$one]) then . else . + [$one] end);

# Of objects of numbers, one for each measurement of a cell: the median, how far apart they are, and
# the ratio to the medians in base, those of the peer with that name.
def columns($figures; $peer; $base):
	$figures | (map(keys_unsorted[]) | unique_in_order) |
	map(. as $key | ($figures | map(.[$key] | values)) as $all | ($all | median) as $middle | {
		($key): ($middle | short),
		($key + "_range"): (if $middle == null then null else
			"\($all | min | short)-\($all | max | short)" end),
		($key + "_to_" + $peer): (if $middle != null and ($base[$key] // 0) != 0 then
			$middle / $base[$key] | digits(2) else null end)
	}) | add;

def medians: . as $all | (.[0] // {}) |
	with_entries(.key as $key | .value = ($all | map(.[$key] | values) | median));

# A row for each peer and each object that labels makes of a measurement, with what figures makes,
# and ratios to the peer $to; failures is how many connections have failed in it. A measurement that is
# broken is one that did not come to its end.
def rows(labels; figures; failures; $to):
	map({peer, label: labels, broken, lost: (failures // 0),
		value: (if .broken then null else figures end)}) | . as $all |
	cells([.label, .peer]) | map(.[0] as $first |
		([$all[] | select(.peer == $to and .label == $first.label).value | values] | medians) as $base |
		$first.label + {peer: $first.peer} + columns(map(.value | values); $to; $base) +
		{lost: (map(.lost) | add), broken: (map(select(.broken)) | length)});

# The same without connections that could fail, as a ratio to the haproxy pair.
def rows(labels; figures): rows(labels; figures; 0; "haproxy") | map(del(.lost));

def of($question): map(select(.question == $question));

def cpu_s: (.after | tonumber) - (.before | tonumber) | if . == 0 then null else . end;

def gbit: .bytes * 8 / .seconds / 1e9;

def cpu_s_per_gb: if cpu_s then cpu_s / .bytes * 1e9 else null end;

def transfer_rows: rows({direction, flows: (.flows | tonumber)};
	{gbit: gbit, cpu_s_per_gb: cpu_s_per_gb});

def request_rows(at_once): rows({at_once: (at_once | tonumber)}; {p50_us, p99_us, per_second});

def connection_rows: rows({at_once: (.at_once | tonumber)}; {per_second, p50_us, p99_us};
	.failed; "haproxy");

def bulk: {bulk: of("bulk") | transfer_rows};

def requests: {requests: of("requests") | request_rows(.at_once)};

def connections: {connections: of("connections") | connection_rows};

# Per connection at each end, and the whole processes before and after.
def idle:
	def each($side): (.open[$side] - .before[$side]) / .kept | short;
	def mib: . / 1024 | digits(1);
	{idle: of("idle") | map(select((.kept // 0) > 0) |
		{streams, peer, opened: .kept, seconds: (.seconds | short), alive,
		near_kib: each("near"), far_kib: each("far"),
		near_before_mib: (.before.near | mib), near_after_mib: (.after.near | mib),
		far_before_mib: (.before.far | mib), far_after_mib: (.after.far | mib)})};

def beside: {beside: of("beside") |
	rows({load}; {p50_us, p99_us, load_mbit: (.bytes * 8 / .seconds / 1e6)})};

def crowded: of("crowded") | {
	crowded_requests: (map(select(.requests_at_once)) | request_rows(.requests_at_once)),
	crowded_connections: (map(select(.at_once)) | connection_rows),
	crowded_bulk: (map(select(.flows)) | transfer_rows)
};

# Against no tunnel, which is the limit here. What was sent again is in percent of what has arrived, both
# in packets of Ethernet.
def delay: of("delay") | {
	delay: (map(select(.beside | not)) | rows({loss, direction, flows: (.flows | tonumber)};
		{mbit: (gbit * 1000), resent: ((.resent | tonumber) * 1448 / .bytes * 100)}; 0; "direct")),
	delay_beside: (map(select(.beside)) | rows({loss, flows: (.beside | tonumber)};
		{p50_us, p99_us, load_mbit: (gbit * 1000)}; 0; "direct"))
} | map_values(map(del(.lost)));

def linear: of("linear") | {
	linear_streams: (map(select(.flows)) | rows({flows: (.flows | tonumber)};
		{cpu_s_per_gb: cpu_s_per_gb, gbit: gbit})),
	linear_connections: (map(select(.at_once)) | rows({at_once: (.at_once | tonumber)};
		{cpu_ms_each: (if cpu_s then cpu_s / .total * 1000 else null end), per_second}; .failed;
			"haproxy"))
};
