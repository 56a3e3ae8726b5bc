// libcurl as Swift can call it: loaded at first use, and with wrappers for its variadic functions.
//
// It is not linked: with the 30 libraries it pulls in it costs 6 MB of resident memory, which a process that sends no
// request should not pay. Each wrapper fixes one argument type.
#ifndef CCURL_H
#define CCURL_H

#include <curl/curl.h>
#include <dlfcn.h>
#include <stddef.h>

#define CCURL_FUNCTIONS(X)                                                                                             \
    X(global_init) X(easy_init) X(easy_cleanup) X(easy_setopt) X(easy_getinfo) X(easy_pause) X(easy_strerror)          \
    X(slist_append) X(slist_free_all) X(multi_init) X(multi_cleanup) X(multi_setopt) X(multi_add_handle)               \
    X(multi_remove_handle) X(multi_perform) X(multi_poll) X(multi_wakeup) X(multi_info_read)

struct ccurl {
#define CCURL_FIELD(name) __typeof__(curl_##name) *name;
    CCURL_FUNCTIONS(CCURL_FIELD)
#undef CCURL_FIELD
};

/* Returns NULL, or why the library cannot be had (see dlerror). It stays loaded. */
static inline const char *ccurl_load(struct ccurl *curl) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) return dlerror();
#define CCURL_LOAD(name)                                                                                               \
    *(void **)&curl->name = dlsym(library, "curl_" #name);                                                             \
    if (!curl->name) return "libcurl.so.4 lacks curl_" #name;
    CCURL_FUNCTIONS(CCURL_LOAD)
#undef CCURL_LOAD
    CURLcode code = curl->global_init(CURL_GLOBAL_DEFAULT);
    return code ? curl->easy_strerror(code) : NULL;
}

static inline CURLcode ccurl_set_long(const struct ccurl *curl, CURL *easy, CURLoption option, long value) {
    return curl->easy_setopt(easy, option, value);
}
static inline CURLcode ccurl_set_size(const struct ccurl *curl, CURL *easy, CURLoption option, curl_off_t value) {
    return curl->easy_setopt(easy, option, value);
}
static inline CURLcode ccurl_set_text(const struct ccurl *curl, CURL *easy, CURLoption option, const char *value) {
    return curl->easy_setopt(easy, option, value);
}
static inline CURLcode ccurl_set_list(const struct ccurl *curl, CURL *easy, CURLoption option,
                                      struct curl_slist *value) {
    return curl->easy_setopt(easy, option, value);
}
static inline CURLcode ccurl_set_pointer(const struct ccurl *curl, CURL *easy, CURLoption option, void *value) {
    return curl->easy_setopt(easy, option, value);
}

typedef size_t (*ccurl_data_callback)(char *data, size_t size, size_t count, void *context);
typedef int (*ccurl_seek_callback)(void *context, curl_off_t offset, int origin);
typedef curl_socket_t (*ccurl_open_callback)(void *context, curlsocktype purpose, struct curl_sockaddr *address);

static inline CURLcode ccurl_set_callbacks(const struct ccurl *curl, CURL *easy, void *context,
                                           ccurl_data_callback header, ccurl_data_callback write,
                                           ccurl_data_callback read, ccurl_seek_callback seek,
                                           ccurl_open_callback open) {
    CURLcode code = curl->easy_setopt(easy, CURLOPT_PRIVATE, context);
    if (!code) code = curl->easy_setopt(easy, CURLOPT_HEADERDATA, context);
    if (!code) code = curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, header);
    if (!code) code = curl->easy_setopt(easy, CURLOPT_WRITEDATA, context);
    if (!code) code = curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, write);
    if (!code) code = curl->easy_setopt(easy, CURLOPT_READDATA, context);
    if (!code) code = curl->easy_setopt(easy, CURLOPT_READFUNCTION, read);
    if (!code) code = curl->easy_setopt(easy, CURLOPT_SEEKDATA, context);
    if (!code) code = curl->easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek);
    if (!code) code = curl->easy_setopt(easy, CURLOPT_OPENSOCKETDATA, context);
    if (!code) code = curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open);
    return code;
}

static inline void *ccurl_context(const struct ccurl *curl, CURL *easy) {
    char *context = NULL;
    curl->easy_getinfo(easy, CURLINFO_PRIVATE, &context);
    return context;
}
/* Body bytes moved so far in both directions. */
static inline curl_off_t ccurl_moved(const struct ccurl *curl, CURL *easy) {
    curl_off_t up = 0, down = 0;
    curl->easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl->easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    return up + down;
}
/* Whether TCP and TLS are up. */
static inline int ccurl_connected(const struct ccurl *curl, CURL *easy) {
    curl_off_t microseconds = 0;
    curl->easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &microseconds);
    return microseconds > 0;
}
static inline CURLMcode ccurl_multi_set_long(const struct ccurl *curl, CURLM *multi, CURLMoption option, long value) {
    return curl->multi_setopt(multi, option, value);
}
static inline CURL *ccurl_done(CURLMsg *message, CURLcode *result) {
    if (message->msg != CURLMSG_DONE) return NULL;
    *result = message->data.result;
    return message->easy_handle;
}

/* Macros of cast or function-like form. */
static const size_t ccurl_write_pause = CURL_WRITEFUNC_PAUSE;
static const size_t ccurl_read_pause = CURL_READFUNC_PAUSE;
static const size_t ccurl_read_abort = CURL_READFUNC_ABORT;
static const curl_socket_t ccurl_bad_socket = CURL_SOCKET_BAD;
static const int ccurl_pause_receive = CURLPAUSE_RECV;
static const int ccurl_pause_send = CURLPAUSE_SEND;

#endif
