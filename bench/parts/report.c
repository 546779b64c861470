/* SPDX-License-Identifier: MIT
 *
 * report: see report.h. A row is made once, as a flat object of JSON, whose members are the columns
 * of the table.
 */
#include "bench/parts/report.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* --- numbers ---------------------------------------------------------------------------------- */

static gint
compare(gconstpointer a, gconstpointer b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static GArray *
sorted(GArray *numbers)
{
	GArray *copy = g_array_copy(numbers);

	g_array_sort(copy, compare);
	return copy;
}

static double
median(GArray *numbers)
{
	g_autoptr(GArray) in_order = sorted(numbers);
	guint half = in_order->len / 2;
	double middle = g_array_index(in_order, double, half);

	if (in_order->len % 2 == 1)
		return middle;
	return (g_array_index(in_order, double, half - 1) + middle) / 2;
}

/* Three digits, or all in front of the point if there are more. */
static char *
format(double number)
{
	int digits = number < 10 ? 2 : number < 100 ? 1 : 0;

	return g_strdup_printf("%.*f", digits, number);
}

static char *
format_range(GArray *numbers)
{
	g_autoptr(GArray) in_order = sorted(numbers);
	g_autofree char *least = format(g_array_index(in_order, double, 0));
	g_autofree char *most = format(g_array_index(in_order, double, in_order->len - 1));

	return g_strdup_printf("%s-%s", least, most);
}

/* --- rows ------------------------------------------------------------------------------------- */

/* What does not apply is null. */
static void
set_number(JsonObject *row, const char *name, gboolean applies, double number)
{
	if (applies)
		json_object_set_double_member(row, name, number);
	else
		json_object_set_null_member(row, name);
}

/* A byte in a nanosecond is a GB in a second, and so is a nanosecond for a byte a second for a
 * GB. */
static JsonObject *
make_row(const Result *result)
{
	JsonObject *row = json_object_new();
	g_autofree char *range = format_range(result->ns);
	gboolean has_bytes = result->bytes > 0, has_base = result->base != NULL;
	double ns = median(result->ns), cpu_ns = median(result->cpu_ns);
	double bytes = (double)result->bytes;

	json_object_set_string_member(row, "subject", result->subject);
	json_object_set_string_member(row, "what", result->name);
	json_object_set_double_member(row, "ns", ns);
	json_object_set_string_member(row, "ns_range", range);
	json_object_set_double_member(row, "cpu_ns", cpu_ns);
	set_number(row, "to_base", has_base, has_base ? ns / median(result->base->ns) : 0);
	set_number(row, "cpu_to_base", has_base,
		   has_base ? cpu_ns / median(result->base->cpu_ns) : 0);
	set_number(row, "gb_s", has_bytes, bytes / ns);
	set_number(row, "cpu_s_per_gb", has_bytes, has_bytes ? cpu_ns / bytes : 0);
	return row;
}

static JsonArray *
make_rows(const Measure *measure)
{
	JsonArray *rows = json_array_new();

	for (guint i = 0; i < measure->results->len; i++)
		json_array_add_object_element(rows, make_row(measure->results->pdata[i]));
	return rows;
}

static JsonArray *
make_measurements(const Measure *measure)
{
	JsonArray *all = json_array_new();

	for (guint i = 0; i < measure->results->len; i++) {
		const Result *result = measure->results->pdata[i];

		for (guint k = 0; k < result->ns->len; k++) {
			JsonObject *one = json_object_new();

			json_object_set_string_member(one, "subject", result->subject);
			json_object_set_string_member(one, "what", result->name);
			json_object_set_double_member(one, "ns",
						      g_array_index(result->ns, double, k));
			json_object_set_double_member(one, "cpu_ns",
						      g_array_index(result->cpu_ns, double, k));
			json_array_add_object_element(all, one);
		}
	}
	return all;
}

/* --- the machine ------------------------------------------------------------------------------ */

static char *
cpu_model(void)
{
	g_autofree char *text = NULL;
	g_autoptr(GMatchInfo) match = NULL;
	g_autoptr(GRegex) regex = g_regex_new("^model name\\s*: (.*)$", G_REGEX_MULTILINE, 0, NULL);

	if (!g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL) ||
	    !g_regex_match(regex, text, 0, &match))
		return g_strdup("unknown processor");
	return g_match_info_fetch(match, 1);
}

