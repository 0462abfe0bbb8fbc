/* The least that does the job: one picture from the camera over HTTP, one signed PUT over HTTPS; no state, no checks of
 * the picture, no second attempt.
 * usage: reference SNAP-URL HOST BUCKET CA-FILE, credentials as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY */
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct picture {
  unsigned char *bytes;
  size_t length, room, sent;
};

static size_t receive(char *bytes, size_t size, size_t count, void *context) {
  struct picture *p = context;
  size_t more = size * count;
  if (p->length + more > p->room) {
    p->room = (p->length + more) * 2;
    p->bytes = realloc(p->bytes, p->room);
    if (!p->bytes) return 0;
  }
  memcpy(p->bytes + p->length, bytes, more);
  p->length += more;
  return more;
}

static size_t give(char *buffer, size_t size, size_t count, void *context) {
  struct picture *p = context;
  size_t more = size * count;
  if (more > p->length - p->sent) more = p->length - p->sent;
  memcpy(buffer, p->bytes + p->sent, more);
  p->sent += more;
  return more;
}

static void hexadecimal(const unsigned char *bytes, char *text) {
  for (int i = 0; i < 32; i++) sprintf(text + 2 * i, "%02x", bytes[i]);
}

static void digest(const void *bytes, size_t length, char *text) {
  unsigned char sum[32];
  EVP_Digest(bytes, length, sum, NULL, EVP_sha256(), NULL);
  hexadecimal(sum, text);
}

static void mac(unsigned char *key, size_t length, const char *text) {
  HMAC(EVP_sha256(), key, length, (const unsigned char *)text, strlen(text), key, NULL);
}

/* Signature Version 4 of a PUT with the three headers that every store wants. */
static void sign(char *header, size_t room, const char *host, const char *path, const char *stamp, const char *hash) {
  char canonical[2048], toSign[512], sum[65], day[9];
  snprintf(canonical, sizeof canonical,
           "PUT\n%s\n\nhost:%s\nx-amz-content-sha256:%s\nx-amz-date:%s\n\nhost;x-amz-content-sha256;x-amz-date\n%s",
           path, host, hash, stamp, hash);
  digest(canonical, strlen(canonical), sum);
  snprintf(day, sizeof day, "%.8s", stamp);
  snprintf(toSign, sizeof toSign, "AWS4-HMAC-SHA256\n%s\n%s/us-east-1/s3/aws4_request\n%s", stamp, day, sum);
  unsigned char key[256];
  size_t length = snprintf((char *)key, sizeof key, "AWS4%s", getenv("AWS_SECRET_ACCESS_KEY"));
  const char *parts[] = {day, "us-east-1", "s3", "aws4_request", toSign};
  for (int i = 0; i < 5; i++, length = 32) mac(key, length, parts[i]);
  hexadecimal(key, sum);
  snprintf(header, room,
           "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s/us-east-1/s3/aws4_request,"
           "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=%s",
           getenv("AWS_ACCESS_KEY_ID"), day, sum);
}

static int put(CURL *curl, struct picture *picture, const char *host, const char *bucket, const char *authorities) {
  char path[512], url[1024], hash[65], stamp[17], header[1024];
  time_t now = time(NULL);
  strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime(&now));
  snprintf(path, sizeof path, "/%s/reference/%s.jpg", bucket, stamp);
  snprintf(url, sizeof url, "https://%s%s", host, path);
  digest(picture->bytes, picture->length, hash);

  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: image/jpeg");
  snprintf(header, sizeof header, "x-amz-content-sha256: %s", hash);
  headers = curl_slist_append(headers, header);
  snprintf(header, sizeof header, "x-amz-date: %s", stamp);
  headers = curl_slist_append(headers, header);
  sign(header, sizeof header, host, path, stamp, hash);
  headers = curl_slist_append(headers, header);

  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
  curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)picture->length);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
  curl_easy_setopt(curl, CURLOPT_READDATA, picture);
  CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(headers);
  return code;
}

int main(int count, char **arguments) {
  if (count != 5) return 64;
  CURL *curl = curl_easy_init();
  struct picture picture = {0};
  curl_easy_setopt(curl, CURLOPT_URL, arguments[1]);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &picture);
  CURLcode code = curl_easy_perform(curl);
  if (!code) code = put(curl, &picture, arguments[2], arguments[3], arguments[4]);
  if (code) fprintf(stderr, "reference: %s\n", curl_easy_strerror(code));
  curl_easy_cleanup(curl);
  free(picture.bytes);
  return code != 0;
}
