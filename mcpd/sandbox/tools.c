/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "tools.h"

#define MEMORY_MIN	(4UL * 1024 * 1024)
#define CPU_MIN		10		/* the kernel's: 1 ms in 100 */
#define OPEN_FILES_MIN	16
#define OPEN_FILES_MAX	65536

static char *
copy(const void *data, size_t len)
{
	char	*s = malloc(len + 1);

	if (s == NULL)
		fatal("out of memory", "");
	memcpy(s, data, len);
	s[len] = '\0';
	return s;
}

static void
strings_add(struct strings *s, struct bytes item)
{
	s->list = recallocarray(s->list, s->n == 0 ? 0 : s->n + 1, s->n + 2,
	    sizeof(*s->list));
	if (s->list == NULL)
		fatal("out of memory", "");
	s->list[s->n++] = copy(item.data, item.len);
}

static void
strings_read(struct strings *s, struct bytes list)
{
	struct bytes	item;

	while (list_next(&list, &item))
		strings_add(s, item);
}

static void
strings_free(struct strings *s)
{
	size_t	i;

	for (i = 0; i < s->n; i++)
		free(s->list[i]);
	free(s->list);
}

/* Is it absolute, without empty parts, "." and ".."? */
static bool
is_clean(const char *path)
{
	size_t	n;

	if (strcmp(path, "/") == 0)
		return true;
	while (*path == '/') {
		path++;
		n = strcspn(path, "/");
		if (n == 0 || (n == 1 && path[0] == '.') ||
		    (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += n;
		if (*path == '\0')
			return true;
	}
	return false;
}

/* These have contents of their own in every sandbox. */
static bool
is_reserved(const char *path)
{
	static const char *const	reserved[] = { "/dev", "/proc",
	    "/sys", "/tmp" };
	size_t				i, n;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		n = strlen(reserved[i]);
		if (strncmp(path, reserved[i], n) == 0 &&
		    (path[n] == '\0' || path[n] == '/'))
			return true;
	}
	return strcmp(path, "/") == 0;
}

static bool
has_variable(const struct strings *s, const char *name)
{
	size_t	i, n = strlen(name);

	for (i = 0; i < s->n; i++)
		if (strncmp(s->list[i], name, n) == 0)
			return true;
	return false;
}

static void
add_defaults(struct strings *s)
{
	static const struct {
		const char	*name;
		const char	*text;
	} defaults[] = {
		{ "PATH=",	"PATH=/usr/local/bin:/usr/bin:/bin" },
		{ "LANG=",	"LANG=C.UTF-8" },
		{ "HOME=",	"HOME=/tmp" },
	};
	size_t	i;

	for (i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (!has_variable(s, defaults[i].name))
			strings_add(s, bytes_of(defaults[i].text));
}

static const char *
check_binds(const struct strings *s)
{
	size_t	i;

	if (s->n % 2 != 0)
		return "a bind without a target";
	for (i = 0; i < s->n; i += 2) {
		if (!is_clean(s->list[i]) || !is_clean(s->list[i + 1]))
			return "a bind that is no plain absolute path";
		if (is_reserved(s->list[i + 1]))
			return "a bind over what every sandbox has";
	}
	return NULL;
}

static const char *
check(const struct tool *t)
{
	size_t	i;

	if (t->command.n == 0 || t->command.list[0][0] == '\0')
		return "no command";
	if (strcmp(t->root, HOST_USR) != 0 &&
	    (!is_clean(t->root) || strcmp(t->root, "/") == 0))
		return "a root that is no plain absolute path";
	if (!is_clean(t->directory))
		return "a directory that is no plain absolute path";
	for (i = 0; i < t->environment.n; i++)
		if (strchr(t->environment.list[i], '=') == NULL)
			return "an environment variable without a value";
	if (t->memory < MEMORY_MIN)
		return "less memory than 4 MiB";
	if (t->cpu_milli < CPU_MIN)
		return "less CPU than a hundredth";
	if (t->processes == 0)
		return "no processes";
	if (t->open_files < OPEN_FILES_MIN || t->open_files > OPEN_FILES_MAX)
		return "a number of open files that is not 16 to 65536";
	return check_binds(&t->binds);
}

static void
tool_free(struct tool *t)
{
	free(t->root);
	free(t->directory);
	strings_free(&t->command);
	strings_free(&t->environment);
	strings_free(&t->binds);
	free(t);
}

static void
add_sources(struct sources *s, const struct tool *t)
{
	size_t	i;

	if (strcmp(t->root, HOST_USR) != 0)
		sources_add(s, t->root);
	for (i = 0; i < t->binds.n; i += 2)
		sources_add(s, t->binds.list[i]);
}

const char *
conf_add(struct conf *c, const struct msg_conf_tool_sandbox *m)
{
	struct tool	*t = calloc(1, sizeof(*t));
	const char	*why;

	if (t == NULL)
		fatal("out of memory", "");
	t->conf = c;
	t->index = m->index;
	t->tier = m->tier;
	memcpy(t->digest, m->digest, sizeof(t->digest));
	t->root = copy(m->root.data, m->root.len);
	t->directory = m->directory.len == 0 ? copy("/", 1) :
	    copy(m->directory.data, m->directory.len);
	strings_read(&t->command, m->command);
	strings_read(&t->environment, m->environment);
	strings_read(&t->binds, m->binds);
	t->memory = m->memory;
	t->cpu_milli = m->cpu_milli;
	t->processes = m->processes;
	t->open_files = m->open_files;
	t->warm = m->warm;
	t->files = -1;
	TAILQ_INIT(&t->bound);
	TAILQ_INIT(&t->parked);
	if (bytes_str(m->name, t->name, sizeof(t->name)) == -1)
		why = "a name that is too long";
	else if (conf_tool(c, t->index) != NULL)
		why = "two tools of one index";
	else
		why = check(t);
	if (why != NULL) {
		tool_free(t);
		return why;
	}
	add_defaults(&t->environment);
	add_sources(&c->sources, t);
	c->tool = recallocarray(c->tool, c->n, c->n + 1, sizeof(*c->tool));
	if (c->tool == NULL)
		fatal("out of memory", "");
	c->tool[c->n++] = t;
	return NULL;
}

struct conf *
conf_new(struct confs *confs, uint32_t generation)
{
	struct conf	*c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("out of memory", "");
	c->generation = generation;
	TAILQ_INSERT_TAIL(confs, c, entry);
	return c;
}

struct conf *
conf_find(const struct confs *confs, uint32_t generation)
{
	struct conf	*c;

	TAILQ_FOREACH(c, confs, entry)
		if (c->generation == generation)
			return c;
	return NULL;
}

void
conf_free(struct confs *confs, struct conf *c)
{
	size_t	i;

	TAILQ_REMOVE(confs, c, entry);
	for (i = 0; i < c->n; i++)
		tool_free(c->tool[i]);
	free(c->tool);
	sources_free(&c->sources);
	free(c);
}

struct tool *
conf_tool(const struct conf *c, uint32_t index)
{
	size_t	i;

	/* As a rule they come in order. */
	if (index < c->n && c->tool[index]->index == index)
		return c->tool[index];
	for (i = 0; i < c->n; i++)
		if (c->tool[i]->index == index)
			return c->tool[i];
	return NULL;
}

void
conf_add_probes(struct confs *confs)
{
	struct conf			*c = conf_new(confs, PROBES);
	struct msg_conf_tool_sandbox	 m = { .memory = 64UL * 1024 * 1024,
					    .cpu_milli = 1000,
					    .processes = 16,
					    .open_files = 64 };
	uint8_t				 list[32];
	size_t				 len = 0;
	enum tier			 tier;

	m.name = bytes_of("probe");
	m.root = bytes_of(HOST_USR);
	if (list_add(list, sizeof(list), &len, "/bin/sh", 7) == -1)
		fatal("the command of a probe is too long", "");
	m.command = (struct bytes){ list, len };
	for (tier = 0; tier < TIER__COUNT; tier++) {
		m.index = tier;
		m.tier = (uint8_t)tier;
		if (conf_add(c, &m) != NULL)
			fatal("a probe is refused", "");
	}
}

const char *
host_read(struct host *h, const struct msg_conf_sandbox *m)
{
	if (bytes_str(m->runsc, h->runsc, sizeof(h->runsc)) == -1 ||
	    bytes_str(m->scratch, h->scratch, sizeof(h->scratch)) == -1 ||
	    bytes_str(m->cgroup, h->cgroup, sizeof(h->cgroup)) == -1)
		return "a path that is too long";
	h->uid_base = m->uid_base;
	h->uid_count = m->uid_count;
	h->given = true;
	if (!is_clean(h->scratch) || !is_clean(h->runsc))
		return "runsc or scratch is no plain absolute path";
	if (h->uid_base == 0 || h->uid_count < 2 ||
	    h->uid_base + h->uid_count < h->uid_base)
		return "a range of uids that holds no two, or root";
	return NULL;
}
