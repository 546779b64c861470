/* SPDX-License-Identifier: MIT
 *
 * capture: see capture.h. Main installs and removes, the threads of the control socket reload and
 * ask; the lock is held meanwhile, and those who wait for it have nothing else to do.
 */
#include "capture/capture.h"

#include <pthread.h>

#include "base/fd.h"
#include "base/log.h"
#include "capture/backend.h"
#include "capture/bridge.h"
#include "capture/privilege.h"
#include "capture/routing.h"
#include "capture/routing_guard.h"
#include "capture/rules_words.h"

struct VpnrCapture {
	/* lock */
	pthread_mutex_t lock;
	VpnrRules *rules;
	const VpnrBackendOps *ops; /* NULL: none chosen */
	VpnrBackend *backend;
	VpnrFd routing;          /* the claim to its numbers; -1: none */
	VpnrRoutingGuard *guard; /* NULL: no routing is needed */
	gboolean installed;
	gboolean kill_switch;
};

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_capture_error_quark(void)
{
	return g_quark_from_static_string("vpnr-capture-error");
}

VpnrCapture *
vpnr_capture_new(VpnrRules *rules)
{
	VpnrCapture *capture = g_new0(VpnrCapture, 1);

	pthread_mutex_init(&capture->lock, NULL);
	capture->rules = rules;
	capture->routing = -1;
	return capture;
}

void
vpnr_capture_free(VpnrCapture *capture)
{
	if (capture == NULL)
		return;
	vpnr_capture_stop(capture);
	vpnr_routing_guard_free(capture->guard);
	vpnr_rules_free(capture->rules);
	pthread_mutex_destroy(&capture->lock);
	g_free(capture);
}

/* --- which backend ---------------------------------------------------------------------------- */

/* The backend, if it works. */
static VpnrBackend *
try_backend(const VpnrBackendOps *ops, const VpnrRules *rules, GError **error)
{
	VpnrBackend *backend = ops->open(error);

	if (backend == NULL || ops->check == NULL || ops->check(backend, rules, error))
		return backend;
	ops->close(backend);
	return NULL;
}

