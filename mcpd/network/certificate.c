/* SPDX-License-Identifier: ISC */

#include <arpa/inet.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "tls.h"

#define NAME_MAX_LEN	1024

/* "kind:text"; -1 if it does not fit, or is no plain text. */
static int
add_text(struct identity *id, const char *kind, const ASN1_STRING *s)
{
	const unsigned char	*data = ASN1_STRING_get0_data(s);
	int			 len = ASN1_STRING_length(s), i;
	char			 item[NAME_MAX_LEN];
	int			 n;

	for (i = 0; i < len; i++)
		if (data[i] <= ' ' || data[i] > '~')
			return -1;
	n = snprintf(item, sizeof(item), "%s:%.*s", kind, len,
	    (const char *)data);
	if (n < 0 || (size_t)n >= sizeof(item))
		return -1;
	return list_add(id->names, sizeof(id->names), &id->names_len, item,
	    (size_t)n);
}

static int
add_address(struct identity *id, const ASN1_STRING *s)
{
	int	len = ASN1_STRING_length(s);
	char	item[3 + INET6_ADDRSTRLEN] = "IP:";

	if ((len != 4 && len != 16) || inet_ntop(len == 4 ? AF_INET :
	    AF_INET6, ASN1_STRING_get0_data(s), item + 3,
	    sizeof(item) - 3) == NULL)
		return -1;
	return list_add(id->names, sizeof(id->names), &id->names_len, item,
	    strlen(item));
}

static int
add_name(struct identity *id, const GENERAL_NAME *name)
{
	switch (name->type) {
	case GEN_DNS:
		return add_text(id, "DNS", name->d.dNSName);
	case GEN_URI:
		return add_text(id, "URI", name->d.uniformResourceIdentifier);
	case GEN_EMAIL:
		return add_text(id, "email", name->d.rfc822Name);
	case GEN_IPADD:
		return add_address(id, name->d.iPAddress);
	default:
		return 0;
	}
}

static bool
take_names(struct identity *id, const X509 *cert)
{
	GENERAL_NAMES	*names;
	bool		 ok = true;
	int		 i;

	names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (i = 0; ok && i < sk_GENERAL_NAME_num(names); i++)
		ok = add_name(id, sk_GENERAL_NAME_value(names, i)) == 0;
	GENERAL_NAMES_free(names);
	return ok;
}

static bool
take_subject(struct identity *id, const X509 *cert)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	char	*text;
	long	 len;
	bool	 ok = false;

	if (bio != NULL && X509_NAME_print_ex(bio,
	    X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(bio, &text);
		ok = len >= 0 && len <= SUBJECT_MAX;
		if (ok && len > 0)
			memcpy(id->subject, text, (size_t)len);
	}
	BIO_free(bio);
	return ok;
}

bool
certificate_identity(struct tls *tls, struct identity *id)
{
	const uint8_t	*pem;
	size_t		 len;
	BIO		*bio;
	X509		*cert;
	time_t		 end = tls_peer_cert_notafter(tls);
	bool		 ok;

	memset(id, 0, sizeof(*id));
	pem = tls_peer_cert_chain_pem(tls, &len);
	if (pem == NULL || end <= 0)
		return false;
	id->not_after = (uint64_t)end;
	/* The client's own is the first of its chain. */
	bio = BIO_new_mem_buf(pem, (int)len);
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	ok = cert != NULL && take_subject(id, cert) && take_names(id, cert);
	X509_free(cert);
	BIO_free(bio);
	return ok;
}
