/* SPDX-License-Identifier: ISC */

#include <sys/wait.h>

#include <arpa/inet.h>
#include <bsd/string.h>
#include <signal.h>
#include <unistd.h>

#include "policy_rig.h"

const struct house_tool	house_tools[] = {
	{ "jq", "read-only", LEVEL_LOW, ISOLATION_CALL },
	{ "docs.read", "read-only docs", LEVEL_LOW, ISOLATION_CALL },
	{ "docs.list", "docs read-only", LEVEL_LOW, ISOLATION_CALL },
	{ "docs.secret", "docs", LEVEL_MEDIUM, ISOLATION_CALL },
	{ "shell", "", LEVEL_HIGH, ISOLATION_CALL },
	{ "iso.call", "", LEVEL_LOW, ISOLATION_CALL },
	{ "iso.session", "", LEVEL_LOW, ISOLATION_SESSION },
	{ "iso.principal", "", LEVEL_LOW, ISOLATION_PRINCIPAL },
	{ "iso.shared", "", LEVEL_LOW, ISOLATION_SHARED },
	{ "iso.shared2", "", LEVEL_LOW, ISOLATION_SHARED },
	{ NULL, NULL, LEVEL_LOW, ISOLATION_CALL },
};

bool
house_has_word(const char *words, const char *word)
{
	char	with[512], what[128];

	snprintf(with, sizeof(with), " %s ", words);
	snprintf(what, sizeof(what), " %s ", word);
	return strstr(with, what) != NULL;
}

int
house_count_of(const char *text, const char *part)
{
	int	n = 0;

	while ((text = strstr(text, part)) != NULL) {
		text++;
		n++;
	}
	return n;
}

struct bytes
house_words(const char *words, uint8_t *buf, size_t size)
{
	struct bytes	list = { buf, 0 };
	char		copy[512], *p = copy, *word;

	assert_true(strlcpy(copy, words, sizeof(copy)) < sizeof(copy));
	while ((word = strsep(&p, " ")) != NULL)
		if (*word != '\0')
			assert_int_equal(list_add(buf, size, &list.len, word,
			    strlen(word)), 0);
	return list;
}

void
house_address(uint8_t address[16], const char *ipv4)
{
	memset(address, 0, 16);
	address[10] = address[11] = 0xff;
	assert_int_equal(inet_pton(AF_INET, ipv4, address + 12), 1);
}

void
house_digest(uint8_t digest[32], uint32_t index)
{
	memset(digest, 0xd0, 32);
	digest[0] = (uint8_t)index;
}

struct section *
house_section(const char *policy)
{
	struct section			*s = section_new(PROC_POLICY);
	struct msg_conf_policy		 p = { { NULL, 0 } };
	struct msg_conf_operator	 o = { .uid = 0 };
	struct msg_conf_tool_rights	 m;
	uint8_t				 buf[512];
	uint32_t			 i;

	if (policy != NULL) {
		p.policy = bytes_of(policy);
		assert_int_equal(section_add(s, MSG_CONF_POLICY, &p), 0);
	}
	for (i = 0; house_tools[i].name != NULL; i++) {
		memset(&m, 0, sizeof(m));
		m.index = i;
		m.name = bytes_of(house_tools[i].name);
		house_digest(m.digest, i);
		m.tags = house_words(house_tools[i].tags, buf, sizeof(buf));
		m.isolation = (uint8_t)house_tools[i].isolation;
		m.level = (uint8_t)house_tools[i].level;
		m.profile = 100 + i;
		m.time_ms = 10000;
		assert_int_equal(section_add(s, MSG_CONF_TOOL_RIGHTS, &m), 0);
	}
	if (policy != NULL && strstr(policy, "\"chief\":{") != NULL) {
		o.roles = house_words("chief", buf, sizeof(buf));
		assert_int_equal(section_add(s, MSG_CONF_OPERATOR, &o), 0);
	}
	return s;
}

struct house *
house_start(const char *policy)
{
	struct house	*h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->fake = fake_start(PROC_POLICY, 0, "");
	h->generation = 1;
	h->deadline = UINT64_MAX;
	h->args = "{}";
	fake_configure(h->fake, house_section(policy), 1);
	fake_edge(h->fake, PROC_NETWORK, 0);
	fake_edge(h->fake, PROC_NETWORK, 1);
	fake_edge(h->fake, PROC_AUTH, 0);
	fake_edge(h->fake, PROC_ENGINE, 0);
	fake_edge(h->fake, PROC_AUDIT, 0);
	fake_edge(h->fake, PROC_CONTROL, 0);
	fake_go(h->fake);
	return h;
}

