/* SPDX-License-Identifier: ISC */

/*
 * The official tests of JSON Schema 2020-12, one line of TAP for each file.
 * MCPD_DATA names the directory that has them.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/json/js.h"
#include "common/schema/schema.h"

#define BASE		"http://localhost:1234/"
#define METASCHEMA	"{\"$ref\":\"https://json-schema.org/draft/2020-12/" \
			"schema\"}"
/* Of \u0000, which js_parse() refuses. */
#define STAND_IN	"\\ue000"
#define STAND_IN_UTF8	"\xee\x80\x80"

struct suite {
	struct schema_docs	*docs;
	struct schema		*metaschema;
	unsigned int		 lines;
	unsigned int		 failed;
	unsigned int		 tests;
};

static void
die(const char *what, const char *path)
{
	printf("not ok 1 - %s %s\n", what, path);
	exit(1);
}

static char	*print(const char *, ...) __attribute__((format(printf, 1, 2)));

static char *
print(const char *format, ...)
{
	va_list	 ap;
	char	*text;
	int	 n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n == -1)
		die("no memory for", format);
	return text;
}

static char *
read_file(const char *path, size_t *len)
{
	struct stat	 st;
	char		*text;
	ssize_t		 n;
	int		 fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || fstat(fd, &st) == -1)
		die("cannot open", path);
	text = calloc(1, (size_t)st.st_size + 1);
	if (text == NULL)
		die("no memory for", path);
	n = read(fd, text, (size_t)st.st_size);
	if (n != st.st_size)
		die("cannot read", path);
	close(fd);
	*len = (size_t)n;
	return text;
}

/* The tree of a string with NULs where its stand-ins are. */
static json_t *
with_nuls(const char *s, size_t len)
{
	json_t	*v;
	char	*copy = strndup(s, len), *at;
	size_t	 n = len;

	while ((at = memmem(copy, n, STAND_IN_UTF8, 3)) != NULL) {
		*at = '\0';
		memmove(at + 1, at + 3, n - (size_t)(at + 3 - copy));
		n -= 2;
	}
	v = json_stringn(copy, n);
	free(copy);
	return v;
}

/* Puts NULs into strings and not into names: no test has one there. */
static void
put_nuls(json_t *v)
{
	const char	*key;
	json_t		*m;
	size_t		 i;
	void		*next;

	json_object_foreach_safe(v, next, key, m) {
		put_nuls(m);
		if (js_kind(m) == JS_STRING)
			json_object_set_new(v, key, with_nuls(
			    json_string_value(m), json_string_length(m)));
	}
	json_array_foreach(v, i, m) {
		put_nuls(m);
		if (js_kind(m) == JS_STRING)
			json_array_set_new(v, i, with_nuls(
			    json_string_value(m), json_string_length(m)));
	}
}

static json_t *
load(const char *path)
{
	struct js_error	 error;
	json_t		*v;
	size_t		 len;
	char		*text = read_file(path, &len), *at = text;
	bool		 nuls = false;

	while ((at = strstr(at, "\\u0000")) != NULL) {
		memcpy(at, STAND_IN, 6);
		nuls = true;
	}
	v = js_parse(text, len, &js_limits_default, &error);
	if (v == NULL)
		die(error.what, path);
	if (nuls)
		put_nuls(v);
	free(text);
	return v;
}

static void
load_remotes(struct suite *s, const char *dir, const char *uri)
{
	struct dirent	*e;
	json_t		*v;
	DIR		*d = opendir(dir);
	char		*path, *below;

	if (d == NULL)
		die("cannot open", dir);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		path = print("%s/%s", dir, e->d_name);
		below = print("%s%s%s", uri, e->d_name,
		    e->d_type == DT_DIR ? "/" : "");
		if (e->d_type == DT_DIR)
			load_remotes(s, path, below);
		else {
			v = load(path);
			if (schema_docs_add(s->docs, below, v) == -1)
				die("cannot add", below);
			json_decref(v);
		}
		free(path);
		free(below);
	}
	closedir(d);
}

