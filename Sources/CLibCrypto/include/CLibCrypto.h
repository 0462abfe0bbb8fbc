// libcrypto, which isn't linked: loading it costs more than all of `snapshot health`, which doesn't need it.
// The functions wrap libcrypto's; libcrypto.c says which. Without the library the program ends, as it would
// if it were linked.
#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/// Loads the library now. Call it before work that would be lost if loading failed later, such as taking a picture.
void shim_load_crypto(void);

const EVP_MD *shim_sha256(void);
/// NULL or unusable if the system's policy forbids MD5.
const EVP_MD *shim_md5(void);
/// Returns 1 on success, as do the other functions of digests.
int shim_digest(const void *bytes, size_t size, unsigned char *digest, unsigned *length, const EVP_MD *kind);
EVP_MD_CTX *shim_digest_new(void);
int shim_digest_init(EVP_MD_CTX *context, const EVP_MD *kind);
int shim_digest_update(EVP_MD_CTX *context, const void *bytes, size_t size);
int shim_digest_final(EVP_MD_CTX *context, unsigned char *digest, unsigned *length);
void shim_digest_free(EVP_MD_CTX *context);
unsigned char *shim_hmac(
  const EVP_MD *kind, const void *key, int key_size, const unsigned char *bytes, size_t size, unsigned char *digest,
  unsigned *length);

/// Base64; returns the number of bytes written, and shim_decode_block -1 for invalid text.
int shim_encode_block(unsigned char *text, const unsigned char *bytes, int size);
int shim_decode_block(unsigned char *bytes, const unsigned char *text, int size);

/// Reads the bytes in place.
BIO *shim_bio_new(const void *bytes, int size);
void shim_bio_free(BIO *bio);
X509 *shim_read_certificate(BIO *bio, pem_password_cb *passphrase);
void shim_certificate_free(X509 *certificate);
/// Writes the public key in DER to `*end` and advances it, unless `end` is NULL; returns its size.
int shim_public_key(const X509 *certificate, unsigned char **end);
/// The beginning and the end of a certificate's validity compared with the present: less than 0 if it is past.
int shim_compare_begin(const X509 *certificate);
int shim_compare_end(const X509 *certificate);
EVP_PKEY *shim_read_private_key(BIO *bio, pem_password_cb *passphrase);
int shim_check_private_key(const X509 *certificate, const EVP_PKEY *key);
void shim_private_key_free(EVP_PKEY *key);
