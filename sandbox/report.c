// JSON lines on the status descriptor: the launcher's only view of a start.
#include "shim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 1024 };  // below PIPE_BUF: a line is written whole or not at all
static char detail[LINE / 2];

int explain(int code, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(detail, sizeof detail, format, values);
    va_end(values);
    return code;
}

void report(const char *format, ...) {
    char line[LINE];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(line, sizeof line - 1, format, values);
    va_end(values);
    if (length < 0 || length >= (int)sizeof line - 1) return;
    line[length++] = '\n';
    // Nobody is left to tell when the launcher is gone.
    if (write(FD_STATUS, line, (size_t)length) < 0) return;
}

// Host paths and names as a JSON string: printable ASCII stays, the rest becomes \u00XX of its bytes.
static void escape(const char *text, char *out, size_t size) {
    size_t used = 0;
    for (; *text != '\0' && used + 7 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') out[used++] = (char)c;
        else used += (size_t)snprintf(out + used, 7, "\\u%04x", c);
    }
    out[used] = '\0';
}

int run_steps(struct start *start, const struct step *steps, size_t count) {
    for (size_t i = 0; i < count; i++) {
        detail[0] = '\0';
        int code = steps[i].run(start);
        if (code == 0) continue;
        char escaped[LINE - 128];
        escape(detail, escaped, sizeof escaped);
        report("{\"event\":\"failed\",\"step\":\"%s\",\"errno\":%d,\"detail\":\"%s\"}", steps[i].name, -code, escaped);
        return code;
    }
    return 0;
}