void
house_stop(struct house *h)
{
	fake_stop(h->fake);
	free(h);
}

void
house_settle(struct house *h)
{
	fake_expect_nothing(h->fake, PROC_ENGINE, 0);
}

void
house_reload(struct house *h, const char *policy, uint32_t generation)
{
	struct msg_config_use	use = { .generation = generation };

	fake_configure(h->fake, house_section(policy), generation);
	fake_send(h->fake, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(h->fake, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
}

/* As auth: whoever it is has the handle h->handle, and is known. */
static void
house_tell(struct house *h, const char *subject, const char *roles,
    const char *groups, const char *scopes, enum method method)
{
	struct msg_principal		 m = { .method = (uint8_t)method };
	struct msg_principal_known	*known;
	uint8_t				 buf[3][512];

	memset(h->owner, 0, sizeof(h->owner));
	memcpy(h->owner, subject, strnlen(subject, sizeof(h->owner)));
	memcpy(m.handle, h->handle, sizeof(m.handle));
	memcpy(m.owner, h->owner, sizeof(m.owner));
	m.subject = bytes_of(subject);
	m.credential = bytes_of("key-1");
	m.since = ++h->seq;
	m.expires = h->expires;
	m.roles = house_words(roles, buf[0], sizeof(buf[0]));
	m.groups = house_words(groups, buf[1], sizeof(buf[1]));
	m.scopes = house_words(scopes, buf[2], sizeof(buf[2]));
	fake_send(h->fake, PROC_AUTH, 0, MSG_PRINCIPAL, 0, &m);
	known = fake_expect(h->fake, PROC_AUTH, 0, MSG_PRINCIPAL_KNOWN, NULL);
	assert_memory_equal(known->handle, h->handle, sizeof(h->handle));
	h->is_operator = false;
}

void
house_login_as(struct house *h, const char *subject, const char *roles,
    const char *groups, const char *scopes, enum method method)
{
	uint32_t	n = ++h->seq;

	memset(h->handle, 0x5a, sizeof(h->handle));
	memcpy(h->handle, &n, sizeof(n));
	house_tell(h, subject, roles, groups, scopes, method);
}

void
house_login(struct house *h, const char *subject, const char *roles)
{
	house_login_as(h, subject, roles, "", "", METHOD_KEY);
}

void
house_login_again(struct house *h, const char *subject, const char *roles)
{
	house_tell(h, subject, roles, "", "", METHOD_KEY);
}

void
house_operator(struct house *h, uint32_t uid)
{
	h->is_operator = true;
	h->uid = uid;
}

void
house_send_revoke(struct house *h, const uint8_t handle[16])
{
	struct msg_revoke	m;

	memcpy(m.handle, handle, sizeof(m.handle));
	fake_send(h->fake, PROC_AUTH, 0, MSG_REVOKE, 0, &m);
}

void
house_revoke(struct house *h, const uint8_t handle[16])
{
	house_send_revoke(h, handle);
	house_settle(h);
}

uint64_t
house_next(struct house *h)
{
	uint64_t		 call;
	struct msg_caller	 caller;
	struct msg_operator	 op = { .uid = h->uid, .gid = h->uid };

	h->seq++;
	call = call_number(1, h->is_operator ? CALL_ORIGIN_CONTROL : 0,
	    h->seq, h->seq % 1000);
	if (h->is_operator) {
		fake_send(h->fake, PROC_CONTROL, 0, MSG_OPERATOR, call, &op);
		return call;
	}
	memcpy(caller.handle, h->handle, sizeof(caller.handle));
	house_address(caller.address, "192.0.2.1");
	fake_send(h->fake, PROC_NETWORK, 0, MSG_CALLER, call, &caller);
	return call;
}

void
house_announce(struct house *h, uint64_t call)
{
	struct msg_caller	caller;

	memcpy(caller.handle, h->handle, sizeof(caller.handle));
	house_address(caller.address, "192.0.2.1");
	fake_send(h->fake, PROC_NETWORK, 0, MSG_CALLER, call, &caller);
}

void
house_send_judge(struct house *h, uint64_t call)
{
	struct msg_judge	m = { .generation = h->generation,
				    .effect = (uint8_t)h->effect,
				    .target = h->target,
				    .deadline = h->deadline,
				    .args = BODY_NONE };

	if (h->effect == EFFECT_TOOL)
		house_digest(m.digest, h->target);
	m.digest[31] ^= h->spoil_digest;
	memcpy(m.session, h->session, sizeof(m.session));
	m.args.data = (const uint8_t *)h->args;
	m.args.len = strlen(h->args);
	fake_send(h->fake, PROC_ENGINE, 0, MSG_JUDGE, call, &m);
}

struct msg_verdict *
house_judge(struct house *h, uint64_t call)
{
	uint64_t	got;

	if (h->effect == EFFECT_TOOL && h->target == 0)
		h->target = 1;
	house_send_judge(h, call);
	h->verdict = fake_expect(h->fake, PROC_AUDIT, 0, MSG_VERDICT, &got);
	assert_int_equal(got, call);
	return h->verdict;
}

void
house_freeze(struct house *h)
{
	int	status;

	kill(fake_pid(h->fake), SIGSTOP);
	waitpid(fake_pid(h->fake), &status, WUNTRACED);
	assert_true(WIFSTOPPED(status));
}

void
house_thaw(struct house *h)
{
	kill(fake_pid(h->fake), SIGCONT);
}

void
house_race(struct house *h, uint64_t call)
{
	house_freeze(h);
	house_send_judge(h, call);
	house_announce(h, call);
	house_thaw(h);
	h->verdict = fake_expect(h->fake, PROC_AUDIT, 0, MSG_VERDICT, NULL);
}

struct msg_verdict *
house_ask_index(struct house *h, uint32_t index, const char *args)
{
	uint64_t	call = house_next(h), got;

	h->effect = EFFECT_TOOL;
	h->target = index;
	h->args = args;
	house_send_judge(h, call);
	h->verdict = fake_expect(h->fake, PROC_AUDIT, 0, MSG_VERDICT, &got);
	assert_int_equal(got, call);
	return h->verdict;
}

struct msg_verdict *
house_ask(struct house *h, const char *tool, const char *args)
{
	uint32_t	i = 0;

	while (house_tools[i].name != NULL &&
	    strcmp(house_tools[i].name, tool) != 0)
		i++;
	assert_non_null(house_tools[i].name);
	return house_ask_index(h, i, args);
}

struct msg_verdict *
house_command(struct house *h, enum verb verb, const char *params)
{
	uint64_t	call = house_next(h);

	h->effect = EFFECT_ADMIN;
	h->target = verb;
	h->args = params;
	house_send_judge(h, call);
	h->verdict = fake_expect(h->fake, PROC_AUDIT, 0, MSG_VERDICT, NULL);
	h->effect = EFFECT_TOOL;
	return h->verdict;
}

struct msg_visible *
house_list_call(struct house *h, uint64_t call)
{
	struct msg_list	m = { .generation = h->generation };

	fake_send(h->fake, PROC_ENGINE, 0, MSG_LIST, call, &m);
	return fake_expect(h->fake, PROC_ENGINE, 0, MSG_VISIBLE, NULL);
}

const char *
house_list(struct house *h)
{
	struct msg_visible	*m = house_list_call(h, house_next(h));
	uint32_t		 i;

	assert_int_equal(m->reason, REASON_NONE);
	assert_int_equal(m->generation, h->generation);
	h->text[0] = '\0';
	for (i = 0; i < m->tools.len * 8; i++) {
		if (!(m->tools.data[i / 8] >> (i % 8) & 1))
			continue;
		if (*h->text != '\0')
			strlcat(h->text, " ", sizeof(h->text));
		strlcat(h->text, house_tools[i].name, sizeof(h->text));
	}
	return h->text;
}

const char *
house_admin(struct house *h, enum verb verb, const char *params, bool ok)
{
	struct msg_admin	 m = { .verb = (uint8_t)verb,
				    .subject = bytes_of("uid:0"),
				    .params = BODY_NONE };
	struct msg_admin_done	*done;
	uint64_t		 call;

	m.params.data = (const uint8_t *)params;
	m.params.len = strlen(params);
	fake_send(h->fake, PROC_AUDIT, 0, MSG_ADMIN, 99, &m);
	done = fake_expect(h->fake, PROC_AUDIT, 0, MSG_ADMIN_DONE, &call);
	assert_int_equal(call, 99);
	assert_int_equal(body_load(&done->result), 0);
	assert_true(done->result.len < sizeof(h->text));
	memcpy(h->text, done->result.data, done->result.len);
	h->text[done->result.len] = '\0';
	body_close(&done->result);
	if (done->ok != ok)
		fail_msg("%s: %s", params, h->text);
	return h->text;
}

uint64_t
house_cpu_ns(const struct house *h)
{
	struct timespec	ts;
	clockid_t	clock;

	assert_int_equal(clock_getcpuclockid(fake_pid(h->fake), &clock), 0);
	assert_int_equal(clock_gettime(clock, &ts), 0);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}
