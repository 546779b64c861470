/* SPDX-License-Identifier: MIT
 *
 * trial: see trial.h.
 */
#include "leak/trial.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/fd.h"

/* Whatever comes after the first error follows from it. */
static void
fail(VpnrLeakTrial *trial, int error)
{
	trial->facts.error = error;
	vpnr_fd_close(vpnr_fd_steal(&trial->fd));
}

static void
send_payload(VpnrLeakTrial *trial)
{
	g_autoptr(GByteArray) payload = vpnr_leak_payload(trial->probe.kind);

	trial->opened = TRUE;
	if (send(trial->fd, payload->data, payload->len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		fail(trial, errno);
}

void
vpnr_leak_trial_start(VpnrLeakTrial *trial, const VpnrLeakProbe *probe)
{
	gboolean tcp = vpnr_leak_kind_is_tcp(probe->kind);
	struct sockaddr_storage ss;
	socklen_t size = vpnr_addr_to_sockaddr(&probe->dest, &ss);

	*trial = (VpnrLeakTrial){ .probe = *probe, .facts = { .tcp = tcp } };
	trial->fd = socket(ss.ss_family,
			   (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (trial->fd < 0 ||
	    (connect(trial->fd, (struct sockaddr *)&ss, size) < 0 && errno != EINPROGRESS)) {
		trial->facts.at_once = TRUE;
		fail(trial, errno);
		return;
	}
	trial->source = vpnr_fd_local_addr(trial->fd);
	if (!tcp)
		send_payload(trial);
}

short
vpnr_leak_trial_events(const VpnrLeakTrial *trial)
{
	if (!trial->opened)
		return POLLOUT;
	return trial->facts.answered ? 0 : POLLIN;
}

void
vpnr_leak_trial_look(VpnrLeakTrial *trial)
{
	guint8 byte;
	int error = 0;
	socklen_t size = sizeof error;

	if (getsockopt(trial->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0) {
		fail(trial, error);
		return;
	}
	if (!trial->opened) {
		send_payload(trial);
		return;
	}
	gssize n = recv(trial->fd, &byte, 1, MSG_DONTWAIT);
	if (n >= 0)
		trial->facts.answered = TRUE;
	else if (errno != EAGAIN)
		fail(trial, errno);
}

void
vpnr_leak_trial_note(VpnrLeakTrial *trial, const VpnrLeakPacket *packet, const char *interface)
{
	guint8 protocol = trial->facts.tcp ? IPPROTO_TCP : IPPROTO_UDP;

	if (packet->protocol != protocol || !vpnr_addr_equal(&packet->dest, &trial->probe.dest))
		return;
	trial->facts.outside = TRUE;
	g_strlcpy(trial->interface, interface, sizeof trial->interface);
}

void
vpnr_leak_trial_clear(VpnrLeakTrial *trial)
{
	vpnr_fd_close(vpnr_fd_steal(&trial->fd));
}
