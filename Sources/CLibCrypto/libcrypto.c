#include "CLibCrypto.h"

#include <dlfcn.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#if defined(__OPTIMIZE__) && __USE_FORTIFY_LEVEL < 2
#error "needs -D_FORTIFY_SOURCE=2, with which the C library checks what is written to an array (Package.swift)"
#endif

// The suffix is the version of the ABI that OpenSSL's headers declare.
#define LIBRARY "libcrypto.so.3"

static void *library;

static void load(void) {
  // RTLD_GLOBAL: libssl needs a thousand of libcrypto's symbols, which the linker finds sooner in the global scope.
  library = dlopen(LIBRARY, RTLD_LAZY | RTLD_GLOBAL);
  if (library) return;
  dprintf(STDERR_FILENO, "snapshot: error: cannot load libcrypto: %s\n", dlerror());
  // 127 is the status with which the dynamic linker ends a program whose library is missing.
  _exit(127);
}

void shim_load_crypto(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
}

static void *function(const char *name) {
  shim_load_crypto();
  return dlsym(library, name);
}

// Looks up a function of the library, with its type from the header.
#define CALL(name) ((__typeof__(&name))function(#name))

const EVP_MD *shim_sha256(void) { return CALL(EVP_sha256)(); }
const EVP_MD *shim_md5(void) { return CALL(EVP_md5)(); }
int shim_digest(const void *bytes, size_t size, unsigned char *digest, unsigned *length, const EVP_MD *kind) {
  return CALL(EVP_Digest)(bytes, size, digest, length, kind, NULL);
}
EVP_MD_CTX *shim_digest_new(void) { return CALL(EVP_MD_CTX_new)(); }
int shim_digest_init(EVP_MD_CTX *context, const EVP_MD *kind) { return CALL(EVP_DigestInit_ex)(context, kind, NULL); }
int shim_digest_update(EVP_MD_CTX *context, const void *bytes, size_t size) {
  return CALL(EVP_DigestUpdate)(context, bytes, size);
}
int shim_digest_final(EVP_MD_CTX *context, unsigned char *digest, unsigned *length) {
  return CALL(EVP_DigestFinal_ex)(context, digest, length);
}
void shim_digest_free(EVP_MD_CTX *context) { CALL(EVP_MD_CTX_free)(context); }
unsigned char *shim_hmac(
  const EVP_MD *kind, const void *key, int key_size, const unsigned char *bytes, size_t size, unsigned char *digest,
  unsigned *length) {
  return CALL(HMAC)(kind, key, key_size, bytes, size, digest, length);
}

int shim_encode_block(unsigned char *text, const unsigned char *bytes, int size) {
  return CALL(EVP_EncodeBlock)(text, bytes, size);
}
int shim_decode_block(unsigned char *bytes, const unsigned char *text, int size) {
  return CALL(EVP_DecodeBlock)(bytes, text, size);
}

BIO *shim_bio_new(const void *bytes, int size) { return CALL(BIO_new_mem_buf)(bytes, size); }
void shim_bio_free(BIO *bio) { CALL(BIO_free)(bio); }
X509 *shim_read_certificate(BIO *bio, pem_password_cb *passphrase) {
  return CALL(PEM_read_bio_X509)(bio, NULL, passphrase, NULL);
}
void shim_certificate_free(X509 *certificate) { CALL(X509_free)(certificate); }
int shim_public_key(const X509 *certificate, unsigned char **end) {
  return CALL(i2d_X509_PUBKEY)(CALL(X509_get_X509_PUBKEY)(certificate), end);
}
int shim_compare_begin(const X509 *certificate) {
  return CALL(X509_cmp_current_time)(CALL(X509_get0_notBefore)(certificate));
}
int shim_compare_end(const X509 *certificate) {
  return CALL(X509_cmp_current_time)(CALL(X509_get0_notAfter)(certificate));
}
EVP_PKEY *shim_read_private_key(BIO *bio, pem_password_cb *passphrase) {
  return CALL(PEM_read_bio_PrivateKey)(bio, NULL, passphrase, NULL);
}
int shim_check_private_key(const X509 *certificate, const EVP_PKEY *key) {
  return CALL(X509_check_private_key)(certificate, key);
}
void shim_private_key_free(EVP_PKEY *key) { CALL(EVP_PKEY_free)(key); }