/* What is wrong with the verdict on the instance, or NULL. */
static const char *
run_test(const struct schema *schema, const json_t *test)
{
	struct schema_violation	 v[4];
	struct schema_errors	 errors = { .list = v, .max = 4 };
	const json_t		*data = json_object_get(test, "data");
	bool			 want = js_boolean(test, "valid", false);

	if (schema_validate(schema, data, NULL) != want)
		return want ? "refused" : "accepted";
	if (schema_validate(schema, data, &errors) != want)
		return "differs when asked for errors";
	if ((errors.n == 0) != want || errors.exceeded)
		return "wrong number of errors";
	return NULL;
}

/* The number of failures, told as comments. */
static unsigned int
run_group(struct suite *s, const json_t *group)
{
	struct schema_error	 error;
	struct schema		*schema;
	const json_t		*tests = json_object_get(group, "tests");
	const json_t		*tree = json_object_get(group, "schema");
	const char		*what;
	unsigned int		 failed = 0;
	json_t			*test;
	size_t			 i;

	if (!schema_validate(s->metaschema, tree, NULL)) {
		printf("# %s: no schema by the meta-schema\n",
		    js_string(group, "description"));
		failed++;
	}
	schema = schema_compile(tree, NULL, s->docs, &error);
	if (schema == NULL) {
		printf("# %s: %s#%s: %s\n", js_string(group, "description"),
		    error.document, error.pointer, error.what);
		return failed + 1;
	}
	json_array_foreach(tests, i, test) {
		s->tests++;
		what = run_test(schema, test);
		if (what == NULL)
			continue;
		printf("# %s: %s: %s\n", js_string(group, "description"),
		    js_string(test, "description"), what);
		failed++;
	}
	schema_free(schema);
	return failed;
}

static void
run_file(struct suite *s, const char *dir, const char *name)
{
	unsigned int	 failed = 0;
	json_t		*groups, *group;
	size_t		 i;
	char		*path = print("%s/%s", dir, name);

	groups = load(path);
	free(path);
	json_array_foreach(groups, i, group)
		failed += run_group(s, group);
	printf("%s %u - %s\n", failed > 0 ? "not ok" : "ok", ++s->lines,
	    name);
	s->failed += failed > 0;
	json_decref(groups);
}

static int
is_json(const struct dirent *e)
{
	size_t	len = strlen(e->d_name);

	return len > 5 && strcmp(e->d_name + len - 5, ".json") == 0;
}

static void
run_suite(struct suite *s, const char *dir)
{
	struct schema_error	  error;
	struct js_error		  js_error;
	struct dirent		**files;
	json_t			 *tree;
	int			  n, i;
	char			 *path = print("%s/remotes", dir);

	load_remotes(s, path, BASE);
	free(path);
	tree = js_parse(METASCHEMA, strlen(METASCHEMA), &js_limits_default,
	    &js_error);
	s->metaschema = schema_compile(tree, NULL, NULL, &error);
	json_decref(tree);
	if (s->metaschema == NULL)
		die(error.what, "in the meta-schema");
	path = print("%s/draft2020-12", dir);
	n = scandir(path, &files, is_json, alphasort);
	if (n <= 0)
		die("no tests in", path);
	for (i = 0; i < n; i++) {
		run_file(s, path, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	free(path);
}

int
main(void)
{
	struct suite	 s = { .lines = 0 };
	const char	*data = getenv("MCPD_DATA");
	char		*dir;

	dir = print("%s/json-schema-suite", data != NULL ? data :
	    "../shared/data");
	if (access(dir, R_OK) == -1) {
		printf("ok 1 - suite # SKIP data absent\n1..1\n");
		free(dir);
		return 0;
	}
	js_init();
	s.docs = schema_docs_new();
	run_suite(&s, dir);
	free(dir);
	printf("1..%u\n# %u tests\n", s.lines, s.tests);
	schema_free(s.metaschema);
	schema_docs_free(s.docs);
	return s.failed > 0;
}
