/* SPDX-License-Identifier: MIT
 *
 * top_json: see top_json.h.
 */
#include "app/top_json.h"

#include <math.h>

static void
add_number(JsonBuilder *builder, const char *name, double number)
{
	json_builder_set_member_name(builder, name);
	if (isnan(number))
		json_builder_add_null_value(builder);
	else
		json_builder_add_double_value(builder, number);
}

static void
add_rate(JsonBuilder *builder, const VpnrTopRate *rate)
{
	add_number(builder, "down_per_s", rate->down);
	add_number(builder, "up_per_s", rate->up);
}

static void
on_member(JsonObject *object, const char *name, JsonNode *node, gpointer builder)
{
	json_builder_set_member_name(builder, name);
	json_builder_add_value(builder, json_node_copy(node));
}

static void
add_row(JsonBuilder *builder, const VpnrTopRow *row)
{
	json_builder_begin_object(builder);
	json_object_foreach_member(row->stream->answer, on_member, builder);
	add_rate(builder, &row->rate);
	json_builder_end_object(builder);
}

char *
vpnr_top_json(const VpnrTopRates *rates)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();

	json_builder_begin_object(builder);
	add_number(builder, "interval_s", rates->interval_s);
	add_rate(builder, &rates->rate);
	json_builder_set_member_name(builder, "status");
	json_builder_begin_object(builder);
	json_object_foreach_member(rates->sample->status, on_member, builder);
	json_builder_end_object(builder);
	json_builder_set_member_name(builder, "connections");
	json_builder_begin_array(builder);
	for (guint i = 0; i < rates->rows->len; i++)
		add_row(builder, &g_array_index(rates->rows, VpnrTopRow, i));
	json_builder_end_array(builder);
	json_builder_end_object(builder);

	g_autoptr(JsonNode) root = json_builder_get_root(builder);
	return json_to_string(root, FALSE);
}
