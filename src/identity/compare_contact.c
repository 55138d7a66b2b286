/*
 * compare_contact.c
 *		Agreement levels of phone numbers, e-mail addresses and dates as people
 *		type them: how far two spellings agree. Pure, as its header says. Valid
 *		numbers and normal forms are the business of the type identifier.
 */
#include "identity/compare_string.h"

#include "identity/identifier_char.h"

#include <string.h>

#define PHONE_DIGITS_MIN 5 /* fewer are no number */
#define PHONE_DIGITS_MAX 20
#define PHONE_TAIL_MIN 7 /* a number without its country or area has that many */
#define EMAIL_MAX 320    /* bytes: 64 before the @, 255 after it (RFC 5321) */
#define EMAIL_ALIKE 0.9  /* of jaro_winkler: one slip in eight letters */
#define DAYS_OF_A_MONTH 31
#define DAYS_OF_A_YEAR 366

typedef struct Digits
{
	bool international; /* written with a plus sign */
	int count;          /* PHONE_DIGITS_MAX + 1 when there are more */
	char text[PHONE_DIGITS_MAX + 1];
} Digits;

/*
 * One slip of the keyboard, that is a Damerau-Levenshtein distance of 1: what is
 * left between equal beginnings and ends is one character, on one side or on both,
 * or two that are swapped.
 */
static bool
one_slip(const char *a, int a_len, const char *b, int b_len)
{
	while (a_len > 0 && b_len > 0 && a[a_len - 1] == b[b_len - 1])
		a_len--, b_len--;
	while (a_len > 0 && b_len > 0 && *a == *b)
		a++, b++, a_len--, b_len--;
	if (a_len == 2 && b_len == 2)
		return a[0] == b[1] && a[1] == b[0];
	return a_len <= 1 && b_len <= 1 && a_len + b_len > 0;
}

/* The digit that a character is, full-width ones too, or -1. */
static int
digit_value(uint32_t c)
{
	if (c >= '0' && c <= '9')
		return (int) (c - '0');
	if (c >= 0xFF10 && c <= 0xFF19)
		return (int) (c - 0xFF10);
	return -1;
}

/*
 * The digits of a phone number without leading zeros (trunk and international
 * prefixes). An extension, which a letter, #, comma or semicolon begins, is left
 * out, and so is the "(0)" of "+44 (0)20". False when there is no number.
 */
static bool
phone_digits(const char *s, size_t len, Digits *out)
{
	out->international = false;
	out->count = 0;
	while (len > 0 && out->count <= PHONE_DIGITS_MAX)
	{
		uint32_t c;
		size_t n = o2o_utf8_decode(s, len, &c);
		int digit;

		if (n == 0)
			n = 1, c = ' '; /* of another encoding: a separator */
		digit = digit_value(c);
		if (out->international && len >= 3 && memcmp(s, "(0)", 3) == 0)
			n = 3;
		else if (digit > 0 || (digit == 0 && out->count > 0))
		{
			if (out->count < PHONE_DIGITS_MAX)
				out->text[out->count] = (char) ('0' + digit);
			out->count++;
		}
		else if (c == '+' || c == 0xFF0B)
		{
			if (out->count == 0)
				out->international = true;
		}
		else if (out->count >= PHONE_DIGITS_MIN &&
				 (c == '#' || c == ',' || c == ';' || (c < 0x80 && o2o_is_alnum((char) c))))
			break;
		s += n;
		len -= n;
	}
	return out->count >= PHONE_DIGITS_MIN && out->count <= PHONE_DIGITS_MAX;
}

/* 3 the same number, 2 the same but for country or area, 1 one slip, 0 none of these. */
int
o2o_phone_agreement_level(const char *a, size_t a_len, const char *b, size_t b_len)
{
	Digits x;
	Digits y;
	int tail;
	const char *x_tail;
	const char *y_tail;

	if (!phone_digits(a, a_len, &x) || !phone_digits(b, b_len, &y))
		return O2O_AGREEMENT_NONE;
	if (x.count == y.count && memcmp(x.text, y.text, (size_t) x.count) == 0)
		return 3;

	tail = x.count < y.count ? x.count : y.count;
	if (tail < PHONE_TAIL_MIN)
		return 0;
	x_tail = x.text + x.count - tail;
	y_tail = y.text + y.count - tail;
	/* two numbers with their countries are different ones */
	if (!(x.international && y.international))
	{
		if (memcmp(x_tail, y_tail, (size_t) tail) == 0)
			return 2;
		if (one_slip(x_tail, tail, y_tail, tail))
			return 1;
	}
	return one_slip(x.text, x.count, y.text, y.count) ? 1 : 0;
}