/* A name that somebody else has is no reason to do the same by other means. */
static gboolean
choose_backend(VpnrCapture *capture, GError **error)
{
	g_autoptr(GString) reasons = g_string_new(NULL);

	for (gsize i = 0; i < VPNR_BACKENDS; i++) {
		g_autoptr(GError) why = NULL;

		if (!vpnr_backend_is_wanted(vpnr_backends[i], capture->rules))
			continue;
		capture->backend = try_backend(vpnr_backends[i], capture->rules, &why);
		if (capture->backend != NULL) {
			capture->ops = vpnr_backends[i];
			return TRUE;
		}
		if (g_error_matches(why, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN)) {
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
		g_string_append_printf(reasons, "%s%s: %s", reasons->len > 0 ? "; " : "",
				       vpnr_backends[i]->name, why->message);
	}
	g_set_error(error, VPNR_CAPTURE_ERROR, VPNR_CAPTURE_ERROR_IMPOSSIBLE,
		    "nothing can be captured here: %s", reasons->str);
	return FALSE;
}

/* --- in the packet filter and out of it; with the lock held ----------------------------------- */

static gboolean
claim_routing_locked(VpnrCapture *capture, GError **error)
{
	if (!vpnr_rules_need_routing(capture->rules))
		return TRUE;
	capture->routing = vpnr_routing_claim(capture->rules, error);
	if (capture->routing >= 0)
		capture->guard = vpnr_routing_guard_new(error);
	return capture->guard != NULL;
}

static gboolean
install_locked(VpnrCapture *capture, GError **error)
{
	gboolean routed = vpnr_rules_need_routing(capture->rules);

	if (capture->installed || capture->rules->mode == VPNR_CAPTURE_OFF)
		return TRUE;
	if (routed && !vpnr_routing_install(capture->rules, error))
		return FALSE;
	if (!capture->ops->install(capture->backend, capture->rules, error)) {
		if (routed)
			vpnr_routing_remove(capture->rules);
		return FALSE;
	}
	capture->installed = TRUE;
	vpnr_log(VPNR_LOG_INFO, "capturing: mode %s, backend %s",
		 vpnr_capture_mode_name(capture->rules->mode), capture->ops->name);
	vpnr_bridge_warn(capture->rules);
	return TRUE;
}

/* It may have been taken away from outside, since no process owns it. */
static VpnrKillSwitch
find_kill_switch_locked(const VpnrCapture *capture)
{
	if (!capture->kill_switch)
		return VPNR_KILL_SWITCH_OFF;
	return capture->ops == NULL ? VPNR_KILL_SWITCH_ON
				    : capture->ops->find_kill_switch(capture->rules);
}

static void
remove_locked(VpnrCapture *capture)
{
	static const char *const stays[] = {
		[VPNR_KILL_SWITCH_OFF] = "",
		[VPNR_KILL_SWITCH_PART] = ", but a part of the kill switch stays",
		[VPNR_KILL_SWITCH_ON] = ", but the kill switch stays",
	};
	g_autoptr(GError) error = NULL;
	gboolean removed;

	if (capture->backend == NULL)
		return;
	removed = capture->ops->remove(capture->backend, &error);
	if (capture->installed && vpnr_rules_need_routing(capture->rules))
		vpnr_routing_remove(capture->rules);
	if (!removed)
		vpnr_log(VPNR_LOG_ERROR,
			 "the rules are not removed, \"vpnrctl rules clear\" does it: %s",
			 error->message);
	else if (capture->installed)
		vpnr_log(VPNR_LOG_INFO, "nothing is captured any more%s",
			 stays[find_kill_switch_locked(capture)]);
	capture->installed = FALSE;
	vpnr_fd_close(vpnr_fd_steal(&capture->routing));
	capture->ops->close(g_steal_pointer(&capture->backend));
}

/* One of an earlier run is told from none only by looking. */
static void
warn_of_kill_switch(VpnrCapture *capture, const VpnrBackendOps *ops)
{
	capture->kill_switch = vpnr_privilege_net_admin() &&
			       ops->find_kill_switch(capture->rules) != VPNR_KILL_SWITCH_OFF;
	if (capture->kill_switch)
		vpnr_log(VPNR_LOG_WARN, "the kill switch of an earlier run is still on: "
					"\"vpnrctl rules clear --kill-switch\" takes it away");
}

static gboolean
hold_locked(VpnrCapture *capture, GError **error)
{
	if (!capture->ops->install_kill_switch(capture->rules, error))
		return FALSE;
	capture->kill_switch = TRUE;
	vpnr_log(VPNR_LOG_INFO, "the kill switch is on, and stays on when this client ends");
	return TRUE;
}

static gboolean
start_locked(VpnrCapture *capture, GError **error)
{
	if (capture->rules->mode == VPNR_CAPTURE_OFF) {
		/* No program is run, and no module loaded, for somebody who wants nothing. */
		warn_of_kill_switch(capture, vpnr_backends[0]);
		return TRUE;
	}
	if (!vpnr_privilege_check(error) || !choose_backend(capture, error) ||
	    !claim_routing_locked(capture, error))
		return FALSE;
	if (capture->rules->kill_switch)
		return hold_locked(capture, error) && install_locked(capture, error);
	warn_of_kill_switch(capture, capture->ops);
	return TRUE;
}

static gboolean
is_damaged_locked(const VpnrCapture *capture)
{
	if (!capture->installed)
		return FALSE;
	return (capture->ops->is_intact != NULL && !capture->ops->is_intact(capture->backend)) ||
	       (vpnr_rules_need_routing(capture->rules) && !vpnr_routing_is_whole(capture->rules));
}

/* TRUE if both rules give the same text. */
static gboolean
is_same(char *(*describe)(const VpnrRules *rules), const VpnrRules *a, const VpnrRules *b)
{
	g_autofree char *left = describe(a);
	g_autofree char *right = describe(b);

	return g_str_equal(left, right);
}

static gboolean
replace_locked(VpnrCapture *capture, const VpnrRules *next, GError **error)
{
	if (!capture->installed ||
	    (is_same(capture->ops->describe, capture->rules, next) && !is_damaged_locked(capture)))
		return TRUE;
	if ((vpnr_rules_need_routing(next) && !vpnr_routing_install(next, error)) ||
	    !capture->ops->install(capture->backend, next, error))
		return FALSE;
	vpnr_log(VPNR_LOG_INFO, "the rules of capture have been replaced");
	vpnr_bridge_warn(next);
	return TRUE;
}

/* The switch is turned on here, and changed, but never off. */
static gboolean
replace_kill_switch_locked(VpnrCapture *capture, const VpnrRules *next, GError **error)
{
	gboolean wanted = capture->rules->kill_switch;
	VpnrKillSwitch found = wanted ? find_kill_switch_locked(capture) : VPNR_KILL_SWITCH_OFF;

	if (!next->kill_switch) {
		if (found != VPNR_KILL_SWITCH_OFF)
			vpnr_log(VPNR_LOG_WARN,
				 "the kill switch stays on: \"vpnrctl rules clear --kill-switch\" "
				 "takes it away");
		return TRUE;
	}
	if (found == VPNR_KILL_SWITCH_ON &&
	    is_same(capture->ops->describe_kill_switch, capture->rules, next))
		return TRUE;
	if (!capture->ops->install_kill_switch(next, error))
		return FALSE;
	if (wanted && found != VPNR_KILL_SWITCH_ON)
		vpnr_log(VPNR_LOG_WARN, "somebody had removed or changed the kill switch: "
					"it is on again");
	capture->kill_switch = TRUE;
	return TRUE;
}

/* Connections that are led to nobody would be cut off. */
static gboolean
check_listener(const VpnrRules *next, GError **error)
{
	if (vpnr_rules_has_listener(next))
		return TRUE;
	g_set_error_literal(error, VPNR_CAPTURE_ERROR, VPNR_CAPTURE_ERROR_RESTART,
			    "[capture] gateway: \"yes\" needs a restart: with mode redirect the "
			    "client must listen on 0.0.0.0 or [::], and does not yet");
	return FALSE;
}

static gboolean
reload_locked(VpnrCapture *capture, const VpnrRules *next, GError **error)
{
	if (capture->rules->mode == VPNR_CAPTURE_OFF)
		return TRUE;
	return check_listener(next, error) && replace_locked(capture, next, error) &&
	       replace_kill_switch_locked(capture, next, error);
}

/* --- for other modules ------------------------------------------------------------------------ */

gboolean
vpnr_capture_start(VpnrCapture *capture, GError **error)
{
	gboolean ok;

	pthread_mutex_lock(&capture->lock);
	ok = start_locked(capture, error);
	pthread_mutex_unlock(&capture->lock);
	return ok;
}

gboolean
vpnr_capture_install(VpnrCapture *capture, GError **error)
{
	gboolean ok;

	pthread_mutex_lock(&capture->lock);
	ok = install_locked(capture, error);
	pthread_mutex_unlock(&capture->lock);
	return ok;
}

gboolean
vpnr_capture_reload(VpnrCapture *capture, VpnrRules *rules, GError **error)
{
	g_autoptr(VpnrRules) next = rules;
	gboolean ok;

	pthread_mutex_lock(&capture->lock);
	if (vpnr_rules_keep(next, capture->rules))
		vpnr_log(VPNR_LOG_WARN, "mode, backend, dns, names and numbers of [capture], and "
					"the listeners, change with a restart only");
	ok = reload_locked(capture, next, error);
	if (ok) {
		vpnr_rules_free(capture->rules);
		capture->rules = g_steal_pointer(&next);
	}
	pthread_mutex_unlock(&capture->lock);
	return ok;
}

int
vpnr_capture_fd(const VpnrCapture *capture)
{
	return capture->guard != NULL ? vpnr_routing_guard_fd(capture->guard) : -1;
}

void
vpnr_capture_look(VpnrCapture *capture)
{
	pthread_mutex_lock(&capture->lock);
	vpnr_routing_guard_look(capture->guard, capture->installed ? capture->rules : NULL);
	pthread_mutex_unlock(&capture->lock);
}

void
vpnr_capture_stop(VpnrCapture *capture)
{
	pthread_mutex_lock(&capture->lock);
	remove_locked(capture);
	pthread_mutex_unlock(&capture->lock);
}

guint32
vpnr_capture_link_mark(VpnrCapture *capture)
{
	guint32 mark;

	pthread_mutex_lock(&capture->lock);
	mark = capture->rules->mode != VPNR_CAPTURE_OFF ? capture->rules->link_mark : 0;
	pthread_mutex_unlock(&capture->lock);
	return mark;
}

gboolean
vpnr_capture_runs_programs(VpnrCapture *capture)
{
	gboolean runs;

	pthread_mutex_lock(&capture->lock);
	runs = capture->ops != NULL && capture->ops->kind == VPNR_BACKEND_IPTABLES;
	pthread_mutex_unlock(&capture->lock);
	return runs;
}

VpnrCaptureStatus
vpnr_capture_status(VpnrCapture *capture)
{
	VpnrCaptureStatus status;

	pthread_mutex_lock(&capture->lock);
	status = (VpnrCaptureStatus){
		.mode = capture->rules->mode,
		.backend = capture->ops != NULL ? capture->ops->name : NULL,
		.installed = capture->installed,
		.damaged = is_damaged_locked(capture),
		.kill_switch = find_kill_switch_locked(capture) == VPNR_KILL_SWITCH_ON,
	};
	status.kill_switch_missing = capture->rules->kill_switch && !status.kill_switch;
	pthread_mutex_unlock(&capture->lock);
	return status;
}

char *
vpnr_capture_in_words(VpnrCapture *capture)
{
	char *text;

	pthread_mutex_lock(&capture->lock);
	text = vpnr_rules_in_words(capture->rules);
	pthread_mutex_unlock(&capture->lock);
	return text;
}

char *
vpnr_capture_in_full(VpnrCapture *capture)
{
	GString *text = g_string_new(NULL);

	pthread_mutex_lock(&capture->lock);
	if (capture->ops != NULL) {
		const VpnrRules *rules = capture->rules;
		g_autofree char *filter = capture->ops->describe(rules);
		g_autofree char *routing =
		    vpnr_rules_need_routing(rules) ? vpnr_routing_describe(rules) : NULL;
		g_autofree char *kill =
		    rules->kill_switch ? capture->ops->describe_kill_switch(rules) : NULL;

		g_string_append(text, filter);
		if (routing != NULL)
			g_string_append_printf(text, "\n%s", routing);
		if (kill != NULL)
			g_string_append_printf(text, "\n%s", kill);
	}
	pthread_mutex_unlock(&capture->lock);
	return g_string_free(text, FALSE);
}
