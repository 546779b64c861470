# SPDX-License-Identifier: MIT
#
# What the benchmarks do with their measurements, an array of flat objects in the order of time.

# Of numbers; null if there are none.
def median:
	sort | (length / 2 | floor) as $half |
	if length == 0 then null
	elif length % 2 == 1 then .[$half]
	else (.[$half - 1] + .[$half]) / 2 end;

# To so many digits behind the point.
def digits($n): if . == null then null else . * pow(10; $n) | round / pow(10; $n) end;

# One array for each value of f, in the order in which the values appeared first.
def cells(f):
	to_entries | group_by(.value | f) | sort_by(.[0].key) | map(map(.value));

# The median of f over the measurements of a cell, as an object with the field NAME.
def middle($name; f; $n): {($name): (map(f) | median | digits($n))};

# The same, and in NAME_range how far apart the measurements are.
def typical($name; f; $n):
	middle($name; f; $n) +
		{($name + "_range"): (map(f) | "\(min | digits($n))-\(max | digits($n))")};
