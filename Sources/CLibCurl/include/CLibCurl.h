// libcurl, loaded at its first use: loading it costs more than all of `snapshot health`, which doesn't need it. Most
// functions wrap libcurl's function of the same name; variadic ones have a typed wrapper for each kind of argument,
// since Swift can't call them.
#pragma once
#include <curl/curl.h>
#include <stdint.h>

/// Loads the library; call it once. Returns NULL on success, otherwise an error text, which stays valid.
const char *shim_load(void);

// The other functions must not be called before `shim_load` has returned NULL.

CURL *shim_easy_init(void);
void shim_easy_reset(CURL *easy);
CURLcode shim_easy_perform(CURL *easy);
void shim_easy_cleanup(CURL *easy);
const char *shim_easy_strerror(CURLcode code);

CURLM *shim_multi_init(void);
CURLMcode shim_multi_add(CURLM *multi, CURL *easy);
CURLMcode shim_multi_remove(CURLM *multi, CURL *easy);
/// Processes everything that is possible without waiting.
CURLMcode shim_multi_perform(CURLM *multi);
/// Waits until there is something to process, for at most `milliseconds`.
CURLMcode shim_multi_poll(CURLM *multi, int milliseconds);
/// Returns a handle whose request has ended and stores its result; NULL if there is none left.
CURL *shim_multi_next_ended(CURLM *multi, CURLcode *result);
CURLMcode shim_multi_cleanup(CURLM *multi);
const char *shim_multi_strerror(CURLMcode code);

CURLcode shim_set_long(CURL *easy, CURLoption option, long value);
CURLcode shim_set_offset(CURL *easy, CURLoption option, curl_off_t value);
CURLcode shim_set_string(CURL *easy, CURLoption option, const char *value);
CURLcode shim_set_pointer(CURL *easy, CURLoption option, void *value);
CURLcode shim_set_list(CURL *easy, CURLoption option, struct curl_slist *value);
CURLcode shim_set_mime(CURL *easy, curl_mime *form);

typedef size_t (*shim_transfer)(char *bytes, size_t size, size_t count, void *context);
typedef int (*shim_seek)(void *context, curl_off_t offset, int origin);
CURLcode shim_set_transfer(CURL *easy, CURLoption option, shim_transfer function);
CURLcode shim_set_seek(CURL *easy, shim_seek function);
/// Called often while bytes move, otherwise about once a second; a result other than 0 aborts the transfer.
typedef int (*shim_progress)(void *context, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
CURLcode shim_set_progress(CURL *easy, shim_progress function);
/// Closes a connection whose sent data is not acknowledged for that long; otherwise megabytes could pile up in the
/// kernel.
CURLcode shim_limit_unacknowledged(CURL *easy, unsigned milliseconds);
/// Limits the unsent data in the kernel, so that the bytes passed to it are nearly the bytes sent.
CURLcode shim_limit_unsent(CURL *easy);

CURLcode shim_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode shim_get_offset(CURL *easy, CURLINFO info, curl_off_t *value);
CURLcode shim_get_certificates(CURL *easy, struct curl_certinfo **value);

/// Callbacks for the sockets of a handle.
struct shim_sockets {
  void *context;
  void (*opened)(void *context, int socket);
  void (*closes)(void *context, int socket);
};
/// `sockets` must stay valid until the handle's last connection is closed, which may be when the handle is freed.
CURLcode shim_set_sockets(CURL *easy, const struct shim_sockets *sockets);
/// The total traffic of a TCP socket in bytes, including IP and TCP headers; returns 0 if the kernel does not provide
/// it.
int shim_socket_traffic(int socket, uint64_t *sent, uint64_t *received);

/// The largest saved session in bytes, with its certificates.
enum { SHIM_MOST_SESSION_BYTES = 32768 };

/// Callbacks that store TLS sessions for the next process; `context` is passed to each. A connection retains the
/// context for as long as OpenSSL may call back, which is longer than the transfer.
struct shim_sessions {
  void *context;
  /// The server's name in lower case, or its address; valid as long as the context.
  const char *host;
  void (*retain)(void *context);
  void (*release)(void *context);
  /// Copies the session saved last, and returns its size in bytes; 0 if there is none.
  size_t (*load)(void *context, unsigned char *bytes, size_t capacity);
  void (*save)(void *context, const unsigned char *bytes, size_t size);
  /// Called when a handshake tries to resume the loaded session.
  void (*offers)(void *context);
};
/// Makes the next transfer's connection resume a saved session, and save the one that it receives. `callbacks` must
/// stay valid until the transfer ends. Does nothing if libcurl does not use OpenSSL.
CURLcode shim_set_sessions(CURL *easy, const struct shim_sessions *callbacks);

CURLcode shim_get_socket(CURL *easy, curl_socket_t *value);

/// Sends or receives on a connection made with CURLOPT_CONNECT_ONLY, without waiting.
CURLcode shim_easy_send(CURL *easy, const void *bytes, size_t size, size_t *count);
CURLcode shim_easy_recv(CURL *easy, void *bytes, size_t size, size_t *count);

struct curl_slist *shim_slist_append(struct curl_slist *list, const char *text);
void shim_slist_free_all(struct curl_slist *list);

curl_mime *shim_mime_init(CURL *easy);
curl_mimepart *shim_mime_addpart(curl_mime *form);
CURLcode shim_mime_name(curl_mimepart *part, const char *name);
CURLcode shim_mime_type(curl_mimepart *part, const char *type);
CURLcode shim_mime_filename(curl_mimepart *part, const char *name);
CURLcode shim_mime_data(curl_mimepart *part, const char *bytes, size_t size);
CURLcode shim_mime_source(curl_mimepart *part, curl_off_t size, shim_transfer read, shim_seek seek, void *context);
void shim_mime_free(curl_mime *form);

/// Parses an HTTP date; returns seconds since 1970, or -1 if it is invalid.
time_t shim_getdate(const char *text);

static const long shim_oldest_tls = (long)CURL_SSLVERSION_TLSv1_0;
static const long shim_auth_basic = (long)CURLAUTH_BASIC;
static const long shim_auth_digest = (long)CURLAUTH_DIGEST;
static const long shim_auth_basic_or_digest = (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST);
