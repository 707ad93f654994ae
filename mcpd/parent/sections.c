/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/section.h"
#include "common/json/js.h"
#include "parent.h"

#define LIST_MAX	8192

/* One section being made; the first complaint ends it. */
struct making {
	struct parent		*parent;
	struct config		*config;
	const struct proc	*process;
	struct section		*section;
};

static const json_t *
at(const struct making *m, const char *pointer)
{
	return js_at(m->config->tree, pointer);
}

static uint32_t
number_at(const struct making *m, const char *pointer)
{
	return (uint32_t)json_integer_value(at(m, pointer));
}

static uint32_t
size_at(const struct making *m, const char *pointer)
{
	uint64_t	n = unit_size(at(m, pointer));

	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static uint32_t
ms_at(const struct making *m, const char *pointer)
{
	uint64_t	n = unit_ms(at(m, pointer));

	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static struct bytes
text_at(const struct making *m, const char *pointer)
{
	return bytes_of(json_string_value(at(m, pointer)));
}

/* Adds a row; a field that is too long is a complaint about it. */
static int
add(struct making *m, const char *pointer, enum msg type, const void *row)
{
	if (section_add(m->section, type, row) == 0)
		return 0;
	config_complain(m->config, pointer, "too long or too much");
	return -1;
}

static int
list_of(const json_t *array, uint8_t *buf, size_t size, struct bytes *list)
{
	const char	*s;
	size_t		 i, len = 0;

	for (i = 0; i < json_array_size(array); i++) {
		s = json_string_value(json_array_get(array, i));
		if (list_add(buf, size, &len, s, strlen(s)) == -1)
			return -1;
	}
	*list = (struct bytes){ buf, len };
	return 0;
}

static uint8_t *
read_file(struct making *m, const char *pointer, const char *path,
    size_t *len)
{
	char	 reference[1100];
	uint8_t	*data;

	snprintf(reference, sizeof(reference), "file:%s", path);
	data = secret_read(reference, len);
	if (data == NULL)
		config_complain(m->config, pointer, "%s: %s", path,
		    strerror(errno));
	return data;
}

/* The chain of a listener, and what its key is known by. */
static uint8_t *
read_certificate(struct making *m, const json_t *l, size_t i,
    uint8_t id[KEY_ID_SIZE], size_t *len)
{
	const char	*path = js_string(l, "certificate");
	char		 where[64];
	uint8_t		*chain;

	snprintf(where, sizeof(where), "/listen/%zu/certificate", i);
	chain = read_file(m, where, path, len);
	if (chain == NULL || certificate_key_id(chain, *len, id) == 0)
		return chain;
	config_complain(m->config, where, "%s: no certificate in PEM form",
	    path);
	free(chain);
	return NULL;
}

static enum certificates
certificates_of(const char *word)
{
	int	i;

	for (i = 0; i < CERTIFICATES__COUNT; i++)
		if (strcmp(word, certificates_word((unsigned int)i)) == 0)
			return (enum certificates)i;
	return CERTIFICATES_NONE;
}

static int
network_listener(struct making *m, const json_t *l, size_t i)
{
	struct msg_conf_listener row = { .index = (uint8_t)i };
	uint8_t		 hosts[LIST_MAX], origins[LIST_MAX];
	uint8_t		*chain, *ca = NULL;
	char		 where[64];
	int		 ret = -1;

	chain = read_certificate(m, l, i, row.key, &row.chain.len);
	if (chain == NULL)
		return -1;
	row.chain.data = chain;
	row.path = bytes_of(js_string(l, "path"));
	row.certificates = (uint8_t)certificates_of(js_string(l,
	    "client_certificates"));
	snprintf(where, sizeof(where), "/listen/%zu/client_ca", i);
	if (row.certificates != CERTIFICATES_NONE && (ca = read_file(m,
	    where, js_string(l, "client_ca"), &row.client_ca.len)) == NULL)
		goto done;
	row.client_ca.data = ca;
	snprintf(where, sizeof(where), "/listen/%zu", i);
	if (list_of(json_object_get(l, "hosts"), hosts, sizeof(hosts),
	    &row.hosts) == -1 || list_of(json_object_get(l, "origins"),
	    origins, sizeof(origins), &row.origins) == -1)
		config_complain(m->config, where, "too many names");
	else
		ret = add(m, where, MSG_CONF_LISTENER, &row);
done:
	free(chain);
	free(ca);
	return ret;
}

static int
make_network(struct making *m)
{
	struct msg_conf_network	 row = { 0 };
	const json_t		*list = at(m, "/listen");
	size_t			 i;

	row.connections = number_at(m, "/limits/connections");
	row.calls = number_at(m, "/limits/calls");
	row.calls_per_principal = number_at(m, "/limits/calls_per_principal");
	row.header_bytes = size_at(m, "/limits/header");
	row.body_bytes = size_at(m, "/limits/body");
	row.handshake_ms = ms_at(m, "/limits/handshake_time");
	row.header_ms = ms_at(m, "/limits/header_time");
	row.body_ms = ms_at(m, "/limits/body_time");
	row.idle_ms = ms_at(m, "/limits/idle_time");
	if (add(m, "/limits", MSG_CONF_NETWORK, &row) == -1)
		return -1;
	for (i = 0; i < json_array_size(list); i++)
		if (network_listener(m, json_array_get(list, i), i) == -1)
			return -1;
	return 0;
}

static int
make_auth(struct making *m)
{
	struct msg_conf_auth	row = { 0 };

	row.failures = number_at(m, "/auth/failures");
	row.failure_window_s = ms_at(m, "/auth/failure_window") / 1000;
	row.principal_s = ms_at(m, "/auth/principal_time") / 1000;
	return add(m, "/auth", MSG_CONF_AUTH, &row);
}

static int
make_engine(struct making *m)
{
	struct msg_conf_engine	row = { .version = bytes_of(MCPD_VERSION) };

	row.name = text_at(m, "/server/name");
	row.title = text_at(m, "/server/title");
	row.instructions = text_at(m, "/server/instructions");
	/* Every worker's calls, and control's few. */
	row.calls = number_at(m, "/limits/calls") *
	    number_at(m, "/workers") + 64;
	row.page = number_at(m, "/lists/page");
	row.sessions = number_at(m, "/limits/sessions");
	row.session_idle_s = ms_at(m, "/limits/session_idle") / 1000;
	row.list_ttl_ms = ms_at(m, "/lists/ttl");
	if (add(m, "/server", MSG_CONF_ENGINE, &row) == -1)
		return -1;
	return tools_section(m->config, m->section, PROC_ENGINE);
}

/* Root is an operator who may do everything: it could anyway. */
static int
add_operators(struct making *m)
{
	const json_t		*list = at(m, "/control/operators"), *o;
	struct msg_conf_operator row = { .uid = 0 };
	uint8_t			 buf[LIST_MAX];
	size_t			 i, len = 0;

	list_add(buf, sizeof(buf), &len, "admin", 5);
	row.roles = (struct bytes){ buf, len };
	if (add(m, "/control", MSG_CONF_OPERATOR, &row) == -1)
		return -1;
	for (i = 0; i < json_array_size(list); i++) {
		o = json_array_get(list, i);
		row.uid = (uint32_t)js_integer(o, "uid", 0);
		if (row.uid == 0)
			continue;
		if (list_of(json_object_get(o, "roles"), buf, sizeof(buf),
		    &row.roles) == -1 ||
		    add(m, "/control/operators", MSG_CONF_OPERATOR,
		    &row) == -1)
			return -1;
	}
	return 0;
}

static int
make_policy(struct making *m)
{
	struct msg_conf_policy	row;
	char			*text;
	size_t			 len;
	int			 ret;

	text = js_canon(at(m, "/policy"), &len);
	row.policy = (struct bytes){ (const uint8_t *)text, len };
	ret = add(m, "/policy", MSG_CONF_POLICY, &row);
	free(text);
	if (ret == -1 || add_operators(m) == -1)
		return -1;
	return tools_section(m->config, m->section, PROC_POLICY);
}

static int
make_audit(struct making *m)
{
	struct msg_conf_audit	 row = { 0 };
	const char		*word;

	memcpy(row.key, m->parent->audit_key, sizeof(row.key));
	row.checkpoint_lines = number_at(m, "/audit/checkpoint_lines");
	row.checkpoint_ms = ms_at(m, "/audit/checkpoint_time");
	word = json_string_value(at(m, "/audit/arguments"));
	row.arguments = strcmp(word, "full") == 0 ? ARGUMENTS_FULL :
	    ARGUMENTS_DIGEST;
	return add(m, "/audit", MSG_CONF_AUDIT, &row);
}

static int
make_sandbox(struct making *m)
{
	struct msg_conf_sandbox	row = { 0 };

	row.runsc = text_at(m, "/sandbox/runsc");
	row.scratch = bytes_of(m->parent->scratch_dir);
	row.cgroup = text_at(m, "/sandbox/cgroup");
	row.uid_base = number_at(m, "/sandbox/uid_base");
	row.uid_count = number_at(m, "/sandbox/uid_count");
	if (add(m, "/sandbox", MSG_CONF_SANDBOX, &row) == -1)
		return -1;
	return tools_section(m->config, m->section, PROC_SANDBOX);
}

static int
make_executor(struct making *m)
{
	return tools_section(m->config, m->section, PROC_EXECUTOR);
}

static int
make_inspect(struct making *m)
{
	struct msg_conf_inspect	row;
	char			*text;
	size_t			 len;
	int			 ret;

	text = js_canon(at(m, "/inspect/patterns"), &len);
	row.patterns = (struct bytes){ (const uint8_t *)text, len };
	ret = add(m, "/inspect/patterns", MSG_CONF_INSPECT, &row);
	free(text);
	return ret == -1 ? -1 : tools_section(m->config, m->section,
	    PROC_INSPECT);
}

static int
make_store(struct making *m)
{
	struct msg_conf_store	row;
	char			path[1200];

	snprintf(path, sizeof(path), "%s/store/mcpd.db",
	    m->parent->state_dir);
	row.path = bytes_of(path);
	return add(m, "/directories/state", MSG_CONF_STORE, &row);
}

/* The key must be that of the certificate: found out here, not by clients. */
static int
add_tls_key(struct making *m, const json_t *l, size_t i)
{
	struct msg_conf_key	 row = { .name = bytes_of("tls") };
	const char		*reference = js_string(l, "key");
	uint8_t			 id[KEY_ID_SIZE], want[KEY_ID_SIZE], *pem,
				 *chain;
	char			 where[64];
	size_t			 len;
	int			 ret = -1;

	snprintf(where, sizeof(where), "/listen/%zu/key", i);
	chain = read_certificate(m, l, i, want, &len);
	if (chain == NULL)
		return -1;
	free(chain);
	pem = secret_read(reference, &row.pem.len);
	if (pem == NULL) {
		config_complain(m->config, where, "%s: %s", reference,
		    strerror(errno));
		return -1;
	}
	row.pem.data = pem;
	if (private_key_id(pem, row.pem.len, id) == -1)
		config_complain(m->config, where, "%s: no private key in PEM "
		    "form without passphrase", reference);
	else if (memcmp(id, want, sizeof(id)) != 0)
		config_complain(m->config, where, "%s is not the key of the "
		    "certificate", reference);
	else
		ret = add(m, where, MSG_CONF_KEY, &row);
	freezero(pem, row.pem.len);
	return ret;
}

static int
add_audit_key(struct making *m)
{
	struct msg_conf_key	 row = { .name = bytes_of("audit") };
	char			 buf[1200];
	const char		*reference;
	uint8_t			*pem;
	int			 ret;

	reference = audit_key_reference(m->parent, m->config, buf,
	    sizeof(buf));
	pem = secret_read(reference, &row.pem.len);
	if (pem == NULL) {
		config_complain(m->config, "/audit/key", "%s: %s", reference,
		    strerror(errno));
		return -1;
	}
	row.pem.data = pem;
	ret = add(m, "/audit/key", MSG_CONF_KEY, &row);
	freezero(pem, row.pem.len);
	return ret;
}

static int
make_keys(struct making *m)
{
	const json_t	*list = at(m, "/listen");
	size_t		 i;

	if (strcmp(m->process->class, "audit") == 0)
		return add_audit_key(m);
	for (i = 0; i < json_array_size(list); i++)
		if (add_tls_key(m, json_array_get(list, i), i) == -1)
			return -1;
	return 0;
}

static int
make_control(struct making *m)
{
	struct msg_conf_control	row = { 0 };

	row.connections = number_at(m, "/control/connections");
	if (add(m, "/control", MSG_CONF_CONTROL, &row) == -1)
		return -1;
	return add_operators(m);
}

static int (*const make[PROC__COUNT])(struct making *) = {
	[PROC_NETWORK] =	make_network,
	[PROC_AUTH] =		make_auth,
	[PROC_ENGINE] =		make_engine,
	[PROC_POLICY] =		make_policy,
	[PROC_AUDIT] =		make_audit,
	[PROC_SANDBOX] =	make_sandbox,
	[PROC_EXECUTOR] =	make_executor,
	[PROC_INSPECT] =	make_inspect,
	[PROC_STORE] =		make_store,
	[PROC_KEYS] =		make_keys,
	[PROC_CONTROL] =	make_control,
};

int
section_for(struct parent *p, struct config *config,
    const struct proc *process)
{
	struct making	m = { p, config, process, NULL };
	int		fd, ret;

	m.section = section_new(process->proc);
	ret = make[process->proc](&m);
	fd = section_seal(m.section);
	if (ret == 0)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

int
sections_check(struct parent *p, struct config *config)
{
	size_t	i;
	int	fd;

	for (i = 0; i < p->n; i++) {
		fd = section_for(p, config, &p->process[i]);
		if (fd == -1)
			return -1;
		close(fd);
	}
	return 0;
}
