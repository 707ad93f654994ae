/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

/*
 * An error without the tool's text: a note, why and last words, where the
 * name of a pattern may stand for each byte.
 */
#define SENTENCE_MAX	1048576

static void
put_duration(char *buf, size_t size, uint64_t us)
{
	/* To the nearest tenth of a second. */
	if (us >= 950000)
		us += 50000;
	if (us >= 10000000)
		snprintf(buf, size, "%" PRIu64 " s", us / 1000000);
	else if (us >= 1000000)
		snprintf(buf, size, "%" PRIu64 ".%" PRIu64 " s", us / 1000000,
		    us / 100000 % 10);
	else
		snprintf(buf, size, "%" PRIu64 " ms", us / 1000);
}

static void
put_bytes(char *buf, size_t size, uint64_t n)
{
	if (n >= 10485760)
		snprintf(buf, size, "%" PRIu64 " MiB", n >> 20);
	else if (n >= 10240)
		snprintf(buf, size, "%" PRIu64 " KiB", n >> 10);
	else
		snprintf(buf, size, "%" PRIu64 " bytes", n);
}

static void
say_failed(const struct job *j, char *buf, size_t size)
{
	if (j->in->code == 0)
		snprintf(buf, size, "The tool reported an error");
	else
		snprintf(buf, size, "The tool exited with status %" PRIu32,
		    j->in->code);
}

static void
say_exit(const struct job *j, char *buf, size_t size)
{
	snprintf(buf, size, "The tool ended without an answer, with status "
	    "%" PRIu32, j->in->code);
}

static void
say_signal(const struct job *j, char *buf, size_t size)
{
	const char	*name = sigabbrev_np((int)j->in->code);

	if (name == NULL)
		snprintf(buf, size, "The tool was ended by signal %" PRIu32,
		    j->in->code);
	else
		snprintf(buf, size, "The tool was ended by signal %" PRIu32
		    " (SIG%s)", j->in->code, name);
}

static void
say_time(const struct job *j, char *buf, size_t size)
{
	char	time[32];

	put_duration(time, sizeof(time), j->in->duration_us);
	snprintf(buf, size, "The tool did not finish within %s and was "
	    "stopped", time);
}

static void
say_memory(const struct job *j, char *buf, size_t size)
{
	char	peak[32];

	put_bytes(peak, sizeof(peak), j->in->memory_peak);
	if (j->in->memory_peak == 0)
		snprintf(buf, size, "The tool ran out of memory and was "
		    "stopped");
	else
		snprintf(buf, size, "The tool ran out of memory and was "
		    "stopped; it had used %s", peak);
}

static void
say_output(const struct job *j, char *buf, size_t size)
{
	char	limit[32];

	put_bytes(limit, sizeof(limit), j->tool == NULL ? CONTENT_MAX :
	    j->tool->output);
	snprintf(buf, size, "The tool's output is longer than it may be, "
	    "which is %s", limit);
}

static void
say_withheld(const struct job *j, char *buf, size_t size)
{
	if (j->scan.undecided == j->scan.blocked)
		snprintf(buf, size, "The tool's output was withheld: it could "
		    "not be searched for %s in reasonable time",
		    j->scan.blocked->name);
	else
		snprintf(buf, size, "The tool's output was withheld: it has "
		    "something in it that must not get out: %s",
		    j->scan.blocked->name);
}

/* What it comes to, in a sentence without its full stop. */
static const struct {
	void		(*say)(const struct job *, char *, size_t);
	const char	*text;
} sentences[END__COUNT] = {
	[END_FAILED] =		{ say_failed, NULL },
	[END_EXIT] =		{ say_exit, NULL },
	[END_SIGNAL] =		{ say_signal, NULL },
	[END_TIME] =		{ say_time, NULL },
	[END_MEMORY] =		{ say_memory, NULL },
	[END_OUTPUT] =		{ say_output, NULL },
	[END_CANCELLED] =	{ NULL, "The call was cancelled" },
	[END_REVOKED] =		{ NULL, "The call was stopped: the caller's "
				    "credential is no longer good" },
	[END_UNAVAILABLE] =	{ NULL, "The tool is not available" },
	[END_WITHHELD] =	{ say_withheld, NULL },
	[END_INVALID] =		{ NULL, "The tool's output cannot be used" },
	[END_LOST] =		{ NULL, "A part of the server failed while the "
				    "tool ran; whether the tool finished is "
				    "not known" },
};

