/*
 * identifier_char.h
 *		Characters for the parser of identifiers; see identifier_char.c.
 */
#ifndef O2O_IDENTIFIER_CHAR_H
#define O2O_IDENTIFIER_CHAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct O2OSpan
{
	const char *s;
	size_t len;
} O2OSpan;

extern size_t o2o_utf8_decode(const char *s, size_t len, uint32_t *code);
extern bool o2o_is_ascii(const char *s, size_t len);
extern bool o2o_is_space(uint32_t c);
extern bool o2o_is_invisible(uint32_t c);
extern bool o2o_is_control(uint32_t c);
extern bool o2o_is_dash(uint32_t c);
extern O2OSpan o2o_trim(O2OSpan t);
extern size_t o2o_identifier_tail(const char *value, size_t len);
extern size_t o2o_after_colon(const char *s, size_t len);
extern bool o2o_identifier_has_plus(const char *value, size_t len);

static inline char
o2o_ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
}

static inline char
o2o_ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char) (c - ('a' - 'A')) : c;
}

static inline bool
o2o_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
o2o_is_alnum(char c)
{
	return o2o_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

#endif /* O2O_IDENTIFIER_CHAR_H */
