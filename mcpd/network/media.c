/* SPDX-License-Identifier: ISC */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/ipc/request.h"
#include "head.h"

#define PORT_DIGITS	5

static bool
same(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 ||
	    strncasecmp((const char *)a.data, (const char *)b.data,
	    a.len) == 0);
}

bool
field_is(struct bytes field, const char *text)
{
	return field.data != NULL && same(field, bytes_of(text));
}

struct bytes
field_trim(struct bytes b)
{
	while (b.len > 0 && (*b.data == ' ' || *b.data == '\t')) {
		b.data++;
		b.len--;
	}
	while (b.len > 0 && (b.data[b.len - 1] == ' ' ||
	    b.data[b.len - 1] == '\t'))
		b.len--;
	return b;
}

/* Cuts off what is before the separator, or all. */
static struct bytes
cut(struct bytes *rest, char separator)
{
	struct bytes	 part = *rest;
	const uint8_t	*at = memchr(rest->data, separator, rest->len);

	if (at == NULL) {
		rest->len = 0;
		return field_trim(part);
	}
	part.len = (size_t)(at - part.data);
	rest->data += part.len + 1;
	rest->len -= part.len + 1;
	return field_trim(part);
}

bool
field_next(struct bytes *list, struct bytes *element)
{
	while (list->len > 0) {
		*element = cut(list, ',');
		if (element->len > 0)
			return true;
	}
	return false;
}

static struct bytes
unquote(struct bytes b)
{
	if (b.len >= 2 && b.data[0] == '"' && b.data[b.len - 1] == '"') {
		b.data++;
		b.len -= 2;
	}
	return b;
}

bool
media_is_json(struct bytes type)
{
	struct bytes	rest = type, value, name;

	if (type.data == NULL || !field_is(cut(&rest, ';'),
	    "application/json"))
		return false;
	while (rest.len > 0) {
		value = cut(&rest, ';');
		if (value.len == 0)
			continue;
		if (memchr(value.data, '=', value.len) == NULL)
			return false;
		name = cut(&value, '=');
		if (field_is(name, "charset") &&
		    !field_is(unquote(value), "utf-8"))
			return false;
	}
	return true;
}

uint8_t
media_accepts(struct bytes accept)
{
	static const struct {
		const char	*range;
		uint8_t		 bits;
	} ranges[] = {
		{ "*/*",		ACCEPTS_JSON | ACCEPTS_EVENTS },
		{ "application/*",	ACCEPTS_JSON },
		{ "application/json",	ACCEPTS_JSON },
		{ "text/*",		ACCEPTS_EVENTS },
		{ "text/event-stream",	ACCEPTS_EVENTS },
	};
	struct bytes	element, range;
	uint8_t		bits = 0;
	size_t		i;

	while (field_next(&accept, &element)) {
		range = cut(&element, ';');
		for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
			if (field_is(range, ranges[i].range))
				bits |= ranges[i].bits;
	}
	return bits;
}

static bool
is_port(struct bytes port)
{
	size_t	i;

	for (i = 0; i < port.len; i++)
		if (!isdigit(port.data[i]))
			return false;
	return port.len > 0 && port.len <= PORT_DIGITS;
}

/* Letters and the like, or an address in brackets (RFC 3986, 3.2.2). */
static bool
is_name(struct bytes name)
{
	bool		 brackets = name.len > 2 && name.data[0] == '[' &&
			    name.data[name.len - 1] == ']';
	const char	*others = brackets ? ":." : "-._";
	size_t		 i;

	if (brackets) {
		name.data++;
		name.len -= 2;
	}
	for (i = 0; i < name.len; i++)
		if (!isalnum(name.data[i]) && (name.data[i] == '\0' ||
		    strchr(others, name.data[i]) == NULL))
			return false;
	return name.len > 0;
}

bool
host_split(struct bytes host, struct bytes *name)
{
	struct bytes	 port;
	const uint8_t	*colon = memrchr(host.data, ':', host.len);

	*name = host;
	if (colon == NULL || host.data[host.len - 1] == ']')
		return is_name(host);
	name->len = (size_t)(colon - host.data);
	port.data = colon + 1;
	port.len = host.len - name->len - 1;
	return is_name(*name) && is_port(port);
}

bool
list_find(struct bytes list, struct bytes text, struct bytes *item)
{
	while (list_next(&list, item))
		if (same(*item, text))
			return true;
	return false;
}
