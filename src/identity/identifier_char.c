/*
 * identifier_char.c
 *		Characters as the parser of identifiers sees them: UTF-8, white space,
 *		invisible marks, dashes, what may be shown of a value. Pure, as the
 *		parser is. What a kind does with them lives in identifier_parse.c.
 */
#include "identity/identifier_char.h"

#include <string.h>

/* Length in bytes of the code point at s, 0 when that is no valid UTF-8. */
size_t
o2o_utf8_decode(const char *s, size_t len, uint32_t *code)
{
	const unsigned char *b = (const unsigned char *) s;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n;
	uint32_t c;

	if (len == 0)
		return 0;
	if (b[0] < 0x80)
	{
		*code = b[0];
		return 1;
	}
	if (b[0] >= 0xC2 && b[0] <= 0xDF)
		n = 2, c = b[0] & 0x1F;
	else if ((b[0] & 0xF0) == 0xE0)
		n = 3, c = b[0] & 0x0F;
	else if (b[0] >= 0xF0 && b[0] <= 0xF4)
		n = 4, c = b[0] & 0x07;
	else
		return 0;
	if (len < n)
		return 0;
	for (size_t i = 1; i < n; i++)
	{
		if ((b[i] & 0xC0) != 0x80)
			return 0;
		c = (c << 6) | (b[i] & 0x3F);
	}
	if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*code = c;
	return n;
}

/* Does s hold ASCII only? */
bool
o2o_is_ascii(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char) s[i] >= 0x80)
			return false;
	return true;
}

/* White space of Unicode, with tab and line ends. */
bool
o2o_is_space(uint32_t c)
{
	return c == 0x20 || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
		   (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
		   c == 0x205F || c == 0x3000;
}

/* Invisible marks that ride along with pasted text: joiners, bidi marks, BOM. */
bool
o2o_is_invisible(uint32_t c)
{
	return c == 0xAD || c == 0x061C || c == 0x180E || (c >= 0x200B && c <= 0x200F) ||
		   (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
		   (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

/* What may not stand inside a value: nobody would see the difference. */
bool
o2o_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029 ||
		   o2o_is_invisible(c);
}

bool
o2o_is_dash(uint32_t c)
{
	return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212;
}

/* Start of the last code point of s[0..len). */
static size_t
last_code_point(const char *s, size_t len)
{
	size_t at = len - 1;

	while (at > 0 && len - at < 4 && ((unsigned char) s[at] & 0xC0) == 0x80)
		at--;
	return at;
}

/* Cuts white space and invisible marks off both ends. */
O2OSpan
o2o_trim(O2OSpan t)
{
	uint32_t c;

	while (t.len > 0)
	{
		size_t n = o2o_utf8_decode(t.s, t.len, &c);

		if (n == 0 || !(o2o_is_space(c) || o2o_is_invisible(c)))
			break;
		t.s += n;
		t.len -= n;
	}
	while (t.len > 0)
	{
		size_t at = last_code_point(t.s, t.len);

		if (o2o_utf8_decode(t.s + at, t.len - at, &c) != t.len - at ||
			!(o2o_is_space(c) || o2o_is_invisible(c)))
			break;
		t.len = at;
	}
	return t;
}

/*
 * Bytes of the end of a value that may be shown: its last two characters, or
 * none when it has fewer than five or the end is not printable.
 */
size_t
o2o_identifier_tail(const char *value, size_t len)
{
	size_t shown = 0;
	size_t left = len;

	for (int i = 0; i < 5; i++)
	{
		size_t at;
		uint32_t c;

		if (left == 0)
			return 0;
		at = last_code_point(value, left);
		if (o2o_utf8_decode(value + at, left - at, &c) != left - at || o2o_is_control(c))
			return 0;
		left = at;
		if (i == 1)
			shown = len - at;
	}
	return shown;
}

/* Position after the first colon, which may be full-width; len without one. */
size_t
o2o_after_colon(const char *s, size_t len)
{
	for (size_t i = 0; i < len;)
	{
		uint32_t c;
		size_t n = o2o_utf8_decode(s + i, len - i, &c);

		if (n == 0)
			break;
		i += n;
		if (c == ':' || c == 0xFF1A)
			return i;
	}
	return len;
}

/* Does a phone number say its country? An opening parenthesis may come first. */
bool
o2o_identifier_has_plus(const char *value, size_t len)
{
	O2OSpan number = o2o_trim((O2OSpan){value, len});

	if (number.len > 0 && number.s[0] == '(')
		number = o2o_trim((O2OSpan){number.s + 1, number.len - 1});
	return (number.len > 0 && number.s[0] == '+') ||
		   (number.len > 2 && memcmp(number.s, "\xEF\xBC\x8B", 3) == 0);
}
