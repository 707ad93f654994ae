/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log/log.h"

static struct {
	log_sink	 sink;
	void		*arg;
	int		 verbose;
} logger;

struct text {
	char	 buf[LOG_TEXT_MAX];
	size_t	 len;
};

void
log_init(log_sink sink, void *arg)
{
	logger.sink = sink;
	logger.arg = arg;
}

void
log_setverbose(int verbose)
{
	logger.verbose = verbose;
}

int
log_getverbose(void)
{
	return logger.verbose;
}

const char *
log_priority_name(int priority)
{
	static const char *const names[] = { "emergency", "alert", "critical",
	    "error", "warning", "notice", "info", "debug" };

	return priority >= 0 && priority <= LOG_DEBUG ? names[priority] : "?";
}

static void
put_char(struct text *t, char c)
{
	if (t->len < sizeof(t->buf) - 1)
		t->buf[t->len++] = c;
}

static void
put_plain(struct text *t, const char *s)
{
	for (; *s != '\0'; s++)
		put_char(t, *s);
}

/* Is this the lead byte of a C1 control, U+0080 to U+009F, in UTF-8? */
static bool
is_c1(const char *s)
{
	return (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] >= 0x80 &&
	    (unsigned char)s[1] < 0xa0;
}

static void
put_escaped(struct text *t, unsigned char c, bool control)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\') {
		put_char(t, '\\');
		put_char(t, (char)c);
	} else if (c == '\n') {
		put_plain(t, "\\n");
	} else if (control || c < ' ' || c == 0x7f) {
		put_plain(t, "\\x");
		put_char(t, hex[c >> 4]);
		put_char(t, hex[c & 15]);
	} else
		put_char(t, (char)c);
}

static bool
is_bare(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || *s == '"' || *s == '\\' ||
		    *s == '=' || *s == 0x7f || is_c1(s))
			return false;
	return true;
}

static void
put_value(struct text *t, const char *s)
{
	const char	*from;

	if (s == NULL)
		s = "";
	if (is_bare(s)) {
		put_plain(t, s);
		return;
	}
	put_char(t, '"');
	for (from = s; *s != '\0'; s++)
		put_escaped(t, (unsigned char)*s, is_c1(s) ||
		    (s > from && is_c1(s - 1)));
	put_char(t, '"');
}

/* A conversion: its letter, how long its argument is, how wide at least. */
struct conversion {
	char		 letter;
	bool		 is_long;	/* 64 bits */
	unsigned int	 width;		/* filled up with zeros */
};

static const char *
read_conversion(const char *p, struct conversion *c)
{
	memset(c, 0, sizeof(*c));
	for (; *p >= '0' && *p <= '9'; p++)
		c->width = c->width * 10 + (unsigned int)(*p - '0');
	for (; *p == 'l' || *p == 'z' || *p == 'j'; p++)
		c->is_long = true;
	c->letter = *p;
	return *p == '\0' ? p : p + 1;
}

static void
put_number(struct text *t, uint64_t v, unsigned int base, unsigned int width)
{
	char		buf[24];
	unsigned int	n = 0;

	do {
		buf[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v > 0 && n < sizeof(buf));
	for (; width > n; width--)
		put_char(t, '0');
	while (n > 0)
		put_char(t, buf[--n]);
}

static const char *
put_conversion(struct text *t, const char *p, va_list *ap)
{
	struct conversion	c;
	int64_t			v;

	p = read_conversion(p + 1, &c);
	switch (c.letter) {
	case 's':
		put_value(t, va_arg(*ap, const char *));
		break;
	case 'c':
		put_char(t, (char)va_arg(*ap, int));
		break;
	case 'd':
		v = c.is_long ? va_arg(*ap, int64_t) : va_arg(*ap, int);
		if (v < 0)
			put_char(t, '-');
		put_number(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10,
		    c.width);
		break;
	case 'u':
	case 'x':
		put_number(t, c.is_long ? va_arg(*ap, uint64_t) :
		    va_arg(*ap, unsigned int), c.letter == 'u' ? 10 : 16,
		    c.width);
		break;
	default:
		put_char(t, '%');
		break;
	}
	return p;
}

static void
emit(int priority, uint64_t call, const char *what, const char *pairs,
    va_list ap, int error)
{
	struct text	 t = { .len = 0 };
	const char	*p = pairs;
	va_list		 args;

	put_value(&t, what);
	if (*pairs != '\0')
		put_char(&t, ' ');
	va_copy(args, ap);
	while (*p != '\0') {
		if (*p == '%')
			p = put_conversion(&t, p, &args);
		else
			put_char(&t, *p++);
	}
	va_end(args);
	if (error != 0) {
		put_plain(&t, " error=");
		put_value(&t, strerror(error));
	}
	t.buf[t.len] = '\0';
	if (logger.sink != NULL)
		logger.sink(logger.arg, priority, call, t.buf);
	else
		fprintf(stderr, "%s: %s\n", log_priority_name(priority),
		    t.buf);
}

static bool
wanted(int priority)
{
	return priority <= LOG_NOTICE + logger.verbose;
}

#define LOG_BODY(priority, call, error)					\
	do {								\
		int	 saved = errno;					\
		va_list	 ap;						\
									\
		if (!wanted(priority))					\
			break;						\
		va_start(ap, pairs);					\
		emit(priority, call, what, pairs, ap, error);		\
		va_end(ap);						\
		errno = saved;						\
	} while (0)

void
log_debug(const char *what, const char *pairs, ...)
{
	LOG_BODY(LOG_DEBUG, 0, 0);
}

void
log_info(const char *what, const char *pairs, ...)
{
	LOG_BODY(LOG_INFO, 0, 0);
}

void
log_notice(const char *what, const char *pairs, ...)
{
	LOG_BODY(LOG_NOTICE, 0, 0);
}

void
log_warn(const char *what, const char *pairs, ...)
{
	LOG_BODY(LOG_WARNING, 0, 0);
}

void
log_warn_errno(const char *what, const char *pairs, ...)
{
	LOG_BODY(LOG_WARNING, 0, saved);
}

void
log_call(int priority, uint64_t call, const char *what, const char *pairs,
    ...)
{
	LOG_BODY(priority, call, 0);
}

void
fatal(const char *what, const char *pairs, ...)
{
	LOG_BODY(LOG_CRIT, 0, 0);
	_exit(1);
}

void
fatal_errno(const char *what, const char *pairs, ...)
{
	LOG_BODY(LOG_CRIT, 0, saved);
	_exit(1);
}
