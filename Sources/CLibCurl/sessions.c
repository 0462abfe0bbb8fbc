// Saves TLS sessions for the next process: a resumed handshake needs a fifth of the bytes of a full one. libcurl
// supports this from 8.12 on; with OpenSSL it works in any version, by setting the session when a handshake begins, and
// receiving new ones through OpenSSL's callback.
#include "CLibCurl.h"
#include "library.h"

#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// The age in seconds after which the server must present its certificate again, whatever lifetime its sessions have.
enum { LONGEST = 24 * 60 * 60 };

// The header of a saved session. After it come the session, which holds the server's certificate, and the other
// certificates that the server sent, all in DER.
struct head {
  // When the server last proved that it has its private key.
  int64_t proven;
  // SHA-256 of the client certificate; zeros if there is none.
  unsigned char client[32];
};

// Data attached to an SSL_CTX, which libcurl creates for one connection; freed with it.
struct connection {
  struct shim_sessions callbacks;
  struct head head;
  SSL_SESSION *offered;
  STACK_OF(X509) *certificates;
  int is_over;
};

// Loaded by load.c or libcurl, not linked; the functions of libcrypto, which libssl needs, are found through it, too.
static void *libssl;
static int slot = -1;
#define CALL(name) ((__typeof__(&name))dlsym(libssl, #name))

static void free_connection(void *context, void *data, CRYPTO_EX_DATA *all, int index, long number, void *more) {
  struct connection *this = data;
  (void)context, (void)all, (void)index, (void)number, (void)more;
  if (!this) return;
  if (this->offered) CALL(SSL_SESSION_free)(this->offered);
  CALL(OPENSSL_sk_pop_free)((OPENSSL_STACK *)this->certificates, (OPENSSL_sk_freefunc)CALL(X509_free));
  this->callbacks.release(this->callbacks.context);
  free(this);
}

static struct connection *connection_of(const SSL *ssl) {
  return CALL(SSL_CTX_get_ex_data)(CALL(SSL_get_SSL_CTX)(ssl), slot);
}

// MARK: Whether a session may be offered

static int has_not_expired(const struct head *head, const SSL_SESSION *session, int64_t now) {
  int64_t begin = CALL(SSL_SESSION_get_time)(session);
  int64_t life = CALL(SSL_SESSION_get_ticket_lifetime_hint)(session);
  if (life == 0) life = CALL(SSL_SESSION_get_timeout)(session);
  return begin <= now && now - begin < life && head->proven <= now && now - head->proven < LONGEST;
}

// Whether authorities verify the server's certificate; with a pin they don't.
static int verifies_peer(SSL_CTX *context) { return CALL(SSL_CTX_get_verify_mode)(context) & SSL_VERIFY_PEER; }

// Verifies the certificate of a resumed session with the current authorities, as in a full handshake.
static long verify(SSL_CTX *context, X509 *leaf, STACK_OF(X509) *certificates) {
  // libcurl takes errors that remain in OpenSSL's queue for errors of the connection, so these are removed below.
  CALL(ERR_set_mark)();
  X509_STORE_CTX *check = CALL(X509_STORE_CTX_new)();
  long result = X509_V_ERR_UNSPECIFIED;
  int ready = check && CALL(X509_STORE_CTX_init)(check, CALL(SSL_CTX_get_cert_store)(context), leaf, certificates)
    && CALL(X509_STORE_CTX_set_default)(check, "ssl_server");
  if (ready) {
    X509_VERIFY_PARAM *rules = CALL(X509_STORE_CTX_get0_param)(check);
    CALL(X509_VERIFY_PARAM_set_auth_level)(rules, CALL(SSL_CTX_get_security_level)(context));
    ready = CALL(X509_VERIFY_PARAM_set1)(rules, CALL(SSL_CTX_get0_param)(context));
    if (ready && (CALL(X509_verify_cert)(check) == 1 || CALL(X509_STORE_CTX_get_error)(check) != X509_V_OK))
      result = CALL(X509_STORE_CTX_get_error)(check);
  }
  CALL(X509_STORE_CTX_free)(check);
  CALL(ERR_pop_to_mark)();
  return result;
}