typedef struct Address
{
	size_t local_len;
	size_t domain_len;
	size_t folded_len;
	char local[EMAIL_MAX]; /* in lower case, as all of them */
	char domain[EMAIL_MAX];
	char folded[EMAIL_MAX]; /* local part without dots and +tag */
} Address;

/* Reads an address leniently; false when it has no two sides. */
static bool
address_parts(const char *s, size_t len, Address *out)
{
	O2OSpan text = {s, len};
	size_t at;

	text = o2o_trim(text);
	if (text.len > EMAIL_MAX)
		return false;
	for (at = text.len; at > 0 && text.s[at - 1] != '@'; at--)
		;
	if (at < 2 || at == text.len)
		return false;
	out->local_len = at - 1;
	out->domain_len = text.len - at;
	out->folded_len = 0;
	for (size_t i = 0; i < out->local_len; i++)
		out->local[i] = o2o_ascii_lower(text.s[i]);
	for (size_t i = 0; i < out->domain_len; i++)
		out->domain[i] = o2o_ascii_lower(text.s[at + i]);
	for (size_t i = 0; i < out->local_len && out->local[i] != '+'; i++)
		if (out->local[i] != '.')
			out->folded[out->folded_len++] = out->local[i];
	if (out->folded_len == 0)
	{
		memcpy(out->folded, out->local, out->local_len);
		out->folded_len = out->local_len;
	}
	return true;
}

static bool
same_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* Code points of a local part; bytes where it is no UTF-8. */
static int
local_codes(const char *s, size_t len, uint32_t *codes)
{
	int count = 0;
	size_t n;

	for (size_t at = 0; at < len; at += n)
	{
		n = o2o_utf8_decode(s + at, len - at, &codes[count]);
		if (n == 0)
			n = 1, codes[count] = (unsigned char) s[at];
		count++;
	}
	return count;
}

/*
 * 4 the same address, 3 the same but for dots and +tag, 2 the same local part at
 * another domain, 1 local parts alike, 0 none of these.
 */
int
o2o_email_agreement_level(const char *a, size_t a_len, const char *b, size_t b_len)
{
	Address x;
	Address y;
	bool same_domain;
	O2OLetters pair;
	uint32_t x_codes[EMAIL_MAX];
	uint32_t y_codes[EMAIL_MAX];

	if (!address_parts(a, a_len, &x) || !address_parts(b, b_len, &y))
		return O2O_AGREEMENT_NONE;
	same_domain = same_bytes(x.domain, x.domain_len, y.domain, y.domain_len);
	if (same_domain && same_bytes(x.local, x.local_len, y.local, y.local_len))
		return 4;
	if (same_bytes(x.folded, x.folded_len, y.folded, y.folded_len))
		return same_domain ? 3 : 2;

	o2o_letters_from_codes(x_codes, local_codes(x.folded, x.folded_len, x_codes), y_codes,
						   local_codes(y.folded, y.folded_len, y_codes), &pair);
	return o2o_jaro_winkler_similarity(&pair) >= EMAIL_ALIKE ? 1 : 0;
}

/* The digits YYYYMMDD of a date in the years 1 to 9999. */
static void
date_digits(const int date[3], char out[8])
{
	int number = (date[0] * 100 + date[1]) * 100 + date[2];

	for (int i = 7; i >= 0; i--, number /= 10)
		out[i] = (char) ('0' + number % 10);
}

/* Years, months and days; 4 equal, 3 one slip, 2 within 31 days, 1 within 366, 0 further. */
int
o2o_date_agreement_level(int days_apart, const int a[3], const int b[3])
{
	if (days_apart == 0)
		return 4;
	if (a[0] >= 1 && a[0] <= 9999 && b[0] >= 1 && b[0] <= 9999)
	{
		char x[8];
		char y[8];

		date_digits(a, x);
		date_digits(b, y);
		if ((a[0] == b[0] && a[1] == b[2] && a[2] == b[1]) || one_slip(x, 8, y, 8))
			return 3;
	}
	if (days_apart <= DAYS_OF_A_MONTH)
		return 2;
	return days_apart <= DAYS_OF_A_YEAR ? 1 : 0;
}
