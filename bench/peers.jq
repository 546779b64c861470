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

# Of an object of numbers for each measurement of a cell: the median, how far apart the measurements
# are, and the ratio to the medians in base, those of the haproxy pair.
def columns($values; $base):
	$values | map(keys_unsorted[]) | reduce .[] as $key ([]; if index($key) then . else . + [$key] end) |
	map(. as $key | ($values | map(.[$key] | select(. != null))) as $all | ($all | median) as $middle | {
		($key): ($middle | short),
		($key + "_range"): (if ($all | length) == 0 then null else
			"\($all | min | short)-\($all | max | short)" end),
		($key + "_to_haproxy"): (if $middle != null and ($base[$key] // 0) != 0 then
			$middle / $base[$key] | digits(2) else null end)
	}) | add;

def medians: . as $values | (.[0] // {}) | with_entries(.key as $key | .value = ($values |
	map(.[$key] | select(. != null)) | median));

# A row for each peer and each object that labels makes of a measurement, with what values makes;
# failures is how many connections have failed in it. A measurement that is broken is one that did
# not come to its end.
def rows(labels; values; failures):
	map({peer, label: labels, broken, lost: (failures // 0), value: (if .broken then null else values end)}) | . as $all |
	cells([.label, .peer]) | map(.[0] as $first |
		([$all[] | select(.peer == "haproxy" and .label == $first.label and .value).value] | medians)
			as $base |
		$first.label + {peer: $first.peer} + columns(map(.value | select(.)); $base) +
		{lost: (map(.lost) | add), broken: (map(select(.broken)) | length)});
def rows(labels; values): rows(labels; values; 0) | map(del(.lost));

def of($question): map(select(.question == $question));

def cpu_s: (.after | tonumber) - (.before | tonumber) | if . == 0 then null else . end;

def bulk_rows: of("bulk") | rows({direction, flows};
	{gbit: (.bytes * 8 / .seconds / 1e9), cpu_s_per_gb: (if cpu_s then cpu_s / .bytes * 1e9 else null end)});

def requests_rows: of("requests") | rows({at_once}; {p50_us, p99_us, per_second});

def connections_rows: of("connections") | rows({at_once}; {per_second, p50_us, p99_us}; .failed);