static void note_client(SSL_CTX *context, struct head *head) {
  X509 *client = CALL(SSL_CTX_get0_certificate)(context);
  if (client) CALL(X509_digest)(client, CALL(EVP_sha256)(), head->client, NULL);
}

// Parses a saved session, and keeps it if it may be offered.
static int take(struct connection *this, const unsigned char *at, size_t size) {
  const unsigned char *end = at + size;
  struct head head;
  if (size <= sizeof head) return 0;
  memcpy(&head, at, sizeof head), at += sizeof head;
  if (memcmp(head.client, this->head.client, sizeof head.client)) return 0;
  this->offered = CALL(d2i_SSL_SESSION)(NULL, &at, end - at);
  if (!this->offered || !CALL(SSL_SESSION_get0_peer)(this->offered)) return 0;
  if (!CALL(SSL_SESSION_is_resumable)(this->offered)) return 0;
  if (!has_not_expired(&head, this->offered, time(NULL))) return 0;
  while (at < end) {
    X509 *next = CALL(d2i_X509)(NULL, &at, end - at);
    if (!next) return 0;
    if (!CALL(OPENSSL_sk_push)((OPENSSL_STACK *)this->certificates, next)) return CALL(X509_free)(next), 0;
  }
  this->head.proven = head.proven;
  return 1;
}

// MARK: Callbacks of OpenSSL and libcurl

static void offer(struct connection *this, SSL *ssl) {
  // The session is not for a TLS proxy, which is another host.
  const char *name = CALL(SSL_get_servername)(ssl, TLSEXT_NAMETYPE_host_name);
  if (name && strcmp(name, this->callbacks.host)) return;
  if (CALL(SSL_set_session)(ssl, this->offered)) this->callbacks.offers(this->callbacks.context);
}

// Verifies a resumed session when its handshake ends, as some versions of libcurl load the authorities only then.
// libcurl checks this result next, and the name and pin as in a full handshake.
static void judge(struct connection *this, SSL *ssl) {
  SSL_CTX *context = CALL(SSL_get_SSL_CTX)(ssl);
  if (!CALL(SSL_session_reused)(ssl) || !verifies_peer(context)) return;
  X509 *leaf = CALL(SSL_SESSION_get0_peer)(CALL(SSL_get_session)(ssl));
  CALL(SSL_set_verify_result)(ssl, verify(context, leaf, this->certificates));
}

// Only the first handshake counts: in TLS 1.3 later messages are also reported as handshakes.
static void on_info(const SSL *connection, int where, int result) {
  SSL *ssl = (SSL *)connection;
  struct connection *this = where & (SSL_CB_HANDSHAKE_START | SSL_CB_HANDSHAKE_DONE) ? connection_of(ssl) : NULL;
  (void)result;
  if (!this || !this->offered || this->is_over) return;
  if (where & SSL_CB_HANDSHAKE_START && !CALL(SSL_get_session)(ssl)) offer(this, ssl);
  if (where & SSL_CB_HANDSHAKE_DONE) this->is_over = 1, judge(this, ssl);
}

