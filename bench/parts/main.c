/* SPDX-License-Identifier: MIT
 *
 * micro: the inner parts of vpnr, each measured by itself in one process: no root, no network but
 * the loopback. docs/performance.md explains what it prints.
 */
#include <stdio.h>
#include <string.h>

#include "bench/parts/report.h"
#include "bench/parts/subjects.h"

/* What a measurement takes: far more than a scheduler's slice, and so little that five of each are
 * through in a minute. */
#define GOAL_MS 100

typedef struct {
	const char *name;
	void (*measure)(Measure *measure);
	const char *description;
} Subject;

static const Subject subjects[] = {
	{ "codec", measure_codec, "frames to bytes and back, against memcpy" },
	{ "mailbox", measure_mailbox, "from thread to thread, against what it is made of" },
	{ "schedule", measure_schedule, "the next frame of 1 to 10,000 streams" },
	{ "replay", measure_replay, "frames in flight, against a GQueue" },
	{ "transport", measure_transport, "TLS on the loopback, against plain TCP" },
};

typedef struct {
	char **only; /* names of subjects (owned, nullable) */
	gint repeat, ms;
	gboolean json;
} Options;

static void
options_clear(Options *options)
{
	g_strfreev(options->only);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean
is_subject(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(subjects); i++)
		if (strcmp(name, subjects[i].name) == 0)
			return TRUE;
	return FALSE;
}

static gboolean
are_valid(const Options *options)
{
	for (guint i = 0; options->only != NULL && options->only[i] != NULL; i++)
		if (!is_subject(options->only[i]))
			return FALSE;
	return options->repeat > 0 && options->ms > 0;
}

static gboolean
options_parse(Options *options, int *argc, char ***argv)
{
	const GOptionEntry entries[] = {
		{ "only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->only, NULL, NULL },
		{ "repeat", 0, 0, G_OPTION_ARG_INT, &options->repeat, NULL, NULL },
		{ "ms", 0, 0, G_OPTION_ARG_INT, &options->ms, NULL, NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &options->json, NULL, NULL },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);

	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_add_main_entries(context, entries, NULL);
	return g_option_context_parse(context, argc, argv, NULL) && *argc == 1 &&
	       are_valid(options);
}

static void
print_usage(void)
{
	g_printerr("usage: micro [--json] [--repeat 5] [--ms %d] [--only PART]...\n", GOAL_MS);
	for (guint i = 0; i < G_N_ELEMENTS(subjects); i++)
		g_printerr("\t%-10s %s\n", subjects[i].name, subjects[i].description);
}

static gboolean
is_wanted(const Options *options, const char *name)
{
	return options->only == NULL || g_strv_contains((const char *const *)options->only, name);
}

int
main(int argc, char **argv)
{
	g_auto(Options) options = { .repeat = 5, .ms = GOAL_MS };
	g_auto(Measure) measure = { 0 };

	if (!options_parse(&options, &argc, &argv)) {
		print_usage();
		return 2;
	}
	measure_init(&measure, (guint)options.repeat, (guint)options.ms);
	for (guint i = 0; i < G_N_ELEMENTS(subjects); i++) {
		measure.subject = subjects[i].name;
		if (is_wanted(&options, measure.subject))
			subjects[i].measure(&measure);
	}
	if (options.json)
		report_print_json(&measure);
	else
		report_print_table(&measure);
	return 0;
}
