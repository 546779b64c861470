# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Pictures of what bench/peers has measured, as SVG, by gnuplot. Sourced after lib.sh.

# pivot FILTER: of the rows on standard input a table for gnuplot. The filter makes objects {row,
# series, value}; a line for each row, a column for each series.
pivot() {
	jq -r -L "$bench" "include \"stats\"; include \"peers\"; $1"' |
		(map(.series) | unique_in_order) as $all |
		["-", $all[]], (cells(.row)[] | . as $cell |
			[.[0].row, ($all[] as $one | [$cell[] | select(.series == $one).value][0] // "nan")]) |
		@tsv'
}

# plot FILE TITLE SETTINGS FILTER STYLE: a picture of the table that the filter makes of standard
# input
plot() {
	local data=$work/$1.tsv columns
	pivot "$4" >"$data"
	columns=$(head -n 1 "$data" | awk -F '\t' '{ print NF }')
	[ "$(wc -l <"$data")" -gt 1 ] || return 0
	gnuplot <<-END 2>"$work/gnuplot.log" || say "gnuplot: $(head -n 3 "$work/gnuplot.log")"
		set terminal svg size 900,450 noenhanced font "sans,13" background "white"
		set output "${option[plots]}/$1.svg"
		set datafile separator "\t"
		set title "$2"
		set key outside right top
		set grid y
		set border 3
		set tics nomirror
		$3
		plot for [i = 2:$columns] "$data" using $5 title columnheader(i)
	END
}

# bars FILE TITLE LABEL SETTINGS FILTER: a group of bars for each row
bars() {
	plot "$1" "$2" "set ylabel \"$3\"; set style data histograms; set boxwidth 0.9;
		set xtics rotate by 25 right;
		set style histogram clustered gap 1; set style fill solid 0.8; $4" "$5" "i:xtic(1)"
}

# lines FILE TITLE X Y FILTER: rows are numbers
lines() {
	plot "$1" "$2" "set xlabel \"$3\"; set ylabel \"$4\"; set logscale x; set yrange [0:*]" "$5" \
		"1:i with linespoints linewidth 2 pointtype 7"
}

# plots: those that the tables on standard input have rows for
plots() {
	local tables
	tables=$(cat)
	if ! has gnuplot; then
		say "no plots"
		return
	fi
	mkdir -p "${option[plots]}"
	bars throughput "Throughput" "Gbit/s" "" '(.bulk // []) | map({row: .peer,
		series: "\(.flows) \(.direction)", value: .gbit})' <<<"$tables"
	bars cpu "Processor time, both ends" "CPU-s per GB, logarithmic" "set logscale y" \
		'(.bulk // []) | map(select(.peer != "direct") | {row: .peer,
		series: "\(.flows) \(.direction)", value: .cpu_s_per_gb})' <<<"$tables"
	bars latency "A request and its answer, median" "us, logarithmic" "set logscale y" \
		'((.requests // []) | map({row: .peer, series: "\(.at_once) at once", value: .p50_us})) +
		((.beside // []) | map({row: .peer, series: "beside \(.load)", value: .p50_us}))' <<<"$tables"
	lines streams "Processor time by the number of active streams" "streams" "CPU-s per GB" \
		'(.linear_streams // []) | map({row: .flows, series: .peer, value: .cpu_s_per_gb})' <<<"$tables"
	lines connections "Processor time by the number of connections at once" "connections at once" \
		"CPU-ms per connection" '(.linear_connections // []) | map({row: .at_once, series: .peer,
		value: .cpu_ms_each})' <<<"$tables"
}