static void keep(struct connection *this, SSL *ssl, SSL_SESSION *session) {
  struct head head = this->head;
  STACK_OF(X509) *certificates = this->certificates;
  int first = 0;
  if (!CALL(SSL_session_reused)(ssl)) {
    head.proven = time(NULL);
    certificates = CALL(SSL_get_peer_cert_chain)(ssl);
    first = 1;
  }
  if (!CALL(SSL_SESSION_get0_peer)(session)) return;
  if (verifies_peer(CALL(SSL_get_SSL_CTX)(ssl)) && CALL(SSL_get_verify_result)(ssl) != X509_V_OK) return;
  // Without the extension `extended_master_secret` (RFC 7627), a TLS 1.2 session is not bound to the handshake in which
  // the client presented its certificate.
  int is_bound = CALL(SSL_version)(ssl) >= TLS1_3_VERSION || CALL(SSL_ctrl)(ssl, SSL_CTRL_GET_EXTMS_SUPPORT, 0, NULL) == 1;
  if (CALL(SSL_get_certificate)(ssl) && !is_bound) return;
  unsigned char bytes[SHIM_MOST_SESSION_BYTES], *at = bytes + sizeof head;
  long left = sizeof bytes - sizeof head, size = CALL(i2d_SSL_SESSION)(session, NULL);
  if (size <= 0 || size > left) return;
  memcpy(bytes, &head, sizeof head);
  left -= CALL(i2d_SSL_SESSION)(session, &at);
  for (int index = first; index < CALL(OPENSSL_sk_num)((OPENSSL_STACK *)certificates); index++) {
    X509 *next = CALL(OPENSSL_sk_value)((OPENSSL_STACK *)certificates, index);
    size = CALL(i2d_X509)(next, NULL);
    if (size <= 0 || size > left) return;
    left -= CALL(i2d_X509)(next, &at);
  }
  this->callbacks.save(this->callbacks.context, bytes, at - bytes);
  CALL(OPENSSL_cleanse)(bytes, at - bytes);
}

static int on_new_session(SSL *ssl, SSL_SESSION *session) {
  struct connection *this = connection_of(ssl);
  if (this) keep(this, ssl, session);
  return 0;
}

// libcurl calls this after it has configured the SSL_CTX.
static CURLcode on_context(CURL *easy, void *context, void *user) {
  const struct shim_sessions *callbacks = user;
  struct connection *this = calloc(1, sizeof *this);
  (void)easy;
  if (!this) return CURLE_OK;
  this->callbacks = *callbacks;
  this->callbacks.retain(this->callbacks.context);
  this->certificates = (STACK_OF(X509) *)CALL(OPENSSL_sk_new_null)();
  if (!this->certificates || !CALL(SSL_CTX_set_ex_data)(context, slot, this)) {
    free_connection(NULL, this, NULL, slot, 0, NULL);
    return CURLE_OK;
  }
  note_client(context, &this->head);
  CALL(ERR_set_mark)();
  unsigned char bytes[SHIM_MOST_SESSION_BYTES];
  size_t size = this->callbacks.load(this->callbacks.context, bytes, sizeof bytes);
  if (!take(this, bytes, size) && this->offered) {
    CALL(SSL_SESSION_free)(this->offered);
    this->offered = NULL;
  }
  CALL(OPENSSL_cleanse)(bytes, size);
  CALL(ERR_pop_to_mark)();
  CALL(SSL_CTX_ctrl)(context, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL, NULL);
  CALL(SSL_CTX_sess_set_new_cb)(context, on_new_session);
  CALL(SSL_CTX_set_info_callback)(context, on_info);
  // libcurl disables TLS 1.2 tickets because very old servers could not handle them.
  CALL(SSL_CTX_clear_options)(context, SSL_OP_NO_TICKET);
  return CURLE_OK;
}

static void find_libssl(void) {
  libssl = dlopen("libssl.so.3", RTLD_LAZY | RTLD_NOLOAD);
  if (libssl) slot = CALL(CRYPTO_get_ex_new_index)(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, free_connection);
}

CURLcode shim_set_sessions(CURL *easy, const struct shim_sessions *callbacks) {
  struct curl_tlssessioninfo *backend = NULL;
  // With another TLS library, its types would be mistaken for OpenSSL's.
  if (shim_get_backend(easy, &backend) || !backend || backend->backend != CURLSSLBACKEND_OPENSSL) return CURLE_OK;
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, find_libssl);
  if (!libssl || slot < 0) return CURLE_OK;
  // libcurl's own session cache is off, as it would rely on an earlier verification.
  CURLcode code = shim_set_long(easy, CURLOPT_SSL_SESSIONID_CACHE, 0);
  if (!code) code = shim_set_context(easy, on_context);
  return code ? code : shim_set_pointer(easy, CURLOPT_SSL_CTX_DATA, (void *)callbacks);
}
