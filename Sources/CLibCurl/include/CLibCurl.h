// libcurl, loaded when it is first used: with it come thirty libraries, most of what it costs to start a program, and
// `snapshot health` needs none of them. Each function here is libcurl's of the same name; the variadic ones have one
// typed wrapper a kind of argument, so that Swift can call them.
#pragma once
#include <curl/curl.h>
#include <stdint.h>

/// Loads the library. Call it once. NULL when it is there, otherwise why not; the text stays valid.
const char *shim_load(void);

// The rest must not be called before `shim_load` has answered NULL.

CURL *shim_easy_init(void);
void shim_easy_reset(CURL *easy);
CURLcode shim_easy_perform(CURL *easy);
void shim_easy_cleanup(CURL *easy);
const char *shim_easy_strerror(CURLcode code);

CURLM *shim_multi_init(void);
CURLMcode shim_multi_add(CURLM *multi, CURL *easy);
CURLMcode shim_multi_remove(CURLM *multi, CURL *easy);
/// Does what can be done without waiting.
CURLMcode shim_multi_perform(CURLM *multi);
/// Waits until there is something to do, for no longer than that.
CURLMcode shim_multi_poll(CURLM *multi, int milliseconds);
/// A handle whose request has ended, and how; NULL where there is no more of them.
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
/// Asked a few times a second whether to go on; anything but 0 ends the transfer.
typedef int (*shim_progress)(void *context, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
CURLcode shim_set_progress(CURL *easy, shim_progress function);
/// Gives a connection up when what was sent isn't taken for that long; megabytes would wait in the kernel otherwise.
CURLcode shim_set_waiting(CURL *easy, unsigned milliseconds);
/// Keeps what waits in the kernel to be sent small, so that what was handed over is nearly what was sent.
CURLcode shim_set_uploading(CURL *easy);

CURLcode shim_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode shim_get_offset(CURL *easy, CURLINFO info, curl_off_t *value);
CURLcode shim_get_certificates(CURL *easy, struct curl_certinfo **value);

/// Who is told of a handle's sockets.
struct shim_sockets {
  void *context;
  void (*opened)(void *context, int socket);
  void (*closes)(void *context, int socket);
};
/// `sockets` is read until the last connection that the handle makes is closed, which is as late as the handle's end.
CURLcode shim_set_sockets(CURL *easy, const struct shim_sockets *sockets);
/// What went over a TCP socket so far, headers of IP and TCP among it; 0 where the kernel doesn't tell.
int shim_socket_traffic(int socket, uint64_t *sent, uint64_t *received);

/// The longest session that is kept, with its certificates.
enum { SHIM_SESSION_MOST = 32768 };

/// Who keeps TLS sessions for the next process; `context` is passed to each function. A connection holds the context by
/// `retain` for as long as OpenSSL may call for it, which is beyond the transfer's end.
struct shim_sessions {
  void *context;
  /// The server's name in lower case, or its address; lives as long as the context.
  const char *host;
  void (*retain)(void *context);
  void (*release)(void *context);
  /// Copies what was saved last; how many bytes, 0 where there are none.
  size_t (*load)(void *context, unsigned char *bytes, size_t capacity);
  void (*save)(void *context, const unsigned char *bytes, size_t size);
  /// The handshake begins with what was loaded.
  void (*offers)(void *context);
};
/// Has the next transfer's connection resume a session, and save the one it gets. `keeper` is read until the transfer ends.
/// Without OpenSSL it does nothing.
CURLcode shim_set_sessions(CURL *easy, const struct shim_sessions *keeper);

CURLcode shim_get_socket(CURL *easy, curl_socket_t *value);

/// Over a connection made with CURLOPT_CONNECT_ONLY; neither waits.
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

/// Seconds since 1970 of a date as HTTP has it; -1 if it isn't one.
time_t shim_getdate(const char *text);

static const long shim_oldest_tls = (long)CURL_SSLVERSION_TLSv1_0;
static const long shim_auth_basic = (long)CURLAUTH_BASIC;
static const long shim_auth_digest = (long)CURLAUTH_DIGEST;
static const long shim_auth_basic_or_digest = (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST);
