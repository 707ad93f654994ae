/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "mcpctl.h"

#define ROWS_MAX	1000000

static void __attribute__((noreturn))
usage(void)
{
	fputs("usage: mcpctl [-jn] [-s socket] command [argument ...]\n",
	    stderr);
	exit(EXIT_USAGE);
}

static void
show_secret(const struct answer *a)
{
	/* Without its quotes. */
	fwrite(a->secret + 1, a->secret_len - 2, 1, stdout);
	fputs("\nThis key is shown now and never again.\n", stdout);
}

/* With the secret as one more member. */
static void
show_json(const struct answer *a)
{
	size_t	 len;
	char	*text;

	if (a->secret == NULL || !json_is_object(a->value)) {
		put_json(stdout, a->value);
		putchar('\n');
		return;
	}
	text = js_canon(a->value, &len);
	put_text(stdout, text, len - 1);
	fputs(len > 2 ? ",\"key\":" : "\"key\":", stdout);
	fwrite(a->secret, a->secret_len, 1, stdout);
	fputs("}\n", stdout);
	free(text);
}

/*
 * The last row says whether there is more after it.  False if there is
 * not; otherwise params ask for the next part.
 */
static bool
wants_more(const struct command *c, const json_t *list, json_t *params,
    const char **why)
{
	json_t		*last = json_array_get(list,
			    json_array_size(list) - 1);
	const char	*before = js_string(params, "after");
	const char	*after = js_string(last, c->sorted);

	if (!js_boolean(last, "more", false))
		return false;
	if (after == NULL || json_array_size(list) > ROWS_MAX ||
	    (before != NULL && strcmp(after, before) <= 0)) {
		*why = "mcpd sends a list without end";
		return false;
	}
	json_object_del(last, "more");
	json_object_set_new(params, "after", json_string(after));
	return true;
}

/* A list is asked for until all of it is there. */
static const char *
ask(const struct ctl *ctl, const struct command *c, const json_t *params,
    struct answer *a)
{
	const char	*why = client_ask(ctl, c->verb, params, a);
	struct answer	 part;
	json_t		*next = json_copy((json_t *)(uintptr_t)params);

	while (why == NULL && a->ok && c->sorted != NULL &&
	    wants_more(c, a->value, next, &why)) {
		why = client_ask(ctl, c->verb, next, &part);
		if (why != NULL)
			break;
		if (part.ok && json_is_array(part.value)) {
			json_array_extend(a->value, part.value);
			client_free(&part);
		} else {
			client_free(a);
			*a = part;
			break;
		}
	}
	if (why != NULL)
		client_free(a);
	json_decref(next);
	return why;
}

static int
show_answer(const struct ctl *ctl, const struct command *c,
    const struct answer *a)
{
	if (!a->ok)
		return fail_with(ctl, a->value);
	if (c->secret != (a->secret != NULL))
		return fail(ctl, c->secret ? "mcpd made the key and did not "
		    "show it: revoke it and try again" :
		    "mcpd sends a secret that nobody asked for");
	if (ctl->json)
		show_json(a);
	else {
		if (a->secret != NULL)
			show_secret(a);
		c->show(c, a->value);
	}
	return c->failed != NULL && c->failed(a->value) ? EXIT_FAILURE :
	    EXIT_SUCCESS;
}

static int
run(const struct ctl *ctl, const struct command *c, const json_t *params)
{
	struct answer	 a;
	const char	*why;
	int		 status;

	if (ctl->dry) {
		printf("%s ", c->verb);
		put_json(stdout, params);
		putchar('\n');
		return EXIT_SUCCESS;
	}
	if (c->run != NULL)
		return c->run(ctl, c, params);
	why = ask(ctl, c, params, &a);
	if (why != NULL)
		return fail(ctl, "%s: %s", client_path(ctl), why);
	status = show_answer(ctl, c, &a);
	client_free(&a);
	return status;
}

static void
parse_options(struct ctl *ctl, int *argc, char ***argv)
{
	int	ch;

	/* The first word ends them: what follows is the command's. */
	while ((ch = getopt(*argc, *argv, "+jns:")) != -1)
		switch (ch) {
		case 'j':
			ctl->json = true;
			break;
		case 'n':
			ctl->dry = true;
			break;
		case 's':
			ctl->socket = optarg;
			break;
		default:
			usage();
		}
	*argc -= optind;
	*argv += optind;
}

int
main(int argc, char *argv[])
{
	struct ctl		 ctl = { .json = false };
	const struct command	*c;
	char			 path[128] = "mcpctl";
	json_t			*params;
	int			 status;

	js_init();
	parse_options(&ctl, &argc, &argv);
	c = parse_words(&argc, &argv, path, sizeof(path));
	params = parse_params(c, path, argc, argv);
	status = run(&ctl, c, params);
	json_decref(params);
	if (fflush(stdout) == EOF)
		status = EXIT_FAILURE;
	return status;
}
