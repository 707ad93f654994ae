/* SPDX-License-Identifier: ISC */

#include <sys/stat.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "parent.h"

#define SECRET_MAX	262144

/* systemd puts credentials into a directory of the service. */
static int
secret_path(const char *reference, char *path, size_t size)
{
	const char	*dir = getenv("CREDENTIALS_DIRECTORY");

	if (strncmp(reference, "file:", 5) == 0)
		return (size_t)snprintf(path, size, "%s", reference + 5) <
		    size ? 0 : -1;
	if (dir == NULL) {
		errno = ENOENT;
		return -1;
	}
	return (size_t)snprintf(path, size, "%s/%s", dir, reference +
	    strlen("credential:")) < size ? 0 : -1;
}

uint8_t *
secret_read(const char *reference, size_t *len)
{
	struct stat	 st;
	uint8_t		*data = NULL;
	char		 path[1200];
	int		 fd = -1;

	if (secret_path(reference, path, sizeof(path)) == -1 ||
	    (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > SECRET_MAX)
		errno = EFBIG;
	else if (st.st_size >= 0) {
		*len = (size_t)st.st_size;
		data = malloc(*len + 1);
	}
	if (data != NULL && read(fd, data, *len) != (ssize_t)*len) {
		freezero(data, *len + 1);
		data = NULL;
		errno = EIO;
	}
	close(fd);
	if (data != NULL)
		data[*len] = '\0';
	return data;
}

static int
key_id(EVP_PKEY *pkey, uint8_t id[KEY_ID_SIZE])
{
	unsigned char	*der = NULL;
	int		 n;

	n = pkey == NULL ? -1 : i2d_PUBKEY(pkey, &der);
	if (n <= 0)
		return -1;
	SHA256(der, (size_t)n, id);
	OPENSSL_free(der);
	return 0;
}

int
certificate_key_id(const void *pem, size_t len, uint8_t id[KEY_ID_SIZE])
{
	BIO	*bio = BIO_new_mem_buf(pem, (int)len);
	X509	*cert;
	int	 ret;

	if (bio == NULL)
		return -1;
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	ret = cert == NULL ? -1 : key_id(X509_get0_pubkey(cert), id);
	X509_free(cert);
	BIO_free(bio);
	return ret;
}

static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

static EVP_PKEY *
read_key(const void *pem, size_t len)
{
	BIO		*bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY	*pkey = NULL;

	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase,
		    NULL);
	BIO_free(bio);
	return pkey;
}

int
private_key_id(const void *pem, size_t len, uint8_t id[KEY_ID_SIZE])
{
	EVP_PKEY	*pkey = read_key(pem, len);
	int		 ret = key_id(pkey, id);

	EVP_PKEY_free(pkey);
	return ret;
}

const char *
audit_key_reference(const struct parent *p, const struct config *c,
    char *buf, size_t size)
{
	const char	*set = json_string_value(js_at(c->tree, "/audit/key"));

	if (set != NULL)
		return set;
	snprintf(buf, size, "file:%s/audit/key.pem", p->state_dir);
	return buf;
}

static int
write_key(const char *path, EVP_PKEY *pkey, bool private)
{
	FILE	*f;
	int	 fd, ok;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    private ? 0600 : 0644);
	f = fd == -1 ? NULL : fdopen(fd, "w");
	if (f == NULL)
		return -1;
	ok = private ? PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL,
	    NULL) : PEM_write_PUBKEY(f, pkey);
	ok = ok == 1 && fflush(f) == 0 && fsync(fd) == 0;
	fclose(f);
	return ok ? 0 : -1;
}

/* A first start: a key of our own, if the configuration names a file. */
static int
make_key(const char *reference)
{
	EVP_PKEY	*pkey;
	int		 ret;

	if (strncmp(reference, "file:", 5) != 0 || errno != ENOENT)
		return -1;
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (pkey == NULL)
		return -1;
	ret = write_key(reference + 5, pkey, true);
	EVP_PKEY_free(pkey);
	if (ret == 0)
		log_notice("made a key for the record", "file=%s",
		    reference + 5);
	return ret;
}

static const char *
publish(struct parent *p, const uint8_t *pem, size_t len)
{
	EVP_PKEY	*pkey = read_key(pem, len);
	char		 path[1200];
	const char	*why = NULL;

	snprintf(path, sizeof(path), "%s/audit/record.pub.pem",
	    p->state_dir);
	if (pkey == NULL || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519 ||
	    key_id(pkey, p->audit_key) == -1)
		why = "audit: key: not an Ed25519 private key in PEM form "
		    "without passphrase";
	else if (write_key(path, pkey, false) == -1)
		why = startup_error(p, "%s: %s", path, strerror(errno));
	EVP_PKEY_free(pkey);
	return why;
}

const char *
audit_key_prepare(struct parent *p)
{
	char		 buf[1200];
	const char	*reference, *why;
	uint8_t		*pem;
	size_t		 len;

	reference = audit_key_reference(p, &p->config, buf, sizeof(buf));
	pem = secret_read(reference, &len);
	if (pem == NULL && make_key(reference) == 0)
		pem = secret_read(reference, &len);
	if (pem == NULL)
		return startup_error(p, "audit: key: %s: %s", reference,
		    strerror(errno));
	why = publish(p, pem, len);
	freezero(pem, len);
	return why;
}
