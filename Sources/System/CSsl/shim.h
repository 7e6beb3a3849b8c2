// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

#ifndef HYDRO_CSSL_SHIM_H
#define HYDRO_CSSL_SHIM_H
#include <openssl/ssl.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/pem.h>

// Macros that Swift cannot see.
static inline void hydro_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    SSL_CTX_set_min_proto_version(context, version);
}
static inline void hydro_SSL_CTX_set_mode(SSL_CTX *context, long mode) { SSL_CTX_set_mode(context, mode); }
static inline void hydro_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_session_cache_mode(context, mode);
}
static inline void hydro_SSL_CTX_set_read_ahead(SSL_CTX *context, long on) { SSL_CTX_set_read_ahead(context, on); }
static inline long hydro_SSL_CTX_get_tlsext_ticket_keys(SSL_CTX *context, void *keys, long length) {
    return SSL_CTX_get_tlsext_ticket_keys(context, keys, length);
}
static inline long hydro_SSL_CTX_set_tlsext_ticket_keys(SSL_CTX *context, void *keys, long length) {
    return SSL_CTX_set_tlsext_ticket_keys(context, keys, length);
}
static inline void hydro_BIO_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void hydro_BIO_set_retry_write(BIO *bio) { BIO_set_retry_write(bio); }
static inline void hydro_BIO_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }

static const uint64_t HYDRO_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t HYDRO_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const uint64_t HYDRO_SSL_OP_IGNORE_UNEXPECTED_EOF = SSL_OP_IGNORE_UNEXPECTED_EOF;
static const uint64_t HYDRO_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
#endif
