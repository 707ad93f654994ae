/* SPDX-License-Identifier: ISC */

/* What is found in outputs, what is not, and what it costs. */

#include <bsd/string.h>

#include "inspect_rig.h"

#define R(name)	"[redacted:" name "]"

/* 40, 36 and 43 random characters, as no service ever gave out. */
#define X40	"wJalrXUtnFEMIaK7MDENGabPxRfiCYEXAMPLEKEY"
#define X36	"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"
#define X43	X36 "kL9nO2q"
#define PEM	"MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MaC5qXhV\n"

struct sample {
	const char	*in;
	const char	*out;		/* NULL: nothing is found */
};

static const struct sample	secrets[] = {
	{ "id AKIAIOSFODNN7EXAMPLE.", "id " R("aws-access-key-id") "." },
	{ "ASIA" "IOSFODNN7EXAMPLE", R("aws-access-key-id") },
	{ "xAKIAIOSFODNN7EXAMPLE", NULL },
	{ "AKIAIOSFODNN7EXAMPLE2", NULL },
	{ "AKIAIOSFODNN7EXAMPL", NULL },
	{ "AKIA AKIAiosfodnn7example", NULL },
	{ "aws_secret_access_key = " X40 "\n",
	    "aws_secret_access_key = " R("aws-secret-access-key") "\n" },
	{ "AWS_SECRET_ACCESS_KEY='" X40 "'",
	    "AWS_SECRET_ACCESS_KEY='" R("aws-secret-access-key") "'" },
	{ "\"SecretAccessKey\": \"" X40 "\"",
	    "\"SecretAccessKey\": \"" R("aws-secret-access-key") "\"" },
	{ "commit " X40, NULL },
	{ "ghp_" X36, R("github-token") },
	{ "(gho_" X36 ")", "(" R("github-token") ")" },
	{ "github_pat_" X43 "_" X36, R("github-token") },
	{ "ghp_short and xghp_" X36, NULL },
	{ "glpat-" "aB3dE6gH9jK2mN5pQ8sT", R("gitlab-token") },
	{ "the glpat- prefix", NULL },
	{ "xoxb-" "123456789012-abcdefABCDEF", R("slack-token") },
	{ "xoxb-is-what-they-look-like", NULL },
	{ "https://hooks.slack.com/services/" "T00000000/B00000000/"
	    "XXXXXXXXXXXXXXXXXXXXXXXX",
	    "https://hooks.slack.com/services/" R("slack-webhook") },
	{ "sk_live_" "aB3dE6gH9jK2mN5p", R("stripe-key") },
	{ "rk_test_" "aB3dE6gH9jK2mN5p", R("stripe-key") },
	{ "task_live_aB3dE6gH9jK2mN5p", NULL },
	{ "AIza" "SyA1234567890abcdefghijklmnopqrstuv",
	    R("google-api-key") },
	{ "AIzaSyA", NULL },
	{ "ya29." "a0AfH6SMBx1234567890abc", R("google-oauth") },
	{ "AccountKey=" X43 X43 "==;x", "AccountKey="
	    R("azure-storage-key") ";x" },
	{ "SG." "aB3dE6gH9jK2mN5pQ8sT1v.aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3",
	    R("sendgrid-key") },
	{ "SG.1.2", NULL },
	{ "npm_" X36, R("package-token") },
	{ "sk-" X36, R("sk-key") },
	{ "sk-proj-" X36, R("sk-key") },
	{ "ask-aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6", NULL },
	{ "sk-this-is-a-long-name-of-a-css-class-and-no-key", NULL },
	{ "mcpd_" "k3y1d_" X43, R("mcpd-key") },
	{ "mcpd_policy_decides_every_call_before_it_is_run_at_all", NULL },
	{ "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9."
	    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", R("jwt") },
	{ "eyJhbGciOiJIUzI1NiJ9", NULL },
	{ "a\n-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n"
	    PEM PEM "-----END RSA PRIVATE KEY-----\nb",
	    "a\n" R("private-key") "\nb" },
	{ "-----BEGIN PRIVATE KEY-----\\n" "MIIEpAIBAAKCAQEA0Z3VS5JJcds3\\n"
	    "-----END PRIVATE KEY-----\"", R("private-key") "\"" },
	{ "-----BEGIN OPENSSH PRIVATE KEY-----\n" PEM, R("private-key") },
	{ "-----BEGIN CERTIFICATE-----\n" PEM "-----END CERTIFICATE-----",
	    NULL },
	{ "-----BEGIN PUBLIC KEY-----\n" PEM "-----END PUBLIC KEY-----",
	    NULL },
	{ "Authorization: Bearer aB3dE6gH9jK2mN5pQ8sT1vW4",
	    "Authorization: Bearer " R("authorization") },
	{ "authorization: basic dXNlcjpwYXNzd29yZDEyMw==",
	    "authorization: basic " R("authorization") },
	{ "Authorization: Bearer <your token here>", NULL },
	{ "postgres://bob:hunter2@db.example.org/x",
	    "postgres://bob:" R("url-password") "@db.example.org/x" },
	{ "https://example.org:8080/a@b", NULL },
	{ "https://user@example.org/", NULL },
	{ "https://user:$PASSWORD@example.org/", NULL },
	{ "password: Tr0ub4dor&3", "password: " R("password") },
	{ "DB_PASSWORD=\"s3cr3t-value\"", "DB_PASSWORD=\"" R("password")
	    "\"" },
	{ "api_key=0123456789abcdef", "api_key=" R("password") },
	{ "?access_token=aB3dE6gH9jK2&x=1", "?access_token=" R("password") },
	{ "password: required, at least 8 characters", NULL },
	{ "password = ${DB_PASSWORD1}", NULL },
	{ "password: <PASSWORD1>", NULL },
	{ "password: ********", NULL },
	{ "password=xxxxxxx1", NULL },
	{ "The password is changed every 90 days: remember1", NULL },
	{ "secretary: Margaret1967", NULL },
	{ "tokenizer: wordpiece30522", NULL },
	{ "AKIAIOSFODNN7EXAMPLE ghp_" X36 " x AKIAIOSFODNN7EXAMPLE",
	    R("aws-access-key-id") " " R("github-token") " x "
	    R("aws-access-key-id") },
	{ "a@example.org 4111 1111 1111 1111 +49 30 901820", NULL },
};

static const struct sample	personal[] = {
	{ "4111 1111 1111 1111", R("credit-card") },
	{ "4111-1111-1111-1111", R("credit-card") },
	{ "4111111111111111,", R("credit-card") "," },
	{ "378282246310005", R("credit-card") },
	{ "3782 822463 10005", R("credit-card") },
	{ "5555555555554444 and 6011111111111117",
	    R("credit-card") " and " R("credit-card") },
	{ "2223003122003222", R("credit-card") },
	{ "30569309025904", R("credit-card") },
	{ "4111 1111 1111 1111 123", R("credit-card") " 123" },
	{ "4111 1111 1111 1112", NULL },
	{ "4111 1111-1111 1111", NULL },
	{ "41111111111111111111", NULL },
	{ "1234567812345670", NULL },
	{ "7111111111111114", NULL },
	{ "0.4111111111111111", NULL },
	{ "1700000000000 1700000000000000000", NULL },
	{ "DE89 3704 0044 0532 0130 00 BIC", R("iban") " BIC" },
	{ "GB82WEST12345698765432", R("iban") },
	{ "FR1420041010050500013M02606.", R("iban") "." },
	{ "NO9386011117947", R("iban") },
	{ "DE88 3704 0044 0532 0130 00", NULL },
	{ "DE89370400440532013000X", NULL },
	{ "DE89370400440532013000x", NULL },
	{ "XX89370400440532013000", NULL },
	{ "DE89 3704 0044 0532 0130", NULL },
	{ "mail bob.o'neil+x@mail.example.co.uk!",
	    "mail bob.o'" R("email") "!" },
	{ "<a@b.example>,", "<" R("email") ">," },
	{ "..a.b@example.org.", ".." R("email") "." },
	{ "@example.org a@ b@c @d e@f.", NULL },
	{ "a@example.1x x@[127.0.0.1]", NULL },
	{ "+49 30 901820", R("phone") },
	{ "call +1 (555) 010-9999 now", "call " R("phone") " now" },
	{ "+442071838750", R("phone") },
	{ "1+4420718387 +49 +1-2 a+4915112345678 4222222222222", NULL },
	{ "+1234567890123456", NULL },
	{ "536-90-4399", R("us-ssn") },
	{ "ssn:536-90-4399.", "ssn:" R("us-ssn") "." },
	{ "000-12-3456 666-12-3456 987-65-4321 123-00-4567 123-45-0000",
	    NULL },
	{ "1536-90-4399 536-90-43991 1-536-90-4399 536-90-4399-1", NULL },
	{ "2026-11-22 17:18:14 192.0.2.1 build 20261122.1 v1.2.3", NULL },
	/* Both at once, and one within the other. */
	{ "ghp_" X36 " a@example.org", R("github-token") " " R("email") },
	{ "https://bob:x@4111111111111111@db.example.org", "https://bob:x@"
	    R("email") },
	{ "https://bob:4111111111111111@db.example.org",
	    "https://bob:" R("email") },
};

static void
run_rows(uint32_t tool, const struct sample *rows, size_t n)
{
	struct lab	*l = lab_start();
	char		 padded[4096], want[4096];
	size_t		 i;

	for (i = 0; i < n; i++) {
		lab_want(l, tool, rows[i].in, rows[i].out == NULL ?
		    rows[i].in : rows[i].out);
		assert_int_equal(l->findings[0] != '\0', rows[i].out != NULL);
		/* The same within other text. */
		snprintf(padded, sizeof(padded), "\xc3\xa9t\xc3\xa9 \"%s\" "
		    "\n\xc3\xa9", rows[i].in);
		snprintf(want, sizeof(want), "\xc3\xa9t\xc3\xa9 \"%s\" "
		    "\n\xc3\xa9", rows[i].out == NULL ? rows[i].in :
		    rows[i].out);
		/* What lacks its end takes all that looks like it. */
		if (strstr(rows[i].in, "OPENSSH") == NULL)
			lab_want(l, tool, padded, want);
	}
	lab_stop(l);
}

static void
test_secrets(void **state)
{
	(void)state;
	run_rows(TEXT, secrets, sizeof(secrets) / sizeof(secrets[0]));
}

static void
test_personal(void **state)
{
	(void)state;
	run_rows(PII, personal, sizeof(personal) / sizeof(personal[0]));
}

static void
test_json_strings(void **state)
{
	struct lab	*l = lab_start();
	char		 many[32768];
	size_t		 n;
	int		 i;

	(void)state;
	/* However it is written. */
	lab_want(l, JSON, "{\"a\":[\"\\u0041K\\u0049AIOSFODNN7EXAMPLE\"]}",
	    "{\"a\":[\"" R("aws-access-key-id") "\"]}");
	assert_non_null(strstr(l->content, "\"structuredContent\":{\"a\":[\""
	    R("aws-access-key-id") "\"]}"));
	assert_string_equal(l->findings, "aws-access-key-id:redact:1");
	/* Outermost. */
	lab_want(l, JSON, "\"AKIAIOSFODNN7EXAMPLE\"",
	    "\"" R("aws-access-key-id") "\"");
	/* Names of members, also if two become the same. */
	lab_want(l, JSON, "{\"AKIAIOSFODNN7EXAMPLE\":1,"
	    "\"AKIAIOSFODNN7EXAMPL2\":{\"x\":2}}", "{\"" R("aws-access-key-id")
	    "\":1,\"" R("aws-access-key-id") "#2\":{\"x\":2}}");
	/* A name says what its value is. */
	lab_want(l, JSON, "{\"password\":\"Tr0ub4dor&3\",\"Credentials\":{"
	    "\"SecretAccessKey\":\"" X40 "\"},\"user\":\"Tr0ub4dor&3\"}",
	    "{\"Credentials\":{\"SecretAccessKey\":\""
	    R("aws-secret-access-key") "\"},\"password\":\"" R("password")
	    "\",\"user\":\"Tr0ub4dor&3\"}");
	lab_want(l, JSON, "{\"Authorization\":\"Bearer aB3dE6gH9jK2mN5pQ8\"}",
	    "{\"Authorization\":\"Bearer " R("authorization") "\"}");
	lab_want(l, JSON, "{\"password=Tr0ub4dor&3 y\":\"zzzzzzz1\"}",
	    "{\"password=" R("password") " y\":\"zzzzzzz1\"}");
	lab_want(l, JSON, "{\"password\":\"required\",\"passwordless\":"
	    "\"abcdefgh1\"}", "{\"password\":\"required\",\"passwordless\":"
	    "\"abcdefgh1\"}");
	/* Numbers. */
	lab_want(l, PII_JSON, "{\"a\":4111111111111111,\"b\":[5555555555554444"
	    ",4111111111111112],\"c\":1e10}", "{\"a\":\"" R("credit-card")
	    "\",\"b\":[\"" R("credit-card") "\",4111111111111112],\"c\":"
	    "1e10}");
	lab_want(l, PII_JSON, "4111111111111111111", "4111111111111111111");
	lab_want(l, PII_JSON, "4111111111111111", "\"" R("credit-card")
	    "\"");
	/* Many members, sorted and looked at. */
	n = (size_t)snprintf(many, sizeof(many), "{");
	for (i = 0; i < 500; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n,
		    "%s\"k%03d\":\"ghp_" X36 "\"", i == 0 ? "" : ",", i);
	snprintf(many + n, sizeof(many) - n, "}");
	lab_say(l, JSON, many);
	assert_int_equal(l->got, END_OK);
	assert_string_equal(l->findings, "github-token:redact:500");
	/* By way of a worker. */
	lab_want(l, WORKER_TEXT, "{\"id\":1,\"output\":\"\\u0041KIA"
	    "IOSFODNN7EXAMPLE\"}", R("aws-access-key-id"));
	lab_want(l, WORKER_JSON, "{\"id\":1,\"output\":[\"\\u0041KIA"
	    "IOSFODNN7EXAMPLE\"]}", "[\"" R("aws-access-key-id") "\"]");
	lab_stop(l);
}

/* What a member's name says holds for all that is within. */
static void
test_names_above(void **state)
{
	static const struct sample	rows[] = {
		{ "{\"password\":[\"Tr0ub4dor&3\",[\"S3cr3tVal\"],7]}",
		    "{\"password\":[\"" R("password") "\",[\"" R("password")
		    "\"],7]}" },
		{ "{\"secret\":{\"v\":\"Tr0ub4dor&3\"}}",
		    "{\"secret\":{\"v\":\"" R("password") "\"}}" },
		{ "{\"secret\":{\"v\":[{\"w\":[\"Tr0ub4dor&3\"]}]},"
		    "\"v\":[\"Tr0ub4dor&3\"]}",
		    "{\"secret\":{\"v\":[{\"w\":[\"" R("password") "\"]}]},"
		    "\"v\":[\"Tr0ub4dor&3\"]}" },
		{ "{\"SecretAccessKey\":{\"pwd\":[\"" X40 "/\",\"" X40
		    "\"]}}", "{\"SecretAccessKey\":{\"pwd\":[\""
		    R("password") "\",\"" R("password") "\"]}}" },
		/* A name counts beside those that are nearer. */
		{ "{\"SecretAccessKey\":{\"password\":{\"token\":[\"short\"],"
		    "\"Authorization\":[\"Bearer aB3dE6gH9jK2mN5pQ8\"]},"
		    "\"v\":[\"" X40 "\"]}}",
		    "{\"SecretAccessKey\":{\"password\":{\"Authorization\":["
		    "\"Bearer " R("authorization") "\"],\"token\":[\"short\"]},"
		    "\"v\":[\"" R("aws-secret-access-key") "\"]}}" },
		{ "{\"password\":{\"Authorization\":\"Tr0ub4dor&3\"}}",
		    "{\"password\":{\"Authorization\":\"" R("password")
		    "\"}}" },
		{ "[{\"password\":[]},\"Tr0ub4dor&3\"]", NULL },
		{ "{\"pass\":[\"abcdefgh1\"],\"passwordless\":{\"v\":"
		    "[\"abcdefgh1\"]},\"secret\":{\"v\":[\"required\"]}}",
		    NULL },
	};
	struct lab			*l = lab_start();
	size_t				 i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		lab_want(l, JSON, rows[i].in, rows[i].out == NULL ?
		    rows[i].in : rows[i].out);
	lab_want_error(l, BLOCK_JSON, "{\"secret\":{\"v\":[\"Tr0ub4dor&3\"]}}",
	    END_WITHHELD, "get out: password");
	lab_stop(l);
}

/* Names within names, above very many texts: no way to buy time. */
static void
test_many_names_above(void **state)
{
	struct lab	*l = lab_start();
	size_t		 size = 4194304, name = 1048576, n = 0, i;
	char		*big = malloc(size + 64);
	uint64_t	 from;

	(void)state;
	for (i = 0; i < 50; i++)
		n += (size_t)snprintf(big + n, 64, "{\"password\":");
	big[n++] = '[';
	while (n < size - 64)
		n += (size_t)snprintf(big + n, 64, "\"12\",");
	n += (size_t)snprintf(big + n, 64, "0]");
	memset(big + n, '}', 50);
	from = lab_cpu_ns(l);
	lab_run(l, JSON, big, n + 50);
	assert_in_range(lab_cpu_ns(l) - from, 0, 2000000000ULL);
	assert_int_equal(l->got, END_WITHHELD);
	assert_string_equal(l->findings, "password:undecided:0");
	/* A name may be long, and is not read again for each of them. */
	n = (size_t)snprintf(big, 64, "{\"");
	memset(big + n, 's', name);
	n += name;
	n += (size_t)snprintf(big + n, 64, "_password\":[");
	while (n < size - 64)
		n += (size_t)snprintf(big + n, 64, "\"12\",");
	n += (size_t)snprintf(big + n, 64, "\"Tr0ub4dor&3\"]}");
	from = lab_cpu_ns(l);
	lab_run(l, JSON, big, n);
	assert_in_range(lab_cpu_ns(l) - from, 0, 2000000000ULL);
	if (l->got == END_OK)
		assert_string_equal(l->findings, "password:redact:1");
	else
		assert_int_equal(l->got, END_WITHHELD);
	free(big);
	lab_stop(l);
}

static void
test_actions(void **state)
{
	struct lab	*l = lab_start();

	(void)state;
	lab_want(l, OFF, "AKIAIOSFODNN7EXAMPLE a@example.org",
	    "AKIAIOSFODNN7EXAMPLE a@example.org");
	assert_string_equal(l->findings, "");
	/* Reported, but let through. */
	lab_want(l, BLOCK, "a@example.org b@example.org 536-90-4399",
	    "a@example.org b@example.org 536-90-4399");
	assert_string_equal(l->findings, "email:report:2 us-ssn:report:1");
	lab_want_error(l, BLOCK, "x AKIAIOSFODNN7EXAMPLE", END_WITHHELD,
	    "something in it that must not get out: aws-access-key-id.");
	assert_null(strstr(l->content, "EXAMPLE"));
	assert_string_equal(l->findings, "aws-access-key-id:block:1");
	lab_want(l, TEXT, "AKIAIOSFODNN7EXAMPLE AKIAIOSFODNN7EXAMPLE",
	    R("aws-access-key-id") " " R("aws-access-key-id"));
	assert_string_equal(l->findings, "aws-access-key-id:redact:2");
	/* What is within another of its kind is not counted again. */
	lab_want(l, TEXT, "sk-" X36 "-sk-" X36, R("sk-key"));
	assert_string_equal(l->findings, "sk-key:redact:1");
	lab_stop(l);
}

static void
test_site(void **state)
{
	struct lab	*l = lab_start();

	(void)state;
	lab_want(l, SITE, "EMP-123456, EMP-12345, emp-123456",
	    R("badge") ", EMP-12345, emp-123456");
	/* Only what the group names; letters of any case; UTF-8. */
	lab_want(l, SITE, "PROJECT caf\xc3\xa9 is secret",
	    "PROJECT " R("project") " is secret");
	lab_want(l, SITE, "<\xc3\xa9> <> <ab>", R("one") " <> <ab>");
	/* With a check digit. */
	lab_want(l, SITE, "4242424242 4242424243", R("member") " 4242424243");
	lab_want(l, SITE, "DE89370400440532013000 DE88370400440532013000",
	    R("account") " DE88370400440532013000");
	assert_string_equal(l->findings, "account:redact:1");
	/* Nothing built in is looked for here. */
	lab_want(l, SITE, "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE");
	/* What overlaps is cut out as one. */
	lab_use(l, lab_section("[{\"name\":\"a\",\"pattern\":\"ab+c\"},"
	    "{\"name\":\"b\",\"pattern\":\"c+d\"}]", NULL), 2);
	l->generation = 2;
	lab_want(l, TEXT, "xabbccdy ccd", "x" R("a") "y " R("b"));
	assert_string_equal(l->findings, "a:redact:1 b:redact:2");
	/* What stands for a name that was cut is not looked at again. */
	lab_use(l, lab_section("[{\"name\":\"staff-id\",\"pattern\":"
	    "\"staff-[a-z]+\"}]", NULL), 3);
	l->generation = 3;
	lab_want(l, JSON, "{\"staff-abc\":1,\"staff-def\":2,\"x\":3}",
	    "{\"" R("staff-id") "\":1,\"" R("staff-id") "#2\":2,\"x\":3}");
	assert_string_equal(l->findings, "staff-id:redact:2");
	lab_stop(l);
}

/* Fills with a unit, over and over. */
static void
fill(char *buf, size_t size, const char *unit)
{
	size_t	n = strlen(unit), i;

	for (i = 0; i < size; i++)
		buf[i] = unit[i % n];
}

/* What takes too long is withheld: a tool cannot buy its way out. */
static void
test_pathological(void **state)
{
	static const struct {
		uint32_t	 tool;
		const char	*unit;
	} rows[] = {
		{ SITE, "x" }, { SITE, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx z" },
		{ TEXT, "-eyJ" }, { TEXT, "a://" }, { TEXT, "secret" },
		{ TEXT, "-----BEGIN " }, { TEXT, "password=" },
		{ TEXT, "-----BEGIN PRIVATE KEY-----a-" },
		{ PII, "a@" }, { PII, "1-" }, { PII, "1 " }, { PII, "AB12" },
		{ PII, "+1" }, { PII, "5" }, { PII, "5555 " },
		{ PII, "a.a.a@a.a." },
	};
	struct lab	*l = lab_start();
	size_t		 size = 4194304, i, n;
	char		*big = malloc(size);
	uint64_t	 from, worst = 0;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fill(big, size, rows[i].unit);
		from = lab_cpu_ns(l);
		lab_run(l, rows[i].tool, big, size);
		from = lab_cpu_ns(l) - from;
		if (from > worst)
			worst = from;
		if (l->got != END_OK && l->got != END_WITHHELD)
			fail_msg("%s: %s", rows[i].unit, end_word(l->got));
		if (l->got == END_WITHHELD) {
			assert_non_null(strstr(l->content, "reasonable time"));
			assert_non_null(strstr(l->findings, ":undecided:"));
		}
	}
	/* The limit is 0.46 s of search; the rest is everything else. */
	assert_in_range(worst, 0, 2000000000ULL);
	printf("# the worst of %zu bad outputs of 4 MiB: %llu ms\n", i,
	    (unsigned long long)worst / 1000000);
	/* Names that are cut alike stay apart, and that is no work. */
	n = (size_t)snprintf(big, 16, "{");
	for (i = 0; i < 50000; i++)
		n += (size_t)snprintf(big + n, 64, "%s\"AKIA%016zu\":0",
		    i == 0 ? "" : ",", i);
	snprintf(big + n, 16, "}");
	from = lab_cpu_ns(l);
	lab_run(l, JSON, big, n + 1);
	assert_in_range(lab_cpu_ns(l) - from, 0, 2000000000ULL);
	assert_string_equal(l->findings, "aws-access-key-id:redact:50000");
	assert_non_null(strstr(l->content, "id]#50000\\\":0"));
	fill(big, 100, "x");
	lab_run(l, SITE, big, 100);
	assert_int_equal(l->got, END_WITHHELD);
	assert_string_equal(l->findings, "slow:undecided:0");
	free(big);
	lab_stop(l);
}

static const char	prose[] =
	"The committee met on Tuesday, 14 March 2023, to discuss the budget "
	"for the coming year. Of the 47 proposals received, 12 were approved "
	"(see appendix B, pp. 33-41), at a total cost of $1,250,000. Mr. "
	"O'Hara asked whether the new system - \"version 2.0\" - would be "
	"ready; it will not. Details: http://intranet/minutes?id=20230314&lang=en\n"
	"\tstatic int count_words(const char *s, size_t len);\n"
	"\tif (len > 0 && s[len - 1] == '\\n') { len--; return -1; }\n"
	"2023-03-14T09:26:53.589Z INFO worker[3141] request_id=7f3a2b done in "
	"17 ms, 200 OK, 5321 bytes\n";

static double
measure(struct lab *l, uint32_t tool, const char *data, size_t len)
{
	uint64_t	from = lab_cpu_ns(l);
	int		i;

	for (i = 0; i < 5; i++) {
		lab_run(l, tool, data, len);
		assert_int_equal(l->got, END_OK);
	}
	return (double)(lab_cpu_ns(l) - from) / 5;
}

static void
test_rate(void **state)
{
	struct lab	*l = lab_start();
	size_t		 size = 4194304, n;
	char		*big = malloc(size + 1), *json = malloc(size + 100);
	double		 off, on, pii;

	(void)state;
	fill(big, size, prose);
	measure(l, OFF, big, size);
	off = measure(l, OFF, big, size);
	on = measure(l, TEXT, big, size);
	pii = measure(l, PII, big, size);
	printf("# 4 MiB of text: %.1f ns a byte without search; secrets add "
	    "%.2f ns (%.0f MB/s), personal data as well %.2f ns (%.0f MB/s)\n",
	    off / (double)size, (on - off) / (double)size,
	    (double)size * 1000 / (on - off), (pii - off) / (double)size,
	    (double)size * 1000 / (pii - off));
	on = measure(l, SITE, big, size);
	printf("# five patterns of the site: %.2f ns\n",
	    (on - off) / (double)size);
	n = 0;
	json[n++] = '[';
	while (n < 1 << 20)
		n += (size_t)snprintf(json + n, 512, "%s{\"id\":%zu,\"name\":"
		    "\"row %zu\",\"text\":\"The quick brown fox jumps over "
		    "the lazy dog\",\"tags\":[\"a\",\"b\"],\"ok\":true}",
		    n == 1 ? "" : ",", n, n);
	json[n++] = ']';
	off = measure(l, JSON, json, n);
	printf("# 1 MiB of JSON: %.0f ns a byte in all\n", off / (double)n);
	free(json);
	free(big);
	lab_stop(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_personal),
		cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_names_above),
		cmocka_unit_test(test_many_names_above),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_site),
		cmocka_unit_test(test_pathological),
		cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
