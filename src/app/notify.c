/* SPDX-License-Identifier: MIT
 *
 * notify: see notify.h. Main thread.
 */
#include "app/notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/log.h"

/* A path, or behind '@' a name that is in no file system (unix(7)). FALSE with errno for others. */
static gboolean
fill_address(const char *name, struct sockaddr_un *address, socklen_t *size)
{
	gsize n = strlen(name);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	errno = n >= sizeof address->sun_path ? ENAMETOOLONG : EAFNOSUPPORT;
	if (n >= sizeof address->sun_path || (*name != '/' && *name != '@'))
		return FALSE;
	memcpy(address->sun_path, name, n);
	if (*name == '@')
		address->sun_path[0] = '\0';
	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return TRUE;
}

/* FALSE with errno. */
static gboolean
tell(const char *name, const char *state)
{
	g_auto(VpnrFd) fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	socklen_t size;

	return fd >= 0 && fill_address(name, &address, &size) &&
	       sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		      size) >= 0;
}

static void
notify(const char *state)
{
	const char *name = g_getenv("NOTIFY_SOCKET");

	if (name != NULL && *name != '\0' && !tell(name, state))
		vpnr_log(VPNR_LOG_WARN, "nobody at NOTIFY_SOCKET=%s can be told: %s", name,
			 g_strerror(errno));
}

void
vpnr_notify_ready(void)
{
	notify("READY=1\n");
}

/* The time is what Type=notify-reload knows the answer to its own signal by. */
void
vpnr_notify_reloading(void)
{
	g_autofree char *state =
	    g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT "\n",
			    g_get_monotonic_time());

	notify(state);
}

void
vpnr_notify_stopping(void)
{
	notify("STOPPING=1\n");
}
