// The string functions and the one formatter the shim uses, in place of a C library's (see kernel.c).
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t strlen(const char *text) {
    const char *end = text;
    while (*end != '\0') end++;
    return (size_t)(end - text);
}

int strcmp(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t count) {
    for (; count > 0; count--, a++, b++)
        if (*a != *b || *a == '\0') return (unsigned char)*a - (unsigned char)*b;
    return 0;
}

char *strchr(const char *text, int c) {
    for (; *text != (char)c; text++)
        if (*text == '\0') return NULL;
    return (char *)text;
}

char *strrchr(const char *text, int c) {
    const char *found = NULL;
    for (; *text != '\0'; text++)
        if (*text == (char)c) found = text;
    return (char *)found;
}

size_t strcspn(const char *text, const char *reject) {
    size_t count = 0;
    while (text[count] != '\0' && strchr(reject, text[count]) == NULL) count++;
    return count;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    for (size_t i = 0; i < count; i++) ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

void *memset(void *to, int value, size_t count) {
    for (size_t i = 0; i < count; i++) ((char *)to)[i] = (char)value;
    return to;
}

// Digits only, as its one caller has checked the first; ERANGE as the standard says.
unsigned long long strtoull(const char *restrict text, char **restrict end, int base) {
    unsigned long long value = 0;
    for (; *text >= '0' && *text < '0' + base; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (value > (ULLONG_MAX - digit) / (unsigned)base) errno = ERANGE;
        value = value * (unsigned)base + digit;
    }
    *end = (char *)text;
    return value;
}

struct output {
    char *next, *end;  // `end` keeps room for NUL
    size_t length;     // what there would have been without an end
};

static void put(struct output *out, char c) {
    if (out->next < out->end) *out->next++ = c;
    out->length++;
}

static void put_number(struct output *out, uint64_t value, unsigned base, int width) {
    char digits[24];
    int count = 0;
    do digits[count++] = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    while (count < width) digits[count++] = '0';
    while (count > 0) put(out, digits[--count]);
}

// %s %.Ns %.*s %d %u %x %0Nx with l, ll or z; nothing else is used.
int vsnprintf(char *restrict text, size_t size, const char *restrict format, va_list values) {
    struct output out = {text, text + size - 1, 0};
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            put(&out, *format);
            continue;
        }
        int width = 0, precision = INT_MAX, longs = 0;
        for (format++; *format >= '0' && *format <= '9'; format++) width = width * 10 + *format - '0';
        if (*format == '.') {
            precision = 0;
            if (*++format == '*') precision = va_arg(values, int), format++;
            for (; *format >= '0' && *format <= '9'; format++) precision = precision * 10 + *format - '0';
        }
        for (; *format == 'l' || *format == 'z'; format++) longs++;
        if (*format == 's') {
            const char *word = va_arg(values, const char *);
            for (int i = 0; i < precision && word[i] != '\0'; i++) put(&out, word[i]);
        } else if (*format == 'd') {
            int64_t value = longs > 0 ? va_arg(values, long) : va_arg(values, int);
            if (value < 0) put(&out, '-');
            put_number(&out, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, width);
        } else {
            uint64_t value = longs > 0 ? va_arg(values, unsigned long) : va_arg(values, unsigned);
            put_number(&out, value, *format == 'x' ? 16 : 10, width);
        }
    }
    *out.next = '\0';
    return (int)out.length;
}

int snprintf(char *restrict text, size_t size, const char *restrict format, ...) {
    va_list values;
    va_start(values, format);
    int length = vsnprintf(text, size, format, values);
    va_end(values);
    return length;
}