static JsonObject *
make_machine(const Measure *measure)
{
	JsonObject *machine = json_object_new();
	g_autofree char *cpu = cpu_model();
	double load = 0;
	struct utsname name;

	uname(&name);
	getloadavg(&load, 1);
	json_object_set_string_member(machine, "kernel", name.release);
	json_object_set_string_member(machine, "cpu", cpu);
	json_object_set_int_member(machine, "processors", g_get_num_processors());
	json_object_set_double_member(machine, "load_before", measure->load_before);
	json_object_set_double_member(machine, "load_after", load);
	return machine;
}

static void
print_machine(const Measure *measure)
{
	g_autoptr(JsonObject) machine = make_machine(measure);

	printf("%s, %" G_GINT64_FORMAT " processors, Linux %s, load %.2f before\n",
	       json_object_get_string_member(machine, "cpu"),
	       json_object_get_int_member(machine, "processors"),
	       json_object_get_string_member(machine, "kernel"),
	       json_object_get_double_member(machine, "load_before"));
}

/* --- text ------------------------------------------------------------------------------------- */

static char *
format_cell(JsonNode *node)
{
	if (JSON_NODE_HOLDS_NULL(node))
		return g_strdup("-");
	if (json_node_get_value_type(node) == G_TYPE_DOUBLE)
		return format(json_node_get_double(node));
	return json_node_dup_string(node);
}

/* The head of the table, and a line for each row: arrays of texts. */
static GPtrArray *
format_cells(JsonArray *rows)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);

	for (guint i = 0; i < json_array_get_length(rows); i++) {
		JsonObject *row = json_array_get_object_element(rows, i);
		g_autoptr(GList) names = json_object_get_members(row);
		GPtrArray *head = g_ptr_array_new_with_free_func(g_free);
		GPtrArray *line = g_ptr_array_new_with_free_func(g_free);

		for (GList *name = names; name != NULL; name = name->next) {
			g_ptr_array_add(head, g_strdup(name->data));
			g_ptr_array_add(line, format_cell(json_object_get_member(row, name->data)));
		}
		if (i == 0)
			g_ptr_array_add(lines, g_ptr_array_ref(head));
		g_ptr_array_unref(head);
		g_ptr_array_add(lines, line);
	}
	return lines;
}

static int
column_width(GPtrArray *lines, guint column)
{
	gsize width = 0;

	for (guint i = 0; i < lines->len; i++) {
		GPtrArray *line = lines->pdata[i];

		width = MAX(width, strlen(line->pdata[column]));
	}
	return (int)width;
}

static void
print_cells(GPtrArray *lines)
{
	for (guint i = 0; i < lines->len; i++) {
		GPtrArray *line = lines->pdata[i];

		for (guint k = 0; k + 1 < line->len; k++)
			printf("%-*s  ", column_width(lines, k), (char *)line->pdata[k]);
		printf("%s\n", (char *)line->pdata[line->len - 1]);
	}
}

void
report_print_table(const Measure *measure)
{
	g_autoptr(JsonArray) rows = make_rows(measure);
	g_autoptr(GPtrArray) lines = format_cells(rows);

	print_machine(measure);
	print_cells(lines);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static JsonObject *
make_options(const Measure *measure)
{
	JsonObject *options = json_object_new();

	json_object_set_int_member(options, "repeat", measure->repeat);
	json_object_set_int_member(options, "ms", (gint64)(measure->goal_ns / 1e6));
	return options;
}

void
report_print_json(const Measure *measure)
{
	JsonObject *report = json_object_new();
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), report);
	g_autofree char *text = NULL;

	json_object_set_string_member(report, "benchmark", "micro");
	json_object_set_object_member(report, "machine", make_machine(measure));
	json_object_set_object_member(report, "options", make_options(measure));
	json_object_set_array_member(report, "results", make_rows(measure));
	json_object_set_array_member(report, "measurements", make_measurements(measure));
	json_object_unref(report);
	text = json_to_string(node, TRUE);
	puts(text);
}
