/* SPDX-License-Identifier: ISC */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "parent.h"

static void
add(EVP_MD_CTX *md, const void *data, size_t len)
{
	if (EVP_DigestUpdate(md, data, len) != 1)
		fatal("cannot hash", "");
}

/*
 * A script belongs to the tool as much as its manifest does.  Its digest is
 * what is added, so that no byte can move from one file to the next.
 */
static void
add_file(EVP_MD_CTX *md, const char *path)
{
	EVP_MD_CTX	*own = EVP_MD_CTX_new();
	struct stat	 st;
	uint8_t		 digest[32];
	char		 buf[65536];
	ssize_t		 n;
	int		 fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (own == NULL || EVP_DigestInit_ex(own, EVP_sha256(), NULL) != 1)
		fatal("cannot hash", "");
	if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			add(own, buf, (size_t)n);
	if (fd != -1)
		close(fd);
	if (EVP_DigestFinal_ex(own, digest, NULL) != 1)
		fatal("cannot hash", "");
	EVP_MD_CTX_free(own);
	add(md, digest, sizeof(digest));
}

void
tool_digest(const json_t *tool, uint8_t digest[32])
{
	const json_t	*files = json_object_get(tool, "files");
	EVP_MD_CTX	*md = EVP_MD_CTX_new();
	char		*text;
	size_t		 len, i;

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		fatal("cannot hash", "");
	text = js_canon(tool, &len);
	add(md, text, len + 1);
	free(text);
	for (i = 0; i < json_array_size(files); i++)
		add_file(md, js_string(json_array_get(files, i), "source"));
	if (EVP_DigestFinal_ex(md, digest, NULL) != 1)
		fatal("cannot hash", "");
	EVP_MD_CTX_free(md);
}
