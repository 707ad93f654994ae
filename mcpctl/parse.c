/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "mcpctl.h"

#define SECONDS_MAX	(100LL * 366 * 86400)

/* The words of the command, for its usage. */
static void
add_word(char *path, size_t size, const char *word)
{
	if (strlcat(path, " ", size) >= size ||
	    strlcat(path, word, size) >= size)
		fatal("a command has too many words", "");
}

static void __attribute__((noreturn))
show_valid(const char *path, const struct word *table, const char *got)
{
	const struct word	*w;

	fputs("mcpctl: ", stderr);
	if (got == NULL)
		fprintf(stderr, "after \"%s\" one of these follows:\n",
		    path);
	else {
		fputs("\"", stderr);
		put_text(stderr, got, strlen(got));
		fprintf(stderr, "\" is none, or more than one, of what can "
		    "follow \"%s\":\n", path);
	}
	for (w = table; w->word != NULL; w++)
		fprintf(stderr, "  %-14s%s\n", w->word, w->what);
	exit(EXIT_USAGE);
}

/* The word itself, or the only one that starts so. */
static const struct word *
find_word(const struct word *table, const char *text)
{
	const struct word	*w, *found = NULL;
	size_t			 len = strlen(text), n = 0;

	for (w = table; w->word != NULL; w++) {
		if (strcmp(w->word, text) == 0)
			return w;
		if (len > 0 && strncmp(w->word, text, len) == 0) {
			found = w;
			n++;
		}
	}
	return n == 1 ? found : NULL;
}

static void
put_param(FILE *f, const struct param *p)
{
	bool	optional = p->optional || p->option != 0;

	fputs(optional ? " [" : " ", f);
	if (p->option != 0)
		fprintf(f, "-%c%s", p->option,
		    p->kind == PARAM_FLAG ? "" : " ");
	if (p->kind != PARAM_FLAG)
		fputs(p->word, f);
	fputs(optional ? "]" : "", f);
	if (p->kind == PARAM_LIST)
		fputs(" ...", f);
}

static void __attribute__((noreturn))
usage(const char *path, const struct command *c)
{
	const struct param	*p;

	fprintf(stderr, "usage: %s", path);
	for (p = c->params; p != NULL && p->word != NULL; p++)
		put_param(stderr, p);
	fputc('\n', stderr);
	exit(EXIT_USAGE);
}

const struct command *
parse_words(int *argc, char ***argv, char *path, size_t size)
{
	const struct word	*table = words, *w;

	for (;;) {
		w = *argc == 0 ? NULL : find_word(table, **argv);
		if (w == NULL)
			show_valid(path, table, *argc == 0 ? NULL : **argv);
		add_word(path, size, w->word);
		if (w->command != NULL)
			return w->command;
		table = w->next;
		(*argc)--;
		(*argv)++;
	}
}

static const char *
set_choice(json_t *o, const struct param *p, const char *arg)
{
	const char	*w = p->word, *end;

	for (;; w = end + 1) {
		end = strchrnul(w, '|');
		if (strlen(arg) == (size_t)(end - w) &&
		    strncmp(arg, w, (size_t)(end - w)) == 0)
			break;
		if (*end == '\0')
			return "is none of the words that can stand here";
	}
	json_object_set_new(o, p->member, json_string(arg));
	return NULL;
}

static const char *
set_text(json_t *o, const struct param *p, const char *arg)
{
	json_t	*v = json_string(arg), *list;

	if (v == NULL)
		return "is not UTF-8";
	if (p->kind == PARAM_TEXT) {
		json_object_set_new(o, p->member, v);
		return NULL;
	}
	list = json_object_get(o, p->member);
	if (list == NULL) {
		list = json_array();
		json_object_set_new(o, p->member, list);
	}
	json_array_append_new(list, v);
	return NULL;
}

static const char *
set_seconds(json_t *o, const struct param *p, const char *arg)
{
	static const struct {
		char		unit;
		long long	seconds;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 },
	    { 's', 1 } };
	char		 digits[16];
	const char	*why;
	size_t		 len = strlen(arg), i;
	long long	 n;

	if (len < 2 || len > sizeof(digits))
		return "is no time like 90d, 12h, 30m or 45s";
	strlcpy(digits, arg, len);	/* without the unit */
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit != arg[len - 1])
			continue;
		n = strtonum(digits, 1, SECONDS_MAX / units[i].seconds, &why);
		if (why != NULL || !isdigit((unsigned char)digits[0]))
			break;
		json_object_set_new(o, p->member,
		    json_integer(n * units[i].seconds));
		return NULL;
	}
	return "is no time like 90d, 12h, 30m or 45s";
}

