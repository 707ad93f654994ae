/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth_rig.h"
#include "common/ipc/call.h"

const struct limits	auth_no_limits = { 1000000, 3600, 3600 };

struct section *
auth_section(const struct limits *limits)
{
	struct section		*s = section_new(PROC_AUTH);
	struct msg_conf_auth	 m = { limits->failures, limits->window_s,
				    limits->principal_s };

	assert_int_equal(section_add(s, MSG_CONF_AUTH, &m), 0);
	return s;
}

void
auth_open(struct rig *r, const struct limits *limits)
{
	r->auth = fake_start(PROC_AUTH, 0, "");
	fake_configure(r->auth, auth_section(limits), 1);
	fake_edge(r->auth, PROC_NETWORK, 0);
	fake_edge(r->auth, PROC_NETWORK, 1);
	fake_edge(r->auth, PROC_POLICY, 0);
	fake_edge(r->auth, PROC_AUDIT, 0);
	fake_edge(r->auth, PROC_ENGINE, 0);
	fake_edge(r->auth, PROC_EXECUTOR, 0);
	fake_edge(r->auth, PROC_CONTROL, 0);
	fake_go(r->auth);
}

void
auth_store_start(struct rig *r)
{
	struct section		*s = section_new(PROC_STORE);
	struct msg_conf_store	 m = { .path = bytes_of(r->path) };

	assert_int_equal(section_add(s, MSG_CONF_STORE, &m), 0);
	r->store = fake_start(PROC_STORE, 0, "");
	fake_configure(r->store, s, 1);
	fake_go(r->store);
}

void
auth_connect(struct rig *r)
{
	struct msg_edge_up	to_store = { .peer = PROC_AUTH };
	struct msg_edge_up	to_auth = { .peer = PROC_STORE };
	int			pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair), 0);
	to_store.socket = pair[0];
	to_auth.socket = pair[1];
	fake_send(r->store, PROC_PARENT, 0, MSG_EDGE_UP, 0, &to_store);
	fake_send(r->auth, PROC_PARENT, 0, MSG_EDGE_UP, 0, &to_auth);
	auth_wait_log(r, "principals loaded");
}

void
auth_start(struct rig *r, const struct limits *limits)
{
	auth_open(r, limits);
	auth_store_start(r);
	auth_connect(r);
}

void
auth_store_kill(struct rig *r)
{
	kill(fake_pid(r->store), SIGKILL);
	fake_expect_end(r->store, 0, SIGKILL);
	fake_stop(r->store);
	r->store = NULL;
}

void
auth_wait_log(struct rig *r, const char *what)
{
	struct msg_log_line	*m;

	do
		m = fake_expect(r->auth, PROC_PARENT, 0, MSG_LOG_LINE, NULL);
	while (memmem(m->text.data, m->text.len, what, strlen(what)) == NULL);
}

void
auth_stop(struct rig *r)
{
	fake_stop(r->auth);
	if (r->store != NULL)
		fake_stop(r->store);
}

void
auth_sql(struct rig *r, const char *format, ...)
{
	sqlite3	*db;
	va_list	 ap;
	char	*text, *error = NULL;

	va_start(ap, format);
	text = sqlite3_vmprintf(format, ap);
	va_end(ap);
	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, FAKE_WAIT_MS);
	if (sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL) !=
	    SQLITE_OK || sqlite3_exec(db, text, NULL, NULL, &error) !=
	    SQLITE_OK)
		fail_msg("%s: %s", text, error);
	sqlite3_free(text);
	sqlite3_close(db);
}

uint64_t
auth_call(struct rig *r)
{
	r->calls++;
	return call_number(1, CALL_ORIGIN_CONTROL, r->calls, r->calls);
}

void
auth_admin_send(struct rig *r, uint64_t call, enum verb verb,
    const char *params)
{
	struct msg_admin	m = { .verb = (uint8_t)verb,
				    .subject = bytes_of("operator"),
				    .params = BODY_NONE };

	m.params.data = (const uint8_t *)params;
	m.params.len = strlen(params);
	fake_send(r->auth, PROC_AUDIT, 0, MSG_ADMIN, call, &m);
}

