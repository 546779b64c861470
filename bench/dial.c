/* SPDX-License-Identifier: MIT */
#include "bench/dial.h"

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* RFC 1928: version, "no authentication", CONNECT, and the two forms of an address. */
enum {
	SOCKS_VERSION = 5,
	SOCKS_NO_AUTH = 0,
	SOCKS_CONNECT = 1,
	SOCKS_IPV4 = 1,
	SOCKS_IPV6 = 4,
};

Address
address_parse(const char *host, const char *port)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;
	Address address = { 0 };

	int status = getaddrinfo(host, port, &hints, &found);
	if (status != 0)
		errx(2, "\"%s\", \"%s\": %s", host, port, gai_strerror(status));
	memcpy(&address.sa, found->ai_addr, found->ai_addrlen);
	address.size = found->ai_addrlen;
	freeaddrinfo(found);
	return address;
}

Address
address_parse_pair(const char *text)
{
	char host[INET6_ADDRSTRLEN + 2]; /* brackets and NUL included */
	const char *colon = strrchr(text, ':');

	if (!colon || (size_t)(colon - text) >= sizeof host)
		errx(2, "\"%s\" is not ADDRESS:PORT", text);
	size_t n = colon - text;
	memcpy(host, text, n);
	host[n] = '\0';
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		return address_parse(host + 1, colon + 1);
	}
	return address_parse(host, colon + 1);
}

static void
write_all(int fd, const void *bytes, size_t n)
{
	if (send(fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
		err(2, "send to the proxy");
}

static void
read_all(int fd, void *bytes, size_t n)
{
	if (recv(fd, bytes, n, MSG_WAITALL) != (ssize_t)n)
		errx(2, "the proxy does not answer");
}

/* Appends form, address and port as SOCKS5 writes them; returns their length. */
static size_t
put_target(unsigned char *bytes, const Address *target)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)&target->sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&target->sa;

	if (target->sa.ss_family == AF_INET) {
		bytes[0] = SOCKS_IPV4;
		memcpy(bytes + 1, &in4->sin_addr, 4);
		memcpy(bytes + 5, &in4->sin_port, 2);
		return 7;
	}
	bytes[0] = SOCKS_IPV6;
	memcpy(bytes + 1, &in6->sin6_addr, 16);
	memcpy(bytes + 17, &in6->sin6_port, 2);
	return 19;
}

static void
ask_proxy(int fd, const Address *target)
{
	const unsigned char greeting[] = { SOCKS_VERSION, 1, SOCKS_NO_AUTH };
	unsigned char request[3 + 19] = { SOCKS_VERSION, SOCKS_CONNECT, 0 };
	unsigned char answer[3 + 19];

	write_all(fd, greeting, sizeof greeting);
	read_all(fd, answer, 2);
	if (answer[0] != SOCKS_VERSION || answer[1] != SOCKS_NO_AUTH)
		errx(2, "the proxy wants a password, or is none");
	write_all(fd, request, 3 + put_target(request + 3, target));
	read_all(fd, answer, 4);
	if (answer[1] != 0)
		errx(2, "the proxy refuses: SOCKS5 reply %d", answer[1]);
	/* The rest: address and port that the proxy is bound to. */
	if (answer[3] != SOCKS_IPV4 && answer[3] != SOCKS_IPV6)
		errx(2, "the proxy's answer has an address of type %d", answer[3]);
	read_all(fd, answer + 4, answer[3] == SOCKS_IPV4 ? 6 : 18);
}

int
dial(const Address *target, const Address *proxy)
{
	const Address *first = proxy ? proxy : target;
	int one = 1;

	int fd = socket(first->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(2, "socket");
	if (connect(fd, (const struct sockaddr *)&first->sa, first->size) < 0)
		err(2, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (proxy)
		ask_proxy(fd, target);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}
