/* SPDX-License-Identifier: MIT
 *
 * probe: an application that holds connections open and tells how each of them ended.
 *
 *     probe [-n CONNECTIONS] [-s TEXT] ADDRESS PORT
 *
 * Connects, sends TEXT on each connection if it is given, prints "open N" once every one of the N
 * that are still there has received a byte, reads until all have ended, and prints one line:
 *
 *     refused=A reset=B end=C bytes=D
 *
 * refused: connect() failed; reset: ended by an error; end: by an ordinary end of data. One thread.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
	int refused, reset, end;
	unsigned long long bytes;
	int silent; /* open, and nothing received yet */
	int open;
} Counts;

static socklen_t
parse_address(const char *host, const char *port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof *ss);
	if (inet_pton(AF_INET, host, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(atoi(port));
		return sizeof *in4;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(atoi(port));
		return sizeof *in6;
	}
	errx(2, "\"%s\" is not an address", host);
}

/* A connected socket that has sent text, or -1, counted. */
static int
open_one(const struct sockaddr_storage *ss, socklen_t size, const char *text, Counts *counts)
{
	int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(2, "socket");
	if (connect(fd, (const struct sockaddr *)ss, size) < 0) {
		warn("connect");
		counts->refused++;
		close(fd);
		return -1;
	}
	/* A reset that is told here is not told again by read(). */
	if (text && send(fd, text, strlen(text), MSG_NOSIGNAL) < 0) {
		counts->reset++;
		close(fd);
		return -1;
	}
	counts->silent++;
	counts->open++;
	return fd;
}

/* Reads once; sets p->fd to -1 when the connection has ended. */
static void
read_one(struct pollfd *p, bool *heard, Counts *counts)
{
	char buf[65536];
	ssize_t n = read(p->fd, buf, sizeof buf);

	if (!*heard)
		counts->silent--;
	*heard = true;
	if (n > 0) {
		counts->bytes += n;
		return;
	}
	if (n < 0)
		counts->reset++;
	else
		counts->end++;
	counts->open--;
	close(p->fd);
	p->fd = -1;
}

static void
read_all(struct pollfd *fds, int n, Counts *counts)
{
	bool *heard = calloc(n, sizeof *heard);
	bool told = false;

	while (counts->open > 0) {
		if (counts->silent == 0 && !told) {
			printf("open %d\n", counts->open);
			told = true;
		}
		if (poll(fds, n, -1) < 0)
			err(2, "poll");
		for (int i = 0; i < n; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				read_one(&fds[i], &heard[i], counts);
	}
	free(heard);
}

int
main(int argc, char **argv)
{
	const char *text = NULL;
	int n = 1, option;

	while ((option = getopt(argc, argv, "n:s:")) != -1) {
		if (option == 'n')
			n = atoi(optarg);
		else if (option == 's')
			text = optarg;
		else
			return 2;
	}
	if (argc - optind != 2 || n < 1)
		errx(2, "usage: probe [-n CONNECTIONS] [-s TEXT] ADDRESS PORT");
	setvbuf(stdout, NULL, _IOLBF, 0);

	struct sockaddr_storage ss;
	socklen_t size = parse_address(argv[optind], argv[optind + 1], &ss);
	struct pollfd *fds = calloc(n, sizeof *fds);
	Counts counts = { 0 };

	for (int i = 0; i < n; i++)
		fds[i] = (struct pollfd){ open_one(&ss, size, text, &counts), POLLIN, 0 };
	read_all(fds, n, &counts);
	printf("refused=%d reset=%d end=%d bytes=%llu\n", counts.refused, counts.reset, counts.end,
	       counts.bytes);
	free(fds);
	return 0;
}
