/* SPDX-License-Identifier: MIT
 *
 * confine: see confine.h. Main thread.
 */
#include "app/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/syscalls.h"
#include "base/log.h"

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_confine_error_quark(void)
{
	return g_quark_from_static_string("vpnr-confine-error");
}

/* errno says why. */
static gboolean
fail(VpnrConfineError code, const char *what, GError **error)
{
	int err = errno;

	g_set_error(error, VPNR_CONFINE_ERROR, code, "%s: %s", what, g_strerror(err));
	return FALSE;
}

gboolean
vpnr_confine_find_user(const char *name, VpnrUser *user, GError **error)
{
	char buf[4096]; /* of one line of passwd(5) */
	struct passwd entry, *found = NULL;
	int code = getpwnam_r(name, &entry, buf, sizeof buf, &found);

	if (found == NULL) {
		g_set_error(error, VPNR_CONFINE_ERROR, VPNR_CONFINE_ERROR_NO_USER,
			    "there is no user \"%s\"%s%s", name, code != 0 ? ": " : "",
			    code != 0 ? g_strerror(code) : "");
		return FALSE;
	}
	if (user != NULL)
		*user = (VpnrUser){ .uid = entry.pw_uid, .gid = entry.pw_gid };
	return TRUE;
}

/* RLIMIT_NICE counts from 20, for the nice value 0, upwards to 40, for -20 (setrlimit(2)). A thread
 * that has given up something of its priority (base/patience.h) could not have it back otherwise
 * without CAP_SYS_NICE. FALSE if the limit cannot be raised. */
static gboolean
keep_priority(void)
{
	rlim_t wanted = (rlim_t)(20 - getpriority(PRIO_PROCESS, 0));
	struct rlimit limit;

	if (getrlimit(RLIMIT_NICE, &limit) < 0)
		return FALSE;
	if (limit.rlim_cur >= wanted)
		return TRUE;
	limit.rlim_cur = wanted;
	limit.rlim_max = MAX(limit.rlim_max, wanted);
	return setrlimit(RLIMIT_NICE, &limit) == 0;
}

static gboolean
has_now(int capability)
{
	return capng_have_capability(CAPNG_PERMITTED, (unsigned)capability) != 0;
}

/* Says to libcap-ng what is to be left, which is no more than there is. */
static void
choose(const VpnrConfine *confine)
{
	gboolean has[CAP_LAST_CAP + 1] = { FALSE };
	unsigned where = CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET;

	/* A program of another user than root has none but what is inherited. */
	if (confine->programs && (confine->user != NULL || geteuid() != 0))
		where |= CAPNG_INHERITABLE | CAPNG_AMBIENT;
	for (const int *capability = confine->capabilities; *capability >= 0; capability++)
		has[*capability] = has_now(*capability);
	if (!keep_priority())
		has[CAP_SYS_NICE] = has_now(CAP_SYS_NICE);
	capng_clear(CAPNG_SELECT_ALL);
	for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (has[capability])
			capng_update(CAPNG_ADD, (capng_type_t)where, (unsigned)capability);
}

/* As who the process is already. */
static gboolean
stay(GError **error)
{
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ||
	       fail(VPNR_CONFINE_ERROR_FAILED, "cannot give up capabilities", error);
}

static gboolean
become(const char *name, GError **error)
{
	g_autofree char *what = g_strdup_printf("cannot become the user \"%s\"", name);
	VpnrUser user;

	if (!vpnr_confine_find_user(name, &user, error))
		return FALSE;
	if (user.uid == getuid() && user.uid == geteuid())
		return stay(error);
	return capng_change_id((int)user.uid, (int)user.gid, CAPNG_INIT_SUPP_GRP) == 0 ||
	       fail(VPNR_CONFINE_ERROR_FORBIDDEN, what, error);
}

/* The bounding set is what root's programs would have; it can only be changed while there is
 * CAP_SETPCAP, and no_new_privs makes up for it where there is none. */
static gboolean
give_up_capabilities(const VpnrConfine *confine, GError **error)
{
	gboolean may_bound;

	if (capng_get_caps_process() < 0)
		return fail(VPNR_CONFINE_ERROR_FAILED, "cannot read the capabilities", error);
	may_bound = has_now(CAP_SETPCAP);
	choose(confine);
	if (may_bound && capng_apply(CAPNG_SELECT_BOUNDS) < 0)
		return fail(VPNR_CONFINE_ERROR_FAILED, "cannot bound the capabilities", error);
	if (confine->user != NULL ? !become(confine->user, error) : !stay(error))
		return FALSE;
	return capng_apply(CAPNG_SELECT_AMBIENT) == 0 ||
	       fail(VPNR_CONFINE_ERROR_FAILED, "cannot pass on capabilities", error);
}

static void
filter(const VpnrConfine *confine)
{
	g_autoptr(GError) why = NULL;

	if (!vpnr_syscalls_filter(confine->programs, &why))
		vpnr_log(VPNR_LOG_WARN, "system calls are not filtered: %s", why->message);
}

gboolean
vpnr_confine(const VpnrConfine *confine, GError **error)
{
	if (!give_up_capabilities(confine, error))
		return FALSE;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(VPNR_CONFINE_ERROR_FAILED, "cannot set no_new_privs", error);
	if (confine->filter)
		filter(confine);
	return TRUE;
}