static const char *
set_number(json_t *o, const struct param *p, const char *arg)
{
	const char	*why;
	long long	 n = strtonum(arg, 0, 1000000000, &why);

	if (why != NULL)
		return "is no such number";
	json_object_set_new(o, p->member, json_integer(n));
	return NULL;
}

static char *
read_stdin(size_t *len)
{
	char	*text = malloc(PARAMS_MAX + 1);

	if (text == NULL)
		fatal("out of memory", "");
	*len = fread(text, 1, PARAMS_MAX + 1, stdin);
	return text;
}

static const char *
set_object(json_t *o, const struct param *p, const char *arg)
{
	struct js_error	 error;
	json_t		*v;
	char		*text = NULL;
	size_t		 len = strlen(arg);

	if (p->kind == PARAM_OBJECT_OR_STDIN && strcmp(arg, "-") == 0)
		arg = text = read_stdin(&len);
	if (len > PARAMS_MAX) {
		free(text);
		return "is too long";
	}
	v = js_parse(arg, len, &js_limits_default, &error);
	free(text);
	if (v == NULL) {
		fprintf(stderr, "mcpctl: %s: line %u, column %u: %s\n",
		    p->word, error.line, error.column, error.what);
		return "is not JSON";
	}
	if (!json_is_object(v)) {
		json_decref(v);
		return "is no JSON object";
	}
	json_object_set_new(o, p->member, v);
	return NULL;
}

static const char *
set_flag(json_t *o, const struct param *p, const char *arg)
{
	(void)arg;
	json_object_set_new(o, p->member, json_true());
	return NULL;
}

static void
set_param(json_t *o, const struct param *p, const char *arg)
{
	static const char	*(*const set[])(json_t *,
	    const struct param *, const char *) = {
		[PARAM_TEXT] =		set_text,
		[PARAM_LIST] =		set_text,
		[PARAM_CHOICE] =	set_choice,
		[PARAM_SECONDS] =	set_seconds,
		[PARAM_NUMBER] =	set_number,
		[PARAM_FLAG] =		set_flag,
		[PARAM_OBJECT] =	set_object,
		[PARAM_OBJECT_OR_STDIN] = set_object,
	};
	const char	*why = set[p->kind](o, p, arg);

	if (why == NULL)
		return;
	fputs("mcpctl: \"", stderr);
	put_text(stderr, arg, strlen(arg));
	fprintf(stderr, "\" for %s %s\n", p->word, why);
	exit(EXIT_USAGE);
}

static const struct param *
find_option(const struct command *c, int option)
{
	const struct param	*p;

	for (p = c->params; p != NULL && p->word != NULL; p++)
		if (p->option != 0 && p->option == option)
			return p;
	return NULL;
}

static void
make_optstring(const struct command *c, char *s, size_t size)
{
	const struct param	*p;
	size_t			 n = 0;

	s[n++] = ':';
	for (p = c->params; p != NULL && p->word != NULL; p++) {
		if (p->option == 0)
			continue;
		if (n + 3 > size)
			fatal("a command has too many options", "");
		s[n++] = p->option;
		if (p->kind != PARAM_FLAG)
			s[n++] = ':';
	}
	s[n] = '\0';
}

json_t *
parse_params(const struct command *c, const char *path, int argc,
    char **argv)
{
	struct js_error		 error;
	const char		*base = c->base == NULL ? "{}" : c->base;
	json_t			*o = js_parse(base, strlen(base),
				    &js_limits_default, &error);
	const struct param	*p;
	char			 options[32];
	int			 ch;

	make_optstring(c, options, sizeof(options));
	opterr = 0;
	optind = 0;
	while ((ch = getopt(argc, argv, options)) != -1) {
		p = find_option(c, ch);
		if (p == NULL)
			usage(path, c);
		set_param(o, p, optarg);
	}
	for (p = c->params; p != NULL && p->word != NULL; p++) {
		if (p->option != 0)
			continue;
		if (optind == argc && !p->optional)
			usage(path, c);
		if (optind < argc)
			set_param(o, p, argv[optind++]);
	}
	if (optind < argc)
		usage(path, c);
	return o;
}
