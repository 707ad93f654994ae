/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "mcpctl.h"
#include "paths.h"
#include "verify.h"

#define KEPT_MAX	1000		/* warnings in JSON */

struct findings {
	const struct ctl	*ctl;
	json_t			*errors;
	json_t			*warnings;
};

/* For people at once, for programs at the end. */
static void
report(void *arg, bool error, const char *file, uint64_t line,
    const char *what)
{
	struct findings	*f = arg;
	json_t		*list = error ? f->errors : f->warnings, *one;

	if (!f->ctl->json) {
		put_text(stdout, file, strlen(file));
		if (line > 0)
			printf(":%" PRIu64, line);
		fputs(error ? ": " : ": warning: ", stdout);
		put_text(stdout, what, strlen(what));
		putchar('\n');
		return;
	}
	if (json_array_size(list) >= KEPT_MAX)
		return;
	one = json_object();
	json_object_set_new(one, "file", json_string(file));
	json_object_set_new(one, "line", json_integer((json_int_t)line));
	json_object_set_new(one, "message", json_string(what));
	json_array_append_new(list, one);
}

/* SEQ:HASH */
static int
parse_head(const char *text, struct head *head)
{
	const char	*colon = strchr(text, ':'), *why;
	char		 digits[24];

	head->seen = false;
	if (colon == NULL || (size_t)(colon - text) >= sizeof(digits))
		return -1;
	snprintf(digits, sizeof(digits), "%.*s", (int)(colon - text), text);
	head->seq = (uint64_t)strtonum(digits, 1, INT64_MAX, &why);
	return why != NULL ? -1 : unhex(colon + 1, head->hash, HASH_SIZE);
}

/* mcpd knows what its newest line is. */
static const char *
ask_head(const struct ctl *ctl, struct verify *v)
{
	struct head	*head = &v->heads[v->nheads];
	struct answer	 a;
	const json_t	*o;
	const char	*why;
	json_t		*none = json_object();

	why = client_ask(ctl, "status", none, &a);
	json_decref(none);
	if (why != NULL)
		return why;
	o = json_object_get(a.value, "head");
	v->running = true;
	head->seq = (uint64_t)js_integer(o, "seq", 0);
	if (!a.ok)
		why = "mcpd does not say how long the record is";
	else if (head->seq > 0 &&
	    unhex(js_string(o, "hash"), head->hash, HASH_SIZE) == 0)
		v->nheads++;
	client_free(&a);
	return why;
}

static int
read_files(const struct ctl *ctl, struct verify *v, const json_t *files)
{
	const char	*name;
	size_t		 i;
	int		 fd;

	for (i = 0; i < json_array_size(files); i++) {
		name = json_string_value(json_array_get(files, i));
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd == -1)
			return fail(ctl, "%s: %s", name, strerror(errno));
		verify_file(v, fd, name);
	}
	verify_end(v);
	return v->errors == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void
sum_up(const struct ctl *ctl, const struct verify *v, struct findings *f)
{
	json_t	*o;

	if (!ctl->json) {
		printf("%s: %" PRIu64 " lines, %" PRIu64 " checkpoints, "
		    "signed up to line %" PRIu64 ", last line %" PRIu64
		    " of %s, %" PRIu64 " calls without outcome\n",
		    v->errors == 0 ? "good" : "BAD", v->lines,
		    v->checkpoints, v->signed_seq, v->seq,
		    v->lines == 0 ? "never" : v->time, v->unknown);
		return;
	}
	o = json_object();
	json_object_set_new(o, "good", json_boolean(v->errors == 0));
	json_object_set_new(o, "lines", json_integer((json_int_t)v->lines));
	json_object_set_new(o, "checkpoints",
	    json_integer((json_int_t)v->checkpoints));
	json_object_set_new(o, "signed",
	    json_integer((json_int_t)v->signed_seq));
	json_object_set_new(o, "last", json_integer((json_int_t)v->seq));
	json_object_set_new(o, "unknown",
	    json_integer((json_int_t)v->unknown));
	json_object_set(o, "errors", f->errors);
	json_object_set(o, "warnings", f->warnings);
	put_json(stdout, o);
	putchar('\n');
	json_decref(o);
}

static const char *
prepare(const struct ctl *ctl, struct verify *v, const json_t *params)
{
	const char	*head = js_string(params, "head"), *why;

	v->running = js_boolean(params, "running", false);
	if (head != NULL && parse_head(head, &v->heads[v->nheads++]) == -1)
		return "a head is SEQ:HASH, as status says it";
	if (ctl->socket == NULL && (json_object_get(params, "files") != NULL ||
	    access(PATH_SOCKET, F_OK) == -1))
		return NULL;
	why = ask_head(ctl, v);
	if (why == NULL || ctl->socket != NULL)
		return why;
	/* Nobody said that it runs. */
	fprintf(stderr, "mcpctl: %s: %s; going on without\n", PATH_SOCKET,
	    why);
	return NULL;
}

int
audit_verify(const struct ctl *ctl, const struct command *c,
    const json_t *params)
{
	struct findings	 f = { .ctl = ctl, .errors = json_array(),
			    .warnings = json_array() };
	struct verify	 v = { .report = report, .arg = &f };
	json_t		*files = json_object_get(params, "files");
	const char	*key = js_string(params, "key"), *why;
	int		 status;

	(void)c;
	if (key == NULL)
		key = PATH_RECORD_KEY;
	if ((why = verify_key(&v, key)) != NULL)
		status = fail(ctl, "%s: %s", key, why);
	else if ((why = prepare(ctl, &v, params)) != NULL)
		status = fail(ctl, "%s", why);
	else {
		files = files == NULL ? json_pack("[s]", PATH_RECORD) :
		    json_incref(files);
		verify_begin(&v);
		status = read_files(ctl, &v, files);
		if (status == EXIT_SUCCESS || v.errors > 0)
			sum_up(ctl, &v, &f);
		json_decref(files);
	}
	verify_free(&v);
	json_decref(f.errors);
	json_decref(f.warnings);
	return status;
}