/*
 * Appends foreign text, cleaned and without what must not get out.  A
 * withheld output speaks of nothing but itself.
 */
static void
add_foreign(struct job *j, struct js_writer *w, const char *between,
    const void *data, size_t len)
{
	char	*text, *cut;
	size_t	 n;

	if (len == 0 || j->end == END_WITHHELD || j->tool == NULL)
		return;
	text = clean_text(data, len, &n);
	cut = redact_text(&j->scan, text, n, &n);
	js_append(w, between, strlen(between));
	if (j->scan.blocked != NULL) {
		js_append(w, "[withheld: ", 11);
		js_append(w, j->scan.blocked->name,
		    strlen(j->scan.blocked->name));
		js_append(w, "]", 1);
		j->scan.blocked = NULL;
	} else
		js_append(w, cut == NULL ? text : cut, n);
	free(cut);
	free(text);
}

/* The sentence, why, and what the tool said at the end. */
static void
put_sentence(struct job *j, struct js_writer *w)
{
	char	buf[256];

	if (sentences[j->end].say != NULL)
		sentences[j->end].say(j, buf, sizeof(buf));
	else
		snprintf(buf, sizeof(buf), "%s", sentences[j->end].text);
	js_append(w, buf, strlen(buf));
	add_foreign(j, w, ": ", j->why, strlen(j->why));
	add_foreign(j, w, ": ", j->in->note.data, j->in->note.len);
	js_append(w, ".", 1);
	add_foreign(j, w, "\nIts last words:\n", j->in->diagnostic.data,
	    j->in->diagnostic.len);
}

static void
put_block(struct js_writer *w, const char *text, size_t len)
{
	js_open(w, NULL, '{');
	js_put_stringn(w, "text", text, len);
	js_put_string(w, "type", "text");
	js_close(w, '}');
}

/*
 * What a tool that failed has written.  It can be many times as long once
 * it is redacted and quoted: then its length is what is told.
 */
static void
quote_text(struct job *j, struct js_writer *w)
{
	if (j->end != END_FAILED || j->text == NULL)
		return;
	put_block(w, j->text, j->text_len);
	if (w->len <= CONTENT_MAX - SENTENCE_MAX)
		return;
	explicit_bzero(w->text, w->len);
	js_reset(w);
	j->end = END_OUTPUT;
}

static void
write_error(struct job *j)
{
	struct js_writer	 sentence = { .text = NULL };
	struct js_writer	 text = { .text = NULL };
	struct js_writer	*w = &j->out;

	quote_text(j, &text);
	if (!j->stated || j->end != END_FAILED)
		put_sentence(j, &sentence);
	js_open(w, "_meta", '{');
	js_put_string(w, "mcpd/outcome", end_word(j->end));
	js_close(w, '}');
	js_open(w, "content", '[');
	if (sentence.text != NULL)
		put_block(w, sentence.text, sentence.len);
	if (text.len > 0)
		js_put_raw(w, NULL, text.text, text.len);
	js_close(w, ']');
	js_put_bool(w, "isError", true);
	js_free(&sentence);
	if (text.len > 0)
		explicit_bzero(text.text, text.len);
	js_free(&text);
}

/*
 * Structured output is an object before 2026-07-28; where a schema asks
 * for anything else it is given as well, and engine keeps it from clients
 * that do not know that.
 */
static void
write_value(struct job *j)
{
	struct js_writer	*w = &j->out;
	size_t			 len;
	char			*text = js_canon(j->value, &len);

	js_open(w, "content", '[');
	put_block(w, text, len);
	js_close(w, ']');
	js_put_bool(w, "isError", false);
	if (json_is_object(j->value) || j->tool->schema != NULL) {
		j->structured = w->len;
		js_put_raw(w, "structuredContent", text, len);
	}
	free(text);
}

void
answer_write(struct job *j)
{
	if (j->end == END_OK && j->value != NULL)
		write_value(j);
	else if (j->end == END_OK) {
		js_open(&j->out, "content", '[');
		put_block(&j->out, j->text, j->text_len);
		js_close(&j->out, ']');
		js_put_bool(&j->out, "isError", false);
	}
	if (j->out.len > CONTENT_MAX) {
		js_reset(&j->out);
		j->structured = 0;
		j->end = END_OUTPUT;
	}
	if (j->end != END_OK)
		write_error(j);
	if (j->out.len > CONTENT_MAX)
		fatal("an error is too long", "");
}
