/* tls.h: the certificate of the console: given files, or a self-signed one made at first start. */
#pragma once

#include "sensor/base/error.h"

#include <stdbool.h>

/* PEM text. */
struct tls_files {
    char *certificate, *key;
};

/* Reads the files; when they are NULL, console.crt and console.key of the state directory, which
 * are made when missing (ECDSA P-256, ten years, for the address and localhost; the key readable by
 * its owner only). */
bool tls_read(struct tls_files *files, const char *certificate, const char *key,
              const char *state_dir, const char *listen, struct error *err) NODISCARD;
void tls_release(struct tls_files *files);
