#include "CLibCurl.h"
#include "library.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>

static void *library;
// Looked up once, since each run calls them a hundred times. The parentheses prevent the expansion of the header's
// macros of these names.
static __typeof__(&(curl_easy_setopt)) set_option;
static __typeof__(&(curl_easy_getinfo)) get_info;

const char *shim_load(void) {
  if (!library) library = shim_open_library();
  if (!library) return dlerror();
  set_option = (__typeof__(set_option))dlsym(library, "curl_easy_setopt");
  get_info = (__typeof__(get_info))dlsym(library, "curl_easy_getinfo");
  return set_option && get_info ? NULL : dlerror();
}

// Looks up a function of the library, with its type from the header.
#define CALL(name) ((__typeof__(&name))dlsym(library, #name))

CURL *shim_easy_init(void) { return CALL(curl_easy_init)(); }
void shim_easy_reset(CURL *easy) { CALL(curl_easy_reset)(easy); }
CURLcode shim_easy_perform(CURL *easy) { return CALL(curl_easy_perform)(easy); }
void shim_easy_cleanup(CURL *easy) { CALL(curl_easy_cleanup)(easy); }
const char *shim_easy_strerror(CURLcode code) { return CALL(curl_easy_strerror)(code); }

CURLM *shim_multi_init(void) { return CALL(curl_multi_init)(); }
CURLMcode shim_multi_add(CURLM *multi, CURL *easy) { return CALL(curl_multi_add_handle)(multi, easy); }
CURLMcode shim_multi_remove(CURLM *multi, CURL *easy) { return CALL(curl_multi_remove_handle)(multi, easy); }
CURLMcode shim_multi_perform(CURLM *multi) {
  int running;
  return CALL(curl_multi_perform)(multi, &running);
}
CURLMcode shim_multi_poll(CURLM *multi, int milliseconds) {
  return CALL(curl_multi_poll)(multi, NULL, 0, milliseconds, NULL);
}
CURL *shim_multi_next_ended(CURLM *multi, CURLcode *result) {
  int left;
  for (CURLMsg *message; (message = CALL(curl_multi_info_read)(multi, &left));)
    if (message->msg == CURLMSG_DONE) {
      *result = message->data.result;
      return message->easy_handle;
    }
  return NULL;
}
CURLMcode shim_multi_cleanup(CURLM *multi) { return CALL(curl_multi_cleanup)(multi); }
const char *shim_multi_strerror(CURLMcode code) { return CALL(curl_multi_strerror)(code); }

#define SET(option, value) set_option(easy, option, value)
#define GET(info, value) get_info(easy, info, value)

CURLcode shim_set_long(CURL *easy, CURLoption option, long value) { return SET(option, value); }
CURLcode shim_set_offset(CURL *easy, CURLoption option, curl_off_t value) { return SET(option, value); }
CURLcode shim_set_string(CURL *easy, CURLoption option, const char *value) { return SET(option, value); }
CURLcode shim_set_pointer(CURL *easy, CURLoption option, void *value) { return SET(option, value); }
CURLcode shim_set_list(CURL *easy, CURLoption option, struct curl_slist *value) { return SET(option, value); }
CURLcode shim_set_mime(CURL *easy, curl_mime *form) { return SET(CURLOPT_MIMEPOST, form); }
CURLcode shim_set_transfer(CURL *easy, CURLoption option, shim_transfer function) { return SET(option, function); }
CURLcode shim_set_context(CURL *easy, curl_ssl_ctx_callback function) { return SET(CURLOPT_SSL_CTX_FUNCTION, function); }
CURLcode shim_set_opening(CURL *easy, curl_opensocket_callback function) { return SET(CURLOPT_OPENSOCKETFUNCTION, function); }
CURLcode shim_set_closing(CURL *easy, curl_closesocket_callback function) { return SET(CURLOPT_CLOSESOCKETFUNCTION, function); }
CURLcode shim_set_seek(CURL *easy, shim_seek function) { return SET(CURLOPT_SEEKFUNCTION, function); }
CURLcode shim_set_progress(CURL *easy, shim_progress function) { return SET(CURLOPT_XFERINFOFUNCTION, function); }

static int limit_unacknowledged(void *milliseconds, curl_socket_t socket, curlsocktype purpose) {
  unsigned time = (unsigned)(uintptr_t)milliseconds;
  (void)purpose;
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &time, sizeof time);
  return CURL_SOCKOPT_OK;
}
CURLcode shim_limit_unacknowledged(CURL *easy, unsigned milliseconds) {
  CURLcode code = SET(CURLOPT_SOCKOPTFUNCTION, limit_unacknowledged);
  return code ? code : SET(CURLOPT_SOCKOPTDATA, (void *)(uintptr_t)milliseconds);
}

static int limit_unsent(void *nothing, curl_socket_t socket, curlsocktype purpose) {
  int bytes = 128 << 10;
  (void)nothing, (void)purpose;
  setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
  return CURL_SOCKOPT_OK;
}
CURLcode shim_limit_unsent(CURL *easy) { return SET(CURLOPT_SOCKOPTFUNCTION, limit_unsent); }

CURLcode shim_get_long(CURL *easy, CURLINFO info, long *value) { return GET(info, value); }
CURLcode shim_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) { return GET(info, value); }
CURLcode shim_get_certificates(CURL *easy, struct curl_certinfo **value) { return GET(CURLINFO_CERTINFO, value); }

CURLcode shim_get_backend(CURL *easy, struct curl_tlssessioninfo **value) { return GET(CURLINFO_TLS_SSL_PTR, value); }
CURLcode shim_get_socket(CURL *easy, curl_socket_t *value) { return GET(CURLINFO_ACTIVESOCKET, value); }

CURLcode shim_easy_send(CURL *easy, const void *bytes, size_t size, size_t *count) {
  return CALL(curl_easy_send)(easy, bytes, size, count);
}
CURLcode shim_easy_recv(CURL *easy, void *bytes, size_t size, size_t *count) {
  return CALL(curl_easy_recv)(easy, bytes, size, count);
}

struct curl_slist *shim_slist_append(struct curl_slist *list, const char *text) {
  return CALL(curl_slist_append)(list, text);
}
void shim_slist_free_all(struct curl_slist *list) { CALL(curl_slist_free_all)(list); }

curl_mime *shim_mime_init(CURL *easy) { return CALL(curl_mime_init)(easy); }
curl_mimepart *shim_mime_addpart(curl_mime *form) { return CALL(curl_mime_addpart)(form); }
CURLcode shim_mime_name(curl_mimepart *part, const char *name) { return CALL(curl_mime_name)(part, name); }
CURLcode shim_mime_type(curl_mimepart *part, const char *type) { return CALL(curl_mime_type)(part, type); }
CURLcode shim_mime_filename(curl_mimepart *part, const char *name) { return CALL(curl_mime_filename)(part, name); }
CURLcode shim_mime_data(curl_mimepart *part, const char *bytes, size_t size) { return CALL(curl_mime_data)(part, bytes, size); }
CURLcode shim_mime_source(curl_mimepart *part, curl_off_t size, shim_transfer read, shim_seek seek, void *context) {
  return CALL(curl_mime_data_cb)(part, size, read, seek, NULL, context);
}
void shim_mime_free(curl_mime *form) { CALL(curl_mime_free)(form); }

time_t shim_getdate(const char *text) { return CALL(curl_getdate)(text, NULL); }
