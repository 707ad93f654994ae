/* SPDX-License-Identifier: ISC */

/* Certificates, and a client that speaks TLS and says what it is told to. */

#ifndef NETWORK_CLIENT_H
#define NETWORK_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#define CLIENT_WAIT_MS	10000

/* A certificate with its key; PEM in memory. */
struct cert {
	EVP_PKEY	*key;
	X509		*x509;
	char		 pem[8192];
	size_t		 pem_len;
	uint8_t		 id[32];	/* SHA-256 of the public key */
};

/* issuer NULL: signs itself.  names is as x509v3_config(5) has it, or NULL. */
void		 cert_make(struct cert *, EVP_PKEY *, const char *name,
		    const char *names, const struct cert *issuer);
void		 cert_free(struct cert *);
EVP_PKEY	*key_ec(void);
EVP_PKEY	*key_rsa(void);
EVP_PKEY	*key_ed25519(void);

struct client {
	SSL		*ssl;
	int		 fd;
	uint8_t		*in;		/* received, and not looked at */
	size_t		 in_len;
	size_t		 in_size;
	bool		 ended;
	bool		 truncated;	/* without a goodbye */
	int		 alert;		/* the last that came, or 0 */
};

struct response {
	unsigned int	 status;
	char		 head[8192];
	char		*body;
	size_t		 body_len;
	bool		 chunked;
};

/* A TCP connection; TLS begins with client_hello(). */
struct client	*client_new(uint16_t port, SSL_CTX *);
/* Sends what begins a handshake. */
void		 client_hello(struct client *);
/* Finishes it: true if it succeeds. */
bool		 client_handshake(struct client *);
void		 client_send(struct client *, const void *, size_t);
void		 client_say(struct client *, const char *);
/* Reads until there are n bytes; false at the end. */
bool		 client_need(struct client *, size_t n);
void		 client_took(struct client *, size_t n);
/* Waits for the end; what comes before stays in the buffer. */
void		 client_expect_end(struct client *);
/* Nothing has come by now. */
void		 client_expect_nothing(struct client *);
void		 client_free(struct client *);

/* The head of a response, then its body, if it is not a stream. */
void		 client_head(struct client *, struct response *);
void		 client_body(struct client *, struct response *);
void		 client_response(struct client *, struct response *);
/* One chunk of a stream's; an empty one is its end. */
void		 client_chunk(struct client *, struct response *);
/* The value of a header, or NULL. */
const char	*response_field(const struct response *, const char *name,
		    char *buf, size_t);
void		 response_free(struct response *);

#endif
