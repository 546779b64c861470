/* SPDX-License-Identifier: MIT
 *
 * ctl_json: tolerant access to JSON for vpnrctl. Pure functions.
 */
#include "app/ctl_json.h"

#include <math.h>

#include "app/ctl_format.h"

JsonObject *
vpnr_ctl_json_parse(const char *text, GError **error)
{
	g_autoptr(JsonNode) node = json_from_string(text, error);

	if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) {
		if (error != NULL && *error == NULL)
			g_set_error_literal(error, JSON_PARSER_ERROR, JSON_PARSER_ERROR_PARSE,
					    "the answer is no JSON object");
		return NULL;
	}
	return json_node_dup_object(node);
}

/* The type of a member's value; G_TYPE_INVALID if it is missing, null, an array or an object. */
static GType
value_type(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	return node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node)
							   : G_TYPE_INVALID;
}

char *
vpnr_ctl_json_text(JsonObject *object, const char *name)
{
	switch (value_type(object, name)) {
	case G_TYPE_STRING:
		return vpnr_ctl_printable(json_object_get_string_member(object, name));
	case G_TYPE_INT64:
	case G_TYPE_DOUBLE:
		return vpnr_ctl_format_count(vpnr_ctl_json_number(object, name));
	case G_TYPE_BOOLEAN:
		return g_strdup(json_object_get_boolean_member(object, name) ? "yes" : "no");
	default:
		return g_strdup("-");
	}
}

double
vpnr_ctl_json_number(JsonObject *object, const char *name)
{
	switch (value_type(object, name)) {
	case G_TYPE_INT64:
		return (double)json_object_get_int_member(object, name);
	case G_TYPE_DOUBLE:
		return json_object_get_double_member(object, name);
	default:
		return NAN;
	}
}

GPtrArray *
vpnr_ctl_json_objects(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);
	GPtrArray *objects = g_ptr_array_new();

	if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node))
		return objects;
	JsonArray *array = json_node_get_array(node);
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *element = json_array_get_element(array, i);

		if (JSON_NODE_HOLDS_OBJECT(element))
			g_ptr_array_add(objects, json_node_get_object(element));
	}
	return objects;
}

JsonObject *
vpnr_ctl_json_object(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}
