/* tls.c: certificate files, by GnuTLS, which the HTTP library uses as well. */
#include "tls.h"

#include "sensor/base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILE_MAX = 256 << 10, PATH_SIZE = 512, SERIAL_SIZE = 16, YEARS = 10 };

/* --- files --- */

static char *read_text(const char *path, struct error *err)
{
    FILE *file = fopen(path, "r");
    char *text = file ? malloc(FILE_MAX + 1) : NULL;
    size_t size = text ? fread(text, 1, FILE_MAX, file) : 0;
    bool ok = text && !ferror(file) && size > 0 && size < FILE_MAX;
    if (!ok)
        error_set(err, "cannot read %s: %s", path, file ? "not a PEM file" : strerror(errno));
    if (file)
        fclose(file);
    if (!ok) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

static bool write_text(const char *path, mode_t mode, const gnutls_datum_t *text, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    bool ok = fd >= 0 && write(fd, text->data, text->size) == (ssize_t)text->size && fsync(fd) == 0;
    if (!ok)
        error_set(err, "cannot write %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !ok)
        unlink(path);
    return ok;
}

/* --- a self-signed certificate --- */

/* The address that browsers will use, beside localhost. */
static void name_address(gnutls_x509_crt_t certificate, const char *listen)
{
    char host[64];
    uint8_t bytes[16];
    const char *colon = strrchr(listen, ':');
    size_t size = colon ? (size_t)(colon - listen) : 0;
    if (size == 0 || size >= sizeof host)
        return;
    memcpy(host, listen, size);
    host[size] = '\0';
    if (inet_pton(AF_INET, host, bytes) == 1) {
        gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, bytes, 4,
                                             GNUTLS_FSAN_APPEND);
    } else if (host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, bytes) == 1)
            gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, bytes, 16,
                                                 GNUTLS_FSAN_APPEND);
    }
}

static bool fill_certificate(gnutls_x509_crt_t c, gnutls_x509_privkey_t key, const char *listen)
{
    static const char name[] = "Sightglass console", host[] = "localhost";
    uint8_t serial[SERIAL_SIZE];
    time_t now = time(NULL);
    if (gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial) < 0)
        return false;
    serial[0] &= 0x7f; /* RFC 5280 4.1.2.2: positive */
    bool ok = gnutls_x509_crt_set_version(c, 3) >= 0 &&
              gnutls_x509_crt_set_serial(c, serial, sizeof serial) >= 0 &&
              gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                            sizeof name - 1) >= 0 &&
              gnutls_x509_crt_set_activation_time(c, now - 24 * 3600) >= 0 &&
              gnutls_x509_crt_set_expiration_time(c, now + (time_t)YEARS * 365 * 24 * 3600) >= 0 &&
              gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_DNSNAME, host, sizeof host - 1,
                                                   GNUTLS_FSAN_SET) >= 0 &&
              gnutls_x509_crt_set_key(c, key) >= 0;
    if (ok)
        name_address(c, listen);
    return ok && gnutls_x509_crt_sign2(c, c, key, GNUTLS_DIG_SHA256, 0) >= 0;
}

static bool make_files(const char *certificate_path, const char *key_path, const char *listen,
                       struct error *err)
{
    gnutls_x509_crt_t certificate = NULL;
    gnutls_x509_privkey_t key = NULL;
    gnutls_datum_t certificate_text = {NULL, 0}, key_text = {NULL, 0};
    bool ok = gnutls_x509_privkey_init(&key) >= 0 && gnutls_x509_crt_init(&certificate) >= 0 &&
              gnutls_x509_privkey_generate(
                  key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) >= 0 &&
              fill_certificate(certificate, key, listen) &&
              gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &certificate_text) >= 0 &&
              gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &key_text) >= 0;
    if (!ok)
        error_set(err, "cannot make a certificate");
    ok = ok && write_text(key_path, 0600, &key_text, err) &&
         write_text(certificate_path, 0644, &certificate_text, err);
    if (ok)
        log_info("made a self-signed certificate, %s: browsers will ask once", certificate_path);
    if (key_text.data)
        gnutls_memset(key_text.data, 0, key_text.size);
    gnutls_free(key_text.data);
    gnutls_free(certificate_text.data);
    if (certificate)
        gnutls_x509_crt_deinit(certificate);
    if (key)
        gnutls_x509_privkey_deinit(key);
    return ok;
}

bool tls_read(struct tls_files *files, const char *certificate, const char *key,
              const char *state_dir, const char *listen, struct error *err)
{
    char own_certificate[PATH_SIZE], own_key[PATH_SIZE];
    *files = (struct tls_files){NULL, NULL};
    if (!certificate != !key)
        return error_set(err, "a certificate needs its key, and a key its certificate");
    if (!certificate) {
        snprintf(own_certificate, sizeof own_certificate, "%s/console.crt", state_dir);
        snprintf(own_key, sizeof own_key, "%s/console.key", state_dir);
        certificate = own_certificate;
        key = own_key;
        if (access(certificate, F_OK) != 0 && access(key, F_OK) != 0 &&
            !make_files(certificate, key, listen, err))
            return false;
    }
    files->certificate = read_text(certificate, err);
    files->key = files->certificate ? read_text(key, err) : NULL;
    if (files->key)
        return true;
    tls_release(files);
    return false;
}

void tls_release(struct tls_files *files)
{
    if (files->key)
        explicit_bzero(files->key, strlen(files->key));
    free(files->certificate);
    free(files->key);
    *files = (struct tls_files){NULL, NULL};
}
