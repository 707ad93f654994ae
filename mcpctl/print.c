/* SPDX-License-Identifier: ISC */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "common/time/mono.h"
#include "mcpctl.h"

enum manner { ONE_LINE, LINES, JSON };

struct cell {
	char	*text;
	size_t	 len;
};

struct table {
	size_t		  columns;
	struct cell	**cells;	/* row by row */
	size_t		  n;
	size_t		  size;
	FILE		 *open;		/* the newest cell */
};

/* The character at p and its bytes; 0 bytes if it is none (RFC 3629). */
static size_t
next_character(const char *p, size_t left, uint32_t *c)
{
	const unsigned char	*u = (const unsigned char *)p;
	size_t			 n, i;

	n = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (n > left || !js_utf8(p, n))
		return 0;
	*c = n == 1 ? u[0] : u[0] & (0x7fU >> n);
	for (i = 1; i < n; i++)
		*c = *c << 6 | (u[i] & 0x3f);
	return n;
}

/*
 * Controls of terminals, of lines and of the direction of writing: what
 * they do to the text around them is not for the text to decide.
 */
static bool
is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c ||
	    (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void
put_safe(FILE *f, const char *s, size_t len, enum manner manner)
{
	uint32_t	c;
	size_t		n, i;

	for (i = 0; i < len; i += n) {
		n = next_character(s + i, len - i, &c);
		if (n == 0) {
			fprintf(f, "\\x%02x", (unsigned char)s[i]);
			n = 1;
		} else if (!is_control(c) ||
		    (manner == LINES && (c == '\n' || c == '\t')))
			fwrite(s + i, n, 1, f);
		else if (c == '\n')
			fputs("\\n", f);
		else if (c == '\t')
			fputs("\\t", f);
		else
			fprintf(f, "\\u%04x", c);
	}
}

void
put_text(FILE *f, const char *s, size_t len)
{
	put_safe(f, s, len, ONE_LINE);
}

void
put_lines(FILE *f, const char *s, size_t len)
{
	put_safe(f, s, len, LINES);
}

/* Such characters stand in strings alone, where the escape is JSON's. */
void
put_json(FILE *f, const json_t *v)
{
	size_t	 len;
	char	*text = js_canon(v, &len);

	put_safe(f, text, len, JSON);
	free(text);
}

/* Members that are times, in seconds of Unix; 0 stands for never. */
static bool
is_time(const char *member)
{
	static const char *const names[] = { "created", "expires",
	    "last_used", "not_after", "revoked", "seen", "since", "updated",
	    "used" };
	size_t	i;

	for (i = 0; member != NULL && i < sizeof(names) / sizeof(names[0]);
	    i++)
		if (strcmp(member, names[i]) == 0)
			return true;
	return false;
}

static void
put_time(FILE *f, int64_t seconds)
{
	struct timespec	ts = { .tv_sec = seconds };
	char		text[STAMP_SIZE];

	if (seconds <= 0 || seconds > 253402300799) {
		fputs(seconds == 0 ? "-" : "?", f);
		return;
	}
	stamp(text, &ts);
	fprintf(f, "%.19sZ", text);
}

static void
put_list(FILE *f, const json_t *list)
{
	size_t	i;

	for (i = 0; i < json_array_size(list); i++) {
		if (i > 0)
			fputc(',', f);
		put_value(f, NULL, json_array_get(list, i));
	}
	if (i == 0)
		fputc('-', f);
}

void
put_value(FILE *f, const char *member, const json_t *v)
{
	switch (v == NULL ? JS_NULL : js_kind(v)) {
	case JS_NULL:
		fputc('-', f);
		break;
	case JS_STRING:
		put_text(f, json_string_value(v), json_string_length(v));
		break;
	case JS_BOOLEAN:
		fputs(json_is_true(v) ? "yes" : "no", f);
		break;
	case JS_ARRAY:
		put_list(f, v);
		break;
	case JS_INTEGER:
		if (is_time(member)) {
			put_time(f, json_integer_value(v));
			break;
		}
		/* FALLTHROUGH */
	default:
		put_json(f, v);
		break;
	}
}

int
fail_with(const struct ctl *ctl, const json_t *error)
{
	const char	*message = js_string(error, "message"), *key;
	json_t		*all, *v;

	if (ctl->json) {
		all = json_object();
		json_object_set(all, "error", (json_t *)(uintptr_t)error);
		put_json(stdout, all);
		putchar('\n');
		json_decref(all);
		return EXIT_FAILURE;
	}
	fputs("mcpctl: ", stderr);
	if (message == NULL)
		put_json(stderr, error);
	else
		put_text(stderr, message, strlen(message));
	fputc('\n', stderr);
	json_object_foreach((json_t *)(uintptr_t)error, key, v) {
		if (message == NULL || strcmp(key, "message") == 0)
			continue;
		fputs("mcpctl: ", stderr);
		put_text(stderr, key, strlen(key));
		fputs(": ", stderr);
		put_value(stderr, key, v);
		fputc('\n', stderr);
	}
	return EXIT_FAILURE;
}

int
fail(const struct ctl *ctl, const char *format, ...)
{
	json_t	*error = json_object();
	char	*text;
	va_list	 ap;
	int	 status;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) == -1)
		fatal("out of memory", "");
	va_end(ap);
	if (json_object_set_new(error, "message", json_string(text)) == -1)
		json_object_set_new(error, "message",
		    json_string("something that is not UTF-8"));
	status = fail_with(ctl, error);
	json_decref(error);
	free(text);
	return status;
}