bool
auth_admin_answer(struct rig *r, uint64_t call)
{
	struct msg_admin_done	*m;
	uint64_t		 number;
	bool			 ok;

	m = fake_expect(r->auth, PROC_AUDIT, 0, MSG_ADMIN_DONE, &number);
	assert_int_equal(number, call);
	ok = m->ok;
	assert_int_equal(body_load(&m->result), 0);
	assert_true(m->result.len < sizeof(r->text));
	memcpy(r->text, m->result.data, m->result.len);
	r->text[m->result.len] = '\0';
	body_close(&m->result);
	return ok;
}

void
auth_admin_ok(struct rig *r, enum verb verb, const char *params)
{
	uint64_t	call = auth_call(r);

	auth_admin_send(r, call, verb, params);
	if (!auth_admin_answer(r, call))
		fail_msg("%s %s: %s", verb_word(verb), params, r->text);
}

void
auth_admin_bad(struct rig *r, enum verb verb, const char *params,
    const char *error)
{
	uint64_t	call = auth_call(r);
	char		text[512];

	auth_admin_send(r, call, verb, params);
	if (auth_admin_answer(r, call))
		fail_msg("%s %s is well: %s", verb_word(verb), params,
		    r->text);
	auth_result_text(r, "error", text, sizeof(text));
	if (strstr(text, error) == NULL)
		fail_msg("%s %s: \"%s\", not \"%s\"", verb_word(verb), params,
		    text, error);
}

void
auth_result_text(struct rig *r, const char *member, char *text, size_t size)
{
	json_t		*v = json_loads(r->text, 0, NULL);
	const char	*s = json_string_value(json_object_get(v, member));

	if (s == NULL)
		fail_msg("no %s in %s", member, r->text);
	snprintf(text, size, "%s", s);
	json_decref(v);
}

void
auth_new_key(struct rig *r, const char *user, const char *params,
    char secret[SECRET_SIZE])
{
	struct msg_secret	*m;
	uint64_t		 call, number;
	char			 text[512];

	snprintf(text, sizeof(text), "{\"user\":\"%s\"%s}", user, params);
	auth_admin_ok(r, VERB_KEY_ADD, text);
	call = call_number(1, CALL_ORIGIN_CONTROL, r->calls, r->calls);
	m = fake_expect(r->auth, PROC_CONTROL, 0, MSG_SECRET, &number);
	assert_int_equal(number, call);
	assert_int_equal(bytes_str(m->secret, secret, SECRET_SIZE), 0);
}

static void
send_credential(struct rig *r, unsigned int instance,
    struct msg_credential *m, const char *address)
{
	static const uint8_t	mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET6, address, m->address) != 1) {
		memcpy(m->address, mapped, sizeof(mapped));
		assert_int_equal(inet_pton(AF_INET, address, m->address + 12),
		    1);
	}
	fake_send(r->auth, PROC_NETWORK, instance, MSG_CREDENTIAL, 0, m);
}

void
auth_send_key_from(struct rig *r, unsigned int instance, uint64_t ref,
    const char *secret, const char *address)
{
	struct msg_credential	m = { .ref = ref, .method = METHOD_KEY,
				    .secret = bytes_of(secret) };

	send_credential(r, instance, &m, address);
}

void
auth_send_key(struct rig *r, unsigned int instance, uint64_t ref,
    const char *secret)
{
	auth_send_key_from(r, instance, ref, secret, "192.0.2.1");
}

void
auth_send_certificate(struct rig *r, uint64_t ref, const char *subject,
    const char *const *names, uint64_t not_after)
{
	struct msg_credential	m = { .ref = ref,
				    .method = METHOD_CERTIFICATE,
				    .subject = bytes_of(subject),
				    .not_after = not_after };
	uint8_t			list[4096];
	size_t			len = 0;

	for (; *names != NULL; names++)
		assert_int_equal(list_add(list, sizeof(list), &len, *names,
		    strlen(*names)), 0);
	m.names = (struct bytes){ list, len };
	send_credential(r, 0, &m, "192.0.2.2");
}

static void
words(struct bytes list, char *text, size_t size)
{
	struct bytes	item;
	size_t		n = 0;

	*text = '\0';
	while (list_next(&list, &item))
		n += (size_t)snprintf(text + n, size - n, "%s%.*s",
		    n == 0 ? "" : " ", (int)item.len,
		    (const char *)item.data);
}

