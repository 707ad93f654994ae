/* SPDX-License-Identifier: ISC */

#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "compile.h"

#define DAY	1440			/* minutes */

static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat",
    "sun" };

static bool
mask_clears(const struct network *net, const uint8_t *a)
{
	unsigned int	i;

	for (i = net->bits; i < 128; i++)
		if (a[i / 8] & 0x80 >> (i % 8))
			return false;
	return true;
}

static bool
contains(const struct network *net, const uint8_t *a)
{
	size_t	whole = net->bits / 8;
	uint8_t	rest;

	if (memcmp(net->address, a, whole) != 0)
		return false;
	if (net->bits % 8 == 0)
		return true;
	rest = (uint8_t)(0xff << (8 - net->bits % 8));
	return ((net->address[whole] ^ a[whole]) & rest) == 0;
}

bool
network_read(const char *text, struct network *net)
{
	char		 host[64];
	const char	*slash = strchr(text, '/'), *error = NULL;
	size_t		 n = slash == NULL ? strlen(text) :
			    (size_t)(slash - text);
	unsigned int	 max = 128;

	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	memset(net, 0, sizeof(*net));
	if (inet_pton(AF_INET, host, net->address + 12) == 1) {
		net->address[10] = net->address[11] = 0xff;
		max = 32;
	} else if (inet_pton(AF_INET6, host, net->address) != 1)
		return false;
	net->bits = max;
	if (slash != NULL)
		net->bits = (unsigned int)strtonum(slash + 1, 0, max, &error);
	net->bits += 128 - max;
	return error == NULL && (slash == NULL || slash[1] != '+');
}

static int
take_network(struct compile *c, const char *text, void *arg)
{
	struct when	*w = arg;
	struct network	*net;

	w->networks = recallocarray(w->networks, w->nnetworks,
	    w->nnetworks + 1, sizeof(*w->networks));
	if (w->networks == NULL)
		fatal("out of memory", "");
	net = &w->networks[w->nnetworks++];
	if (!network_read(text, net))
		return compile_fail(c, "\"%s\" is no network; 10.0.0.0/8, "
		    "192.0.2.7, 2001:db8::/32 and ::1 are", text);
	if (!mask_clears(net, net->address))
		return compile_fail(c, "\"%s\" has bits set behind its prefix; "
		    "clear them, or make the prefix longer", text);
	return 0;
}

static int
take_method(struct compile *c, const char *word, void *arg)
{
	struct when	*w = arg;
	unsigned int	 m;

	for (m = METHOD_NONE + 1; m < METHOD__COUNT; m++)
		if (strcmp(word, method_word(m)) == 0) {
			w->methods |= 1U << m;
			return 0;
		}
	return compile_fail(c, "\"%s\" is no method of authentication; key, "
	    "certificate, operator and system are", word);
}

static int
take_day(struct compile *c, const char *word, void *arg)
{
	struct hours	*h = arg;
	unsigned int	 d;

	for (d = 0; d < COUNT(days); d++)
		if (strcmp(word, days[d]) == 0) {
			h->days |= 1U << d;
			return 0;
		}
	return compile_fail(c, "\"%s\" is no day; mon, tue, wed, thu, fri, sat "
	    "and sun are", word);
}

/* "HH:MM" as minutes; -1 if it is not that. */
static int
read_clock(const char *s)
{
	int	h, m;

	if (strlen(s) != 5 || s[2] != ':' ||
	    strspn(s, "0123456789:") != 5 || s[0] == ':' || s[1] == ':' ||
	    s[3] == ':' || s[4] == ':')
		return -1;
	h = (s[0] - '0') * 10 + s[1] - '0';
	m = (s[3] - '0') * 10 + s[4] - '0';
	return m > 59 || h * 60 + m > DAY ? -1 : h * 60 + m;
}

static int
take_clock(struct compile *c, const json_t *time, const char *key, int *to)
{
	const char	*text = js_string(time, key);
	size_t		 mark;

	if (json_object_get(time, key) == NULL)
		return 0;
	mark = compile_enter(c, key);
	*to = text == NULL ? -1 : read_clock(text);
	if (*to == -1)
		return compile_fail(c, "a time of day belongs here, as in "
		    "\"08:30\"");
	compile_leave(c, mark);
	return 0;
}

static int
take_zone(struct compile *c, const json_t *time, int *zone)
{
	const char	*text = js_string(time, "zone");
	int		 v;

	if (json_object_get(time, "zone") == NULL)
		return 0;
	if (text != NULL && strcmp(text, "Z") == 0)
		return 0;
	v = text == NULL || (*text != '+' && *text != '-') ? -1 :
	    read_clock(text + 1);
	if (v == -1 || v > 14 * 60)
		return compile_fail(c, "zone: a fixed offset from UTC belongs "
		    "here, as in \"+01:00\" or \"Z\"");
	*zone = *text == '-' ? -v : v;
	return 0;
}