struct table *
table_new(size_t columns)
{
	struct table	*t = calloc(1, sizeof(*t));

	if (t == NULL)
		fatal("out of memory", "");
	t->columns = columns;
	return t;
}

static void
close_cell(struct table *t)
{
	if (t->open != NULL && fclose(t->open) == EOF)
		fatal("out of memory", "");
	t->open = NULL;
}

FILE *
table_cell(struct table *t)
{
	struct cell	*cell = calloc(1, sizeof(*cell));

	close_cell(t);
	if (t->n == t->size) {
		t->size = t->size == 0 ? 64 : t->size * 2;
		t->cells = reallocarray(t->cells, t->size,
		    sizeof(*t->cells));
	}
	if (cell == NULL || t->cells == NULL ||
	    (t->open = open_memstream(&cell->text, &cell->len)) == NULL)
		fatal("out of memory", "");
	t->cells[t->n++] = cell;
	return t->open;
}

void
table_text(struct table *t, const char *text)
{
	put_text(table_cell(t), text, strlen(text));
}

/* Characters, not bytes: those that continue one are not counted. */
static size_t
width(const struct cell *cell)
{
	size_t	n = 0, i;

	for (i = 0; i < cell->len; i++)
		n += ((unsigned char)cell->text[i] & 0xc0) != 0x80;
	return n;
}

static void
print_cell(const struct cell *cell, size_t wide)
{
	size_t	n = width(cell);

	fwrite(cell->text, cell->len, 1, stdout);
	for (; n < wide; n++)
		putchar(' ');
}

void
table_print(struct table *t)
{
	size_t	*wide = calloc(t->columns, sizeof(*wide)), i, col;

	if (wide == NULL)
		fatal("out of memory", "");
	close_cell(t);
	for (i = 0; i < t->n; i++)
		if (width(t->cells[i]) > wide[i % t->columns])
			wide[i % t->columns] = width(t->cells[i]);
	for (i = 0; i < t->n; i++) {
		col = i % t->columns;
		if (col == t->columns - 1) {
			print_cell(t->cells[i], 0);
			putchar('\n');
		} else
			print_cell(t->cells[i], wide[col] + 2);
		free(t->cells[i]->text);
		free(t->cells[i]);
	}
	free(t->cells);
	free(t);
	free(wide);
}
