/* SPDX-License-Identifier: MIT
 *
 * resolver: see resolver.h. What is kept is the one that failed last, not the one to ask: many
 * questions fail together, and the list may be another by then.
 */
#include "server/resolver.h"

#include <pthread.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/nameserver.h"

struct VpnrResolver {
	/* lock */
	pthread_mutex_t lock;
	VpnrAddr failed; /* of no type: none has */
	guint count;     /* of the last list */
};

VpnrResolver *
vpnr_resolver_new(void)
{
	VpnrResolver *resolver = g_new0(VpnrResolver, 1);

	pthread_mutex_init(&resolver->lock, NULL);
	return resolver;
}

void
vpnr_resolver_free(VpnrResolver *resolver)
{
	if (resolver == NULL)
		return;
	pthread_mutex_destroy(&resolver->lock);
	g_free(resolver);
}

/* Where the one behind the one that failed stands. */
static guint
find_first(const GArray *list, const VpnrAddr *failed)
{
	for (guint i = 0; i < list->len; i++)
		if (vpnr_addr_equal(&g_array_index(list, VpnrAddr, i), failed))
			return (i + 1) % list->len;
	return 0;
}

GArray *
vpnr_resolver_list(VpnrResolver *resolver, GError **error)
{
	g_autoptr(GArray) list = vpnr_nameserver_list(error);
	GArray *turned;
	guint first;

	if (list == NULL)
		return NULL;
	pthread_mutex_lock(&resolver->lock);
	resolver->count = list->len;
	first = find_first(list, &resolver->failed);
	pthread_mutex_unlock(&resolver->lock);
	turned = g_array_sized_new(FALSE, FALSE, sizeof(VpnrAddr), list->len);
	g_array_append_vals(turned, &g_array_index(list, VpnrAddr, first), list->len - first);
	g_array_append_vals(turned, list->data, first);
	return turned;
}

static gboolean
has_others(VpnrResolver *resolver)
{
	gboolean others;

	pthread_mutex_lock(&resolver->lock);
	others = resolver->count > 1;
	pthread_mutex_unlock(&resolver->lock);
	return others;
}

void
vpnr_resolver_serve(VpnrResolver *resolver, VpnrFlow *flow, int fd)
{
	VpnrAddr server = vpnr_fd_peer_addr(fd);
	VpnrReason reason;

	if (has_others(resolver))
		vpnr_flow_expect_answer(flow, VPNR_RESOLVER_PATIENCE_MS);
	reason = vpnr_flow_run(flow, fd);
	if (reason == VPNR_REASON_REFUSED || reason == VPNR_REASON_UNREACHABLE)
		vpnr_resolver_pass_over(resolver, &server);
}

void
vpnr_resolver_pass_over(VpnrResolver *resolver, const VpnrAddr *server)
{
	char text[VPNR_ADDR_STRLEN];

	vpnr_log(VPNR_LOG_DEBUG, "the name server %s does not answer",
		 vpnr_addr_format(server, text));
	pthread_mutex_lock(&resolver->lock);
	resolver->failed = *server;
	pthread_mutex_unlock(&resolver->lock);
}