static int
take_hours(struct compile *c, const json_t *v, struct when *w)
{
	static const char *const	names[] = { "days", "from", "to",
					    "zone" };
	struct hours			*h = &w->hours;
	size_t				 mark;

	h->given = true;
	h->to = DAY;
	if (compile_members(c, v, names, COUNT(names)) == -1)
		return -1;
	mark = compile_enter(c, "days");
	if (compile_texts(c, json_object_get(v, "days"), take_day, h) == -1)
		return -1;
	compile_leave(c, mark);
	if (h->days == 0)
		h->days = 0x7f;
	if (take_clock(c, v, "from", &h->from) == -1 ||
	    take_clock(c, v, "to", &h->to) == -1 ||
	    take_zone(c, v, &h->zone) == -1)
		return -1;
	if (h->from == h->to)
		return compile_fail(c, "\"from\" and \"to\" are the same: no "
		    "time is between them");
	return 0;
}

static int
take_networks(struct compile *c, const json_t *v, struct when *w)
{
	return compile_texts(c, v, take_network, w);
}

static int
take_methods(struct compile *c, const json_t *v, struct when *w)
{
	return compile_texts(c, v, take_method, w);
}

static int
take_tests(struct compile *c, const json_t *v, struct when *w)
{
	size_t	i, mark;

	if (!json_is_array(v) || json_array_size(v) == 0)
		return compile_fail(c, "a list of conditions belongs here");
	w->tests = calloc(json_array_size(v), sizeof(*w->tests));
	if (w->tests == NULL)
		fatal("out of memory", "");
	for (i = 0; i < json_array_size(v); i++) {
		mark = compile_enter_at(c, i);
		if (test_compile(c, json_array_get(v, i),
		    &w->tests[w->ntests++]) == -1)
			return -1;
		compile_leave(c, mark);
	}
	return 0;
}

int
when_compile(struct compile *c, const json_t *v, struct when *w)
{
	static const char *const	names[] = { "address", "time", "method",
					    "arguments" };
	static int (*const	fns[])(struct compile *, const json_t *,
	    struct when *) = { take_networks, take_hours, take_methods,
	    take_tests };
	const json_t		*part;
	size_t			 i, mark;

	if (compile_members(c, v, names, COUNT(names)) == -1)
		return -1;
	for (i = 0; i < COUNT(names); i++) {
		part = json_object_get(v, names[i]);
		if (part == NULL)
			continue;
		mark = compile_enter(c, names[i]);
		if (fns[i](c, part, w) == -1)
			return -1;
		compile_leave(c, mark);
	}
	return 0;
}

void
when_free(struct when *w)
{
	size_t	i;

	for (i = 0; i < w->ntests; i++)
		test_free(&w->tests[i]);
	free(w->tests);
	free(w->networks);
}

enum truth
when_caller(const struct when *w, const struct facts *f)
{
	size_t	i;

	if (w->methods != 0 && !(w->methods & 1U << f->method))
		return TRUTH_NO;
	if (w->nnetworks == 0)
		return TRUTH_YES;
	for (i = 0; f->address != NULL && i < w->nnetworks; i++)
		if (contains(&w->networks[i], f->address))
			return TRUTH_YES;
	return TRUTH_NO;
}

enum truth
when_time(const struct when *w, const struct facts *f)
{
	const struct hours	*h = &w->hours;
	int64_t			 minute, day;
	bool			 today, yesterday;
	int			 m;

	if (!h->given)
		return TRUTH_YES;
	minute = f->now / 60 + h->zone;
	day = minute / DAY + 3;			/* it began on a Thursday */
	m = (int)(minute % DAY);
	today = h->days >> (day % 7) & 1;
	yesterday = h->days >> ((day + 6) % 7) & 1;
	if (h->from < h->to)
		return today && m >= h->from && m < h->to ? TRUTH_YES :
		    TRUTH_NO;
	return (today && m >= h->from) || (yesterday && m < h->to) ?
	    TRUTH_YES : TRUTH_NO;
}

bool
when_is_fleeting(const struct when *w)
{
	return w->hours.given || w->ntests > 0;
}

enum truth
when_holds(const struct rules *r, const struct when *w, const struct facts *f)
{
	enum truth	all = TRUTH_YES, t;
	size_t		i;

	if (when_caller(w, f) == TRUTH_NO || when_time(w, f) == TRUTH_NO)
		return TRUTH_NO;
	for (i = 0; i < w->ntests; i++) {
		t = test_holds(r, &w->tests[i], f->args);
		if (t == TRUTH_NO)
			return TRUTH_NO;
		if (t < all)
			all = t;
	}
	return all;
}
