/* SPDX-License-Identifier: ISC */

#include <ctype.h>
#include <string.h>

#include "patterns.h"

#define CARD_DIGITS	19

/* Who issues cards of which numbers (ISO/IEC 7812). */
static const struct {
	unsigned int	 low;		/* the first digits */
	unsigned int	 high;
	unsigned int	 digits;	/* how many these are */
	unsigned int	 shortest;
	unsigned int	 longest;
} issuers[] = {
	{ 4,	4,	1,	16,	19 },
	{ 51,	55,	2,	16,	16 },
	{ 2221,	2720,	4,	16,	16 },
	{ 34,	34,	2,	15,	15 },
	{ 37,	37,	2,	15,	15 },
	{ 6011,	6011,	4,	16,	19 },
	{ 644,	649,	3,	16,	19 },
	{ 65,	65,	2,	16,	19 },
	{ 300,	305,	3,	14,	19 },
	{ 36,	36,	2,	14,	19 },
	{ 38,	39,	2,	14,	19 },
	{ 3528,	3589,	4,	16,	19 },
	{ 62,	62,	2,	16,	19 },
	{ 50,	50,	2,	16,	19 },
	{ 56,	58,	2,	16,	19 },
};

/* Countries and the length of their IBANs (ISO 13616 registry). */
static const char	ibans[] =
	"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24"
	"DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27"
	"GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20"
	"LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24"
	"PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25"
	"SV28TL23TN24TR26UA29VA22VG24XK20YE30";

static size_t
digits_of(const char *s, size_t len, char *digits, size_t max)
{
	size_t	n = 0, i;

	for (i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			continue;
		if (n == max)
			return 0;
		digits[n++] = s[i];
	}
	return n;
}

/* ISO/IEC 7812-1, annex B. */
static bool
luhn(const char *digits, size_t n)
{
	unsigned int	sum = 0, d;
	size_t		i;

	for (i = 0; i < n; i++) {
		d = (unsigned int)(digits[n - 1 - i] - '0');
		if (i % 2 == 1)
			d = d * 2 > 9 ? d * 2 - 9 : d * 2;
		sum += d;
	}
	return n > 1 && sum % 10 == 0;
}

size_t
check_luhn(const char *s, size_t len)
{
	char	digits[64];
	size_t	n = digits_of(s, len, digits, sizeof(digits));

	return luhn(digits, n) ? len : 0;
}

static bool
is_issued(const char *digits, size_t n)
{
	unsigned int	prefix, k;
	size_t		i;

	for (i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++) {
		if (n < issuers[i].shortest || n > issuers[i].longest)
			continue;
		prefix = 0;
		for (k = 0; k < issuers[i].digits; k++)
			prefix = prefix * 10 + (unsigned int)(digits[k] - '0');
		if (prefix >= issuers[i].low && prefix <= issuers[i].high)
			return true;
	}
	return false;
}

size_t
check_card(const char *s, size_t len)
{
	char	digits[CARD_DIGITS];
	size_t	n = digits_of(s, len, digits, sizeof(digits));

	return n > 0 && is_issued(digits, n) && luhn(digits, n) ? len : 0;
}

/* Letters and digits of an account number for its country; 0: none. */
static size_t
iban_length(const char *s)
{
	size_t	i;

	for (i = 0; i + 4 < sizeof(ibans); i += 4)
		if (memcmp(ibans + i, s, 2) == 0)
			return (size_t)((ibans[i + 2] - '0') * 10 +
			    ibans[i + 3] - '0');
	return 0;
}

/*
 * What was matched may go on with the next word: the country says where
 * the number ends.  ISO 7064, MOD 97-10.
 */
size_t
check_iban(const char *s, size_t len)
{
	char		number[34];
	size_t		want = iban_length(s), n = 0, i, k;
	unsigned int	rest = 0;

	for (i = 0; i < len && n < want && n < sizeof(number); i++)
		if (s[i] != ' ')
			number[n++] = s[i];
	if (want == 0 || n < want || (i < len && s[i] != ' '))
		return 0;
	for (k = 0; k < n; k++) {
		char	c = number[(k + 4) % n];

		if (isdigit((unsigned char)c))
			rest = (rest * 10 + (unsigned int)(c - '0')) % 97;
		else
			rest = (rest * 100 + (unsigned int)(c - 'A' + 10)) %
			    97;
	}
	return rest == 1 ? i : 0;
}

/* E.164: at most 15 digits, and a country never alone. */
size_t
check_phone(const char *s, size_t len)
{
	char	digits[15];
	size_t	n = digits_of(s, len, digits, sizeof(digits));

	return n >= 8 ? len : 0;
}

size_t
check_digit(const char *s, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if (isdigit((unsigned char)s[i]))
			return len;
	return 0;
}

/* Random letters and digits hold some of each kind; words do not. */
size_t
check_mixed(const char *s, size_t len)
{
	bool	upper = false, lower = false, digit = false;
	size_t	i;

	for (i = 0; i < len; i++) {
		upper |= isupper((unsigned char)s[i]) != 0;
		lower |= islower((unsigned char)s[i]) != 0;
		digit |= isdigit((unsigned char)s[i]) != 0;
	}
	return upper + lower + digit >= 2 && digit ? len : 0;
}

/* A letter and a digit, and no more than a quarter of one character. */
size_t
check_password(const char *s, size_t len)
{
	unsigned int	seen[256] = { 0 };
	bool		letter = false, digit = false;
	size_t		i;

	for (i = 0; i < len; i++) {
		letter |= isalpha((unsigned char)s[i]) != 0;
		digit |= isdigit((unsigned char)s[i]) != 0;
		if (++seen[(unsigned char)s[i]] > len / 4 + 1)
			return 0;
	}
	return letter && digit ? len : 0;
}
