/* SPDX-License-Identifier: MIT
 *
 * delay: a cable between two network namespaces that is long, slow or bad.
 *
 *     delay [-d MS] [-r MBIT] [-q MS] [-l PERCENT] NAMESPACE NAMESPACE
 *
 * Makes a tun device "delay" in each namespace (a name of ip netns) and prints "ready"; what one of
 * them sends the other receives. Both directions alike:
 *
 * -d     how long a packet is under way (50 ms)
 * -r     what the cable carries (200 * 10^6 bits per second)
 * -q     what waits in front of it at most, in ms at that rate (50); more is dropped
 * -l     so many packets of a hundred are lost, by chance, in the same order each time (0)
 *
 * The devices go with the process. A packet is 1,500 bytes at most, and they are not put together
 * to larger ones anywhere on the way, so that loss is of packets. One thread for each direction.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
	MTU = 1500,
	/* At 1 Gbit/s 100 ms are 8,300 packets; small ones come more often. */
	SLOTS = 32768,
	/* Packets taken in at once, before the next look at what is due. */
	BATCH = 64,
};

typedef struct {
	int64_t delay_ns;
	int64_t queue_ns;
	double ns_per_byte;
	uint32_t lost_below; /* of a random number */
} Plan;

typedef struct {
	int64_t due_ns;
	uint16_t size;
	unsigned char bytes[MTU];
} Packet;

typedef struct {
	const Plan *plan;
	int from, to;
	Packet *ring; /* SLOTS; those under way are first, first + 1, ... of them */
	size_t first, n;
	int64_t free_ns; /* when the last of them has left the queue */
	uint32_t random;
} Direction;

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool
is_lost(Direction *direction)
{
	uint32_t x = direction->random;

	/* xorshift32 (Marsaglia, 2003) */
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	direction->random = x;
	return x < direction->plan->lost_below;
}

/* Takes a packet in, or drops it. */
static void
admit(Direction *direction, Packet *packet, ssize_t size)
{
	const Plan *plan = direction->plan;
	int64_t now = now_ns();
	int64_t leaves = direction->free_ns > now ? direction->free_ns : now;

	if (is_lost(direction) || leaves - now > plan->queue_ns)
		return;
	leaves += (int64_t)(size * plan->ns_per_byte);
	direction->free_ns = leaves;
	packet->size = size;
	packet->due_ns = leaves + plan->delay_ns;
	direction->n++;
}

static void
receive(Direction *direction)
{
	for (int i = 0; i < BATCH && direction->n < SLOTS; i++) {
		Packet *packet = &direction->ring[(direction->first + direction->n) % SLOTS];
		ssize_t n = read(direction->from, packet->bytes, MTU);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			err(1, "read from a device");
		admit(direction, packet, n);
	}
}

/* Returns how long until the next is due, in ns; a second if there is none. */
static int64_t
deliver(Direction *direction)
{
	while (direction->n > 0) {
		const Packet *packet = &direction->ring[direction->first];
		int64_t early = packet->due_ns - now_ns();
		if (early > 0)
			return early;
		/* A device that does not take it, or is not up yet (EIO), loses it, as a cable
		 * would. */
		if (write(direction->to, packet->bytes, packet->size) < 0 && errno != EAGAIN &&
		    errno != ENOBUFS && errno != EINVAL && errno != EIO)
			err(1, "write to a device");
		direction->first = (direction->first + 1) % SLOTS;
		direction->n--;
	}
	return 1000000000;
}

static void *
run(void *data)
{
	Direction *direction = data;

	prctl(PR_SET_TIMERSLACK, 1000);
	for (;;) {
		int64_t wait = deliver(direction);
		struct timespec timeout = { wait / 1000000000, wait % 1000000000 };
		struct pollfd from = { direction->from, direction->n < SLOTS ? POLLIN : 0, 0 };
		if (ppoll(&from, 1, &timeout, NULL) > 0)
			receive(direction);
	}
	return NULL;
}

static int
open_device(const char *namespace)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "delay" };
	char path[256];

	snprintf(path, sizeof path, "/run/netns/%s", namespace);
	int place = open(path, O_RDONLY | O_CLOEXEC);
	if (place < 0 || setns(place, CLONE_NEWNET) < 0)
		err(2, "%s", path);
	close(place);
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		err(2, "/dev/net/tun");
	return fd;
}

static void
start(Direction *direction)
{
	pthread_t thread;

	direction->ring = calloc(SLOTS, sizeof *direction->ring);
	direction->random = 1;
	if (!direction->ring || pthread_create(&thread, NULL, run, direction) != 0)
		errx(2, "no memory or no thread");
}

int
main(int argc, char **argv)
{
	double delay_ms = 50, mbit = 200, queue_ms = 50, lost_percent = 0;
	int option;

	while ((option = getopt(argc, argv, "d:r:q:l:")) != -1) {
		if (option == 'd')
			delay_ms = atof(optarg);
		else if (option == 'r')
			mbit = atof(optarg);
		else if (option == 'q')
			queue_ms = atof(optarg);
		else if (option == 'l')
			lost_percent = atof(optarg);
		else
			return 2;
	}
	if (argc - optind != 2 || mbit <= 0)
		errx(2, "usage: delay [-d MS] [-r MBIT] [-q MS] [-l PERCENT] NAMESPACE NAMESPACE");

	const Plan plan = {
		.delay_ns = delay_ms * 1e6,
		.queue_ns = queue_ms * 1e6,
		.ns_per_byte = 8000 / mbit,
		.lost_below = lost_percent / 100 * UINT32_MAX,
	};
	int a = open_device(argv[optind]), b = open_device(argv[optind + 1]);
	Direction there = { .plan = &plan, .from = a, .to = b };
	Direction back = { .plan = &plan, .from = b, .to = a };
	start(&there);
	start(&back);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