void
auth_expect_told(struct rig *r, struct told *t)
{
	struct msg_principal	*m = fake_expect(r->auth, PROC_POLICY, 0,
				    MSG_PRINCIPAL, NULL);

	memcpy(t->handle, m->handle, sizeof(t->handle));
	memcpy(t->owner, m->owner, sizeof(t->owner));
	bytes_str(m->subject, t->subject, sizeof(t->subject));
	bytes_str(m->credential, t->credential, sizeof(t->credential));
	t->method = m->method;
	t->since = m->since;
	t->expires = m->expires;
	words(m->roles, t->roles, sizeof(t->roles));
	words(m->groups, t->groups, sizeof(t->groups));
	words(m->scopes, t->scopes, sizeof(t->scopes));
}

void
auth_say_known(struct rig *r, const uint8_t handle[16])
{
	struct msg_principal_known	m;

	memcpy(m.handle, handle, sizeof(m.handle));
	fake_send(r->auth, PROC_POLICY, 0, MSG_PRINCIPAL_KNOWN, 0, &m);
}

void
auth_expect_in(struct rig *r, unsigned int instance, uint64_t ref,
    const uint8_t handle[16], uint64_t *expires)
{
	struct msg_authenticated	*m = fake_expect(r->auth,
					    PROC_NETWORK, instance,
					    MSG_AUTHENTICATED, NULL);

	assert_int_equal(m->ref, ref);
	assert_memory_equal(m->handle, handle, 16);
	if (expires != NULL)
		*expires = m->expires;
}

uint32_t
auth_expect_refused(struct rig *r, unsigned int instance, uint64_t ref,
    enum refusal refusal)
{
	struct msg_refused	*m = fake_expect(r->auth, PROC_NETWORK,
				    instance, MSG_REFUSED, NULL);

	assert_int_equal(m->ref, ref);
	if (m->refusal != refusal)
		fail_msg("refused as %s, not %s", refusal_word(m->refusal),
		    refusal_word(refusal));
	return m->retry_after;
}

void
auth_expect_event(struct rig *r, const char *name, const char *subject,
    const char *detail)
{
	struct msg_event	*m = fake_expect(r->auth, PROC_AUDIT, 0,
				    MSG_EVENT, NULL);
	char			 text[1025];

	assert_true(bytes_eq(m->name, name));
	bytes_str(m->subject, text, sizeof(text));
	assert_string_equal(text, subject);
	bytes_str(m->detail, text, sizeof(text));
	assert_string_equal(text, detail);
}

void
auth_log_in(struct rig *r, const char *secret, struct told *t)
{
	auth_send_key(r, 0, 4711, secret);
	auth_expect_told(r, t);
	auth_say_known(r, t->handle);
	auth_expect_in(r, 0, 4711, t->handle, NULL);
}

void
auth_fail_key(struct rig *r, const char *secret, const char *address)
{
	auth_send_key_from(r, 0, 4712, secret, address);
	assert_int_equal(auth_expect_refused(r, 0, 4712, REFUSAL_UNKNOWN), 0);
}

void
auth_expect_revoked(struct rig *r, const uint8_t handle[16])
{
	struct msg_revoke	*m;
	unsigned int		 i;

	m = fake_expect(r->auth, PROC_POLICY, 0, MSG_REVOKE, NULL);
	assert_memory_equal(m->handle, handle, 16);
	for (i = 0; i < 2; i++) {
		m = fake_expect(r->auth, PROC_NETWORK, i, MSG_REVOKE, NULL);
		assert_memory_equal(m->handle, handle, 16);
	}
}

void
auth_expect_owner_revoked(struct rig *r, const uint8_t owner[16])
{
	static const enum process	who[] = { PROC_ENGINE, PROC_EXECUTOR };
	struct msg_revoke_owner		*m;
	size_t				 i;

	for (i = 0; i < 2; i++) {
		m = fake_expect(r->auth, who[i], 0, MSG_REVOKE_OWNER, NULL);
		assert_memory_equal(m->owner, owner, 16);
	}
}

static int
remove_one(const char *name, const struct stat *st, int type,
    struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(name);
}

int
auth_setup(void **state)
{
	struct rig	*r = calloc(1, sizeof(*r));

	snprintf(r->dir, sizeof(r->dir), "/tmp/mcpd-auth.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->path, sizeof(r->path), "%s/mcpd.db", r->dir);
	*state = r;
	return 0;
}

int
auth_teardown(void **state)
{
	struct rig	*r = *state;
	int		 error;

	error = nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(r);
	return error;
}
