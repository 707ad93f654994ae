/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "common/log/log.h"

#define ALL	((1U << CONTROLS) - 1)

static const char *const control_names[CONTROLS] = {
	[CONTROL_MEMORY] =	"memory",
	[CONTROL_CPU] =		"cpu",
	[CONTROL_CPUACCT] =	"cpuacct",
	[CONTROL_PIDS] =	"pids",
};

/* A line of mountinfo, proc(5). */
struct mount_line {
	char	*root;
	char	*point;
	char	*type;
	char	*options;	/* of the file system */
};

/* Blanks in paths are written as three octal digits. */
static void
unescape(char *s)
{
	char	*to = s;

	for (; *s != '\0'; s++, to++) {
		*to = *s;
		if (s[0] != '\\' || s[1] < '0' || s[1] > '3' || s[2] < '0' ||
		    s[2] > '7' || s[3] < '0' || s[3] > '7')
			continue;
		*to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
		    (s[3] - '0'));
		s += 3;
	}
	*to = '\0';
}

static bool
read_mount(char *line, struct mount_line *m)
{
	char	*head[5], *tail[3], *p;
	size_t	 i;

	for (i = 0; i < 5; i++)
		if ((head[i] = strsep(&line, " ")) == NULL)
			return false;
	while ((p = strsep(&line, " ")) != NULL && strcmp(p, "-") != 0)
		;
	for (i = 0; i < 3; i++)
		if ((tail[i] = strsep(&line, " ")) == NULL)
			return false;
	m->root = head[3];
	m->point = head[4];
	m->type = tail[0];
	m->options = tail[2];
	unescape(m->root);
	unescape(m->point);
	return true;
}

static unsigned int
controls_in(const char *list)
{
	unsigned int	 found = 0, i;
	size_t		 len;

	for (;;) {
		len = strcspn(list, ",");
		for (i = 0; i < CONTROLS; i++)
			if (strlen(control_names[i]) == len &&
			    strncmp(control_names[i], list, len) == 0)
				found |= 1U << i;
		if (list[len] == '\0')
			return found;
		list += len + 1;
	}
}

/*
 * The daemon's group where one of these controls is, or that of version 2
 * where none is asked for.
 */
static bool
own_group(const char *groups, unsigned int controls, char *path, size_t size)
{
	char	*copy = strdup(groups), *rest = copy, *line, *list;
	bool	 found = false;

	if (copy == NULL)
		fatal("out of memory", "");
	while (!found && (line = strsep(&rest, "\n")) != NULL) {
		strsep(&line, ":");
		list = strsep(&line, ":");
		if (list == NULL || line == NULL)
			continue;
		if (controls == 0 ? *list != '\0' :
		    (controls_in(list) & controls) == 0)
			continue;
		found = (size_t)snprintf(path, size, "%s", line) < size;
	}
	free(copy);
	return found;
}

/* Where the daemon's group is to be found in the tree of files. */
static bool
place_path(const struct mount_line *m, const char *group, char *path,
    size_t size)
{
	size_t	n = strlen(m->root);

	if (strcmp(m->root, "/") == 0)
		n = 0;
	else if (strncmp(group, m->root, n) != 0 ||
	    (group[n] != '\0' && group[n] != '/'))
		return false;
	if (strcmp(group + n, "/") == 0)
		group = "", n = 0;
	return (size_t)snprintf(path, size, "%s%s", m->point, group + n) <
	    size;
}

/* After a restart the daemon is in the leaf that it was moved to. */
static void
leave_leaf(char *path, const char *name)
{
	char	leaf[300];
	size_t	n = strlen(path), k;

	k = (size_t)snprintf(leaf, sizeof(leaf), "/%s.daemon", name);
	if (n > k && strcmp(path + n - k, leaf) == 0)
		path[n - k] = '\0';
}

static void
take_v1(const struct mount_line *m, const char *groups,
    struct cgroup_plan *plan, unsigned int *missing)
{
	struct cgroup_place	*p = &plan->place[plan->n];
	char			 group[CGROUP_PATH];

	p->controls = controls_in(m->options) & *missing;
	if (p->controls == 0 ||
	    !own_group(groups, p->controls, group, sizeof(group)) ||
	    !place_path(m, group, p->path, sizeof(p->path)))
		return;
	p->v2 = false;
	*missing &= ~p->controls;
	plan->n++;
}

static void
each_mount(const char *mounts, const char *type, const char *groups,
    const char *name, struct cgroup_plan *plan, unsigned int *missing)
{
	char			*copy = strdup(mounts), *rest = copy, *line;
	char			 group[CGROUP_PATH];
	struct cgroup_place	*p;
	struct mount_line	 m;

	if (copy == NULL)
		fatal("out of memory", "");
	while (*missing != 0 && (line = strsep(&rest, "\n")) != NULL) {
		if (!read_mount(line, &m) || strcmp(m.type, type) != 0)
			continue;
		if (strcmp(type, "cgroup") == 0) {
			take_v1(&m, groups, plan, missing);
			continue;
		}
		p = &plan->place[plan->n];
		if (!own_group(groups, 0, group, sizeof(group)) ||
		    !place_path(&m, group, p->path, sizeof(p->path)))
			continue;
		leave_leaf(p->path, name);
		p->v2 = true;
		p->controls = *missing;
		*missing = 0;
		plan->n++;
	}
	free(copy);
}

/* A control that version 1 has is not in version 2. */
const char *
cgroup_plan(const char *mounts, const char *groups, const char *name,
    struct cgroup_plan *plan)
{
	unsigned int	missing = ALL;

	plan->n = 0;
	each_mount(mounts, "cgroup", groups, name, plan, &missing);
	each_mount(mounts, "cgroup2", groups, name, plan, &missing);
	return missing == 0 ? NULL :
	    "no control groups for memory, cpu, cpuacct and pids";
}
