/* SPDX-License-Identifier: ISC */

/*
 * What tools may see of the host besides /usr: sandbox, once confined,
 * cannot name a path.  It gets each as a mount that is nowhere yet, and
 * read-only from the beginning.
 */

#include <sys/mount.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "parent.h"

#define READ_ONLY							\
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

static int
open_read_only(const char *path)
{
	/* Neither side is to see what the other mounts or unmounts there. */
	struct mount_attr	attr = { .attr_set = READ_ONLY,
				    .propagation = MS_PRIVATE };
	int			tree;

	tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree != -1 && mount_setattr(tree, "", AT_EMPTY_PATH, &attr,
	    sizeof(attr)) == -1) {
		close(tree);
		return -1;
	}
	return tree;
}

/* A tool that misses it will say so each time that it is called. */
static void
send_path(struct proc *process, json_t *sent, const char *path)
{
	struct msg_tree	m = { .path = bytes_of(path) };

	if (json_object_get(sent, path) != NULL)
		return;
	json_object_set_new(sent, path, json_true());
	m.tree = open_read_only(path);
	if (m.tree == -1)
		log_warn_errno("a path for tools is not there", "path=%s",
		    path);
	else
		send_tree(process->edge, 0, &m);
}

void
trees_send(struct proc *process, const struct config *config)
{
	const json_t	*tools = json_object_get(config->tree, "tools");
	const json_t	*tool, *files;
	json_t		*sent = json_object();
	const char	*root;
	size_t		 i, k;

	if (sent == NULL)
		fatal("out of memory", "");
	for (i = 0; i < json_array_size(tools); i++) {
		tool = json_array_get(tools, i);
		root = js_string(tool, "root");
		if (root[0] == '/')
			send_path(process, sent, root);
		files = json_object_get(tool, "files");
		for (k = 0; k < json_array_size(files); k++)
			send_path(process, sent, js_string(json_array_get(
			    files, k), "source"));
	}
	json_decref(sent);
}
