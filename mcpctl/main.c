/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "mcpctl.h"

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
	why = client_ask(ctl, c->verb, params, &a);
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
