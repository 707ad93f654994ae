/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log/log.h"
#include "tools.h"

int
sources_find(const struct sources *s, const char *path)
{
	size_t	i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->list[i].path, path) == 0)
			return (int)i;
	return -1;
}

size_t
sources_add(struct sources *s, const char *path)
{
	int	found = sources_find(s, path);

	if (found != -1)
		return (size_t)found;
	s->list = recallocarray(s->list, s->n, s->n + 1, sizeof(*s->list));
	if (s->list == NULL || (s->list[s->n].path = strdup(path)) == NULL)
		fatal("out of memory", "");
	s->list[s->n].tree = -1;
	return s->n++;
}

void
sources_move(struct sources *to, struct sources *from)
{
	size_t	i;
	int	found;

	for (i = 0; i < from->n; i++) {
		found = sources_find(to, from->list[i].path);
		if (found == -1 || to->list[found].tree != -1)
			continue;
		to->list[found].tree = from->list[i].tree;
		from->list[i].tree = -1;
	}
}

void
sources_close(struct sources *s)
{
	size_t	i;

	for (i = 0; i < s->n; i++) {
		if (s->list[i].tree != -1)
			close(s->list[i].tree);
		s->list[i].tree = -1;
	}
}

void
sources_free(struct sources *s)
{
	size_t	i;

	sources_close(s);
	for (i = 0; i < s->n; i++)
		free(s->list[i].path);
	free(s->list);
	memset(s, 0, sizeof(*s));
}
