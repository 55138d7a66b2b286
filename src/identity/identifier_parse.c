/*
 * identifier_parse.c
 *		The pure parser of identifiers: splits 'kind:value' and brings the value
 *		into the normal form of its kind. Input is UTF-8 in NFKC. No Postgres
 *		header, no allocation, no locale, no setting: one text, one meaning.
 */
#include "identity/identifier_parse.h"

#include <string.h>

typedef struct Span
{
	const char *s;
	size_t		len;
} Span;

typedef O2OIdentifierStatus (*ValueRule) (Span value, O2OIdnaFunction idna,
										  O2OIdentifierText *out);

/* Length in bytes of the code point at s, 0 when that is no valid UTF-8. */
size_t
o2o_utf8_decode(const char *s, size_t len, uint32_t *code)
{
	const unsigned char *b = (const unsigned char *) s;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t		n;
	uint32_t	c;

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

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
}

static inline char
ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char) (c - ('a' - 'A')) : c;
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* White space of Unicode, with tab and line ends. */
static bool
is_space(uint32_t c)
{
	return c == 0x20 || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 ||
		c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
		c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Invisible marks that ride along with pasted text: joiners, bidi marks, BOM. */
static bool
is_invisible(uint32_t c)
{
	return c == 0xAD || c == 0x061C || c == 0x180E ||
		(c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
		(c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
		(c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

/* What may not stand inside a value: nobody would see the difference. */
static bool
is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 ||
		c == 0x2029 || is_invisible(c);
}

static bool
is_dash(uint32_t c)
{
	return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212;
}

/* Start of the last code point of s[0..len). */
static size_t
last_code_point(const char *s, size_t len)
{
	size_t		at = len - 1;

	while (at > 0 && len - at < 4 && ((unsigned char) s[at] & 0xC0) == 0x80)
		at--;
	return at;
}

/* Cuts white space and invisible marks off both ends. */
static Span
trim(Span t)
{
	uint32_t	c;

	while (t.len > 0)
	{
		size_t		n = o2o_utf8_decode(t.s, t.len, &c);

		if (n == 0 || !(is_space(c) || is_invisible(c)))
			break;
		t.s += n;
		t.len -= n;
	}
	while (t.len > 0)
	{
		size_t		at = last_code_point(t.s, t.len);

		if (o2o_utf8_decode(t.s + at, t.len - at, &c) != t.len - at ||
			!(is_space(c) || is_invisible(c)))
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
	size_t		shown = 0;
	size_t		left = len;

	for (int i = 0; i < 5; i++)
	{
		size_t		at;
		uint32_t	c;

		if (left == 0)
			return 0;
		at = last_code_point(value, left);
		if (o2o_utf8_decode(value + at, left - at, &c) != left - at || is_control(c))
			return 0;
		left = at;
		if (i == 1)
			shown = len - at;
	}
	return shown;
}

/* Does a phone number say its country? An opening parenthesis may come first. */
bool
o2o_identifier_has_plus(const char *value, size_t len)
{
	Span		number = trim((Span) {value, len});

	if (number.len > 0 && number.s[0] == '(')
		number = trim((Span) {number.s + 1, number.len - 1});
	return (number.len > 0 && number.s[0] == '+') ||
		(number.len > 2 && memcmp(number.s, "\xEF\xBC\x8B", 3) == 0);
}

static void
put(O2OIdentifierText *out, char c)
{
	if (out->len < O2O_IDENTIFIER_MAX)
		out->text[out->len++] = c;
	else
		out->overflow = true;
}

static void
put_span(O2OIdentifierText *out, Span t)
{
	for (size_t i = 0; i < t.len; i++)
		put(out, t.s[i]);
}

/* Values of open kinds, and those that a platform hands out: kept as they are. */
static O2OIdentifierStatus
rule_opaque(Span value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	(void) idna;
	put_span(out, value);
	return O2O_IDENTIFIER_OK;
}

/* device: lower-cased (ASCII), since UUIDs and MAC addresses come in both. */
static O2OIdentifierStatus
rule_device(Span value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	(void) idna;
	for (size_t i = 0; i < value.len; i++)
		put(out, ascii_lower(value.s[i]));
	return O2O_IDENTIFIER_OK;
}

/* card: without the spaces and dashes it is printed with, upper-cased (ASCII). */
static O2OIdentifierStatus
rule_card(Span value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	(void) idna;
	for (size_t i = 0; i < value.len;)
	{
		uint32_t	c;
		size_t		n = o2o_utf8_decode(value.s + i, value.len - i, &c);

		if (!is_space(c) && !is_invisible(c) && !is_dash(c))
			for (size_t j = 0; j < n; j++)
				put(out, ascii_upper(value.s[i + j]));
		i += n;
	}
	return O2O_IDENTIFIER_OK;
}

/*
 * phone: '+' and 7 to 15 digits. A group that begins with 0 right after the
 * country code, or in parentheses, is a trunk prefix in one country
 * (+44 (0)20 ...) and part of the number in another (+39 06 ...): only the
 * library knows, so it is refused here.
 */
static O2OIdentifierStatus
rule_phone(Span value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	int			digits = 0;
	bool		plus = false;
	bool		grouped = false;
	bool		broken = false;
	bool		in_parentheses = false;

	(void) idna;
	for (size_t i = 0; i < value.len;)
	{
		uint32_t	c;
		size_t		n = o2o_utf8_decode(value.s + i, value.len - i, &c);

		i += n;
		if (c == '+')
		{
			if (plus || digits > 0)
				return O2O_IDENTIFIER_PHONE;
			plus = true;
			put(out, '+');
		}
		else if (c >= '0' && c <= '9')
		{
			if (c == '0' &&
				(digits == 0 || in_parentheses || (broken && !grouped && digits <= 3)))
				return O2O_IDENTIFIER_PHONE;
			if (broken)
				grouped = true;
			in_parentheses = false;
			if (++digits > 15)
				return O2O_IDENTIFIER_PHONE;
			put(out, (char) c);
		}
		else if (is_space(c) || is_invisible(c) || is_dash(c) ||
				 c == '.' || c == '(' || c == ')')
		{
			broken = digits > 0;
			if (c == '(')
				in_parentheses = true;
		}
		else
			return O2O_IDENTIFIER_PHONE;
	}
	if (digits == 0 && !plus)
		return O2O_IDENTIFIER_EMPTY;
	return plus && digits >= 7 ? O2O_IDENTIFIER_OK : O2O_IDENTIFIER_PHONE;
}

/* The part before the @: 1 to 64 bytes, dots only between other characters. */
static bool
put_local_part(Span local, O2OIdentifierText *out)
{
	if (local.len == 0 || local.len > 64 ||
		local.s[0] == '.' || local.s[local.len - 1] == '.')
		return false;
	for (size_t i = 0; i < local.len;)
	{
		uint32_t	c;
		size_t		n = o2o_utf8_decode(local.s + i, local.len - i, &c);

		if (c < 0x80)
		{
			if (!is_alnum((char) c) && strchr("!#$%&'*+-/=?^_`{|}~.", (int) c) == NULL)
				return false;
			if (c == '.' && local.s[i + 1] == '.')
				return false;
		}
		else if (is_space(c))
			return false;
		for (size_t j = 0; j < n; j++)
			put(out, ascii_lower(local.s[i + j]));
		i += n;
	}
	return true;
}

/* The ASCII part after the @: at least two labels of letters, digits, hyphens. */
static bool
put_domain(Span domain, O2OIdentifierText *out)
{
	size_t		label = 0;
	int			labels = 1;
	bool		letters = false;

	if (domain.len == 0 || domain.len > 255)
		return false;
	for (size_t i = 0; i <= domain.len; i++)
	{
		char		c = i < domain.len ? domain.s[i] : '.';

		if (c == '.')
		{
			size_t		n = i - label;

			if (n == 0 || n > 63 || domain.s[label] == '-' || domain.s[i - 1] == '-')
				return false;
			label = i + 1;
			if (i < domain.len)
			{
				labels++;
				letters = false;
			}
		}
		else if (!is_alnum(c) && c != '-')
			return false;
		else if (!is_digit(c))
			letters = true;
		if (i < domain.len)
			put(out, ascii_lower(c));
	}
	/* a last label of digits only is an IP address, not a domain */
	return labels >= 2 && letters;
}

/* email: local part and domain lower-cased, the domain in its ASCII form. */
static O2OIdentifierStatus
rule_email(Span value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	char		raw[O2O_IDENTIFIER_MAX + 1];
	char		ascii[O2O_IDENTIFIER_MAX + 1];
	Span		local = value;
	Span		domain;

	while (local.len > 0 && local.s[local.len - 1] != '@')
		local.len--;
	if (local.len == 0)
		return O2O_IDENTIFIER_EMAIL;
	domain.s = value.s + local.len;
	domain.len = value.len - local.len;
	local.len--;

	if (!put_local_part(local, out))
		return O2O_IDENTIFIER_EMAIL;
	put(out, '@');
	if (!o2o_is_ascii(domain.s, domain.len))
	{
		if (domain.len >= sizeof(raw))
			return O2O_IDENTIFIER_EMAIL;
		memcpy(raw, domain.s, domain.len);
		raw[domain.len] = '\0';
		if (idna == NULL || !idna(raw, ascii, sizeof(ascii)))
			return O2O_IDENTIFIER_DOMAIN;
		domain.s = ascii;
		domain.len = strlen(ascii);
	}
	return put_domain(domain, out) ? O2O_IDENTIFIER_OK : O2O_IDENTIFIER_EMAIL;
}

/* Splits at the first slash; both sides trimmed and not empty. */
static bool
split_slash(Span value, Span *before, Span *after)
{
	const char *slash = memchr(value.s, '/', value.len);

	if (slash == NULL)
		return false;
	*before = trim((Span) {value.s, (size_t) (slash - value.s)});
	*after = trim((Span) {slash + 1, (size_t) (value.s + value.len - slash - 1)});
	return before->len > 0 && after->len > 0;
}

/* openid: <app>/<id>, since an openid is unique in its app only. */
static O2OIdentifierStatus
rule_openid(Span value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	Span		app;
	Span		id;

	(void) idna;
	if (!split_slash(value, &app, &id))
		return O2O_IDENTIFIER_OPENID;
	put_span(out, app);
	put(out, '/');
	put_span(out, id);
	return O2O_IDENTIFIER_OK;
}

/* Writes a name [a-z][a-z0-9_]*, lower-cased; false when it is none. */
static bool
put_name(Span name, O2OIdentifierText *out)
{
	if (name.len == 0 || name.len > O2O_IDENTIFIER_KIND_MAX ||
		is_digit(name.s[0]) || name.s[0] == '_')
		return false;
	for (size_t i = 0; i < name.len; i++)
	{
		if (!is_alnum(name.s[i]) && name.s[i] != '_')
			return false;
		put(out, ascii_lower(name.s[i]));
	}
	return true;
}

/* ref: <source>/<id>, so that the number 4711 of two systems never meets. */
static O2OIdentifierStatus
rule_ref(Span value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	Span		source;
	Span		id;

	(void) idna;
	if (!split_slash(value, &source, &id) || !put_name(source, out))
		return O2O_IDENTIFIER_REF;
	put(out, '/');
	put_span(out, id);
	return O2O_IDENTIFIER_OK;
}

static const struct
{
	const char *kind;
	ValueRule	rule;
}			rules[] = {
	{"phone", rule_phone},
	{"email", rule_email},
	{"card", rule_card},
	{"device", rule_device},
	{"openid", rule_openid},
	{"ref", rule_ref}
};

/*
 * UTF-8 without control characters. Where a rule takes spaces out, tabs and
 * invisible marks between the digits are no harm.
 */
static O2OIdentifierStatus
check_characters(Span value, bool loose)
{
	for (size_t i = 0; i < value.len;)
	{
		uint32_t	c;
		size_t		n = o2o_utf8_decode(value.s + i, value.len - i, &c);

		if (n == 0)
			return O2O_IDENTIFIER_ENCODING;
		if (is_control(c) && !(loose && (is_space(c) || is_invisible(c))))
			return O2O_IDENTIFIER_CONTROL;
		i += n;
	}
	return O2O_IDENTIFIER_OK;
}

/* Normal form of a value of a kind. */
O2OIdentifierStatus
o2o_identifier_build(const char *kind, size_t kind_len,
					 const char *value, size_t len,
					 O2OIdnaFunction idna, O2OIdentifierText *out)
{
	Span		raw = trim((Span) {value, len});
	ValueRule	rule = rule_opaque;
	O2OIdentifierStatus status;
	size_t		shown;

	out->kind_len = out->len = 0;
	out->overflow = false;
	out->tail[0] = '\0';
	if (!put_name(trim((Span) {kind, kind_len}), out))
		return O2O_IDENTIFIER_NO_KIND;
	out->kind_len = out->len;
	out->text[out->len] = '\0';
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].kind, out->text) == 0)
			rule = rules[i].rule;
	put(out, ':');

	if (raw.len == 0)
		return O2O_IDENTIFIER_EMPTY;
	if (raw.len > O2O_IDENTIFIER_RAW_MAX)
		return O2O_IDENTIFIER_TOO_LONG;
	status = check_characters(raw, rule == rule_phone || rule == rule_card);
	if (status != O2O_IDENTIFIER_OK)
		return status;
	shown = o2o_identifier_tail(raw.s, raw.len);
	memcpy(out->tail, raw.s + raw.len - shown, shown);
	out->tail[shown] = '\0';

	status = rule(raw, idna, out);
	if (status == O2O_IDENTIFIER_OK && out->overflow)
		return O2O_IDENTIFIER_TOO_LONG;
	if (status == O2O_IDENTIFIER_OK && out->len == out->kind_len + 1)
		return O2O_IDENTIFIER_EMPTY;
	out->text[out->len] = '\0';
	return status;
}

/* Normal form of 'kind:value'. */
O2OIdentifierStatus
o2o_identifier_parse(const char *input, size_t len,
					 O2OIdnaFunction idna, O2OIdentifierText *out)
{
	const char *colon = memchr(input, ':', len);
	size_t		kind_len = colon ? (size_t) (colon - input) : 0;
	size_t		skip = colon ? kind_len + 1 : 0;

	return o2o_identifier_build(input, kind_len, input + skip, len - skip, idna, out);
}

/*
 * Folds an e-mail in normal form to its mailbox: the tag after '+' goes, and at
 * Gmail also the dots and the old domain name. A tag alone is left as it is.
 */
void
o2o_identifier_fold_email(O2OIdentifierText *email)
{
	static const char *const gmail[] = {"gmail.com", "googlemail.com"};
	char	   *local = email->text + email->kind_len + 1;
	char	   *at = strrchr(local, '@');
	char	   *plus = memchr(local, '+', (size_t) (at - local));
	const char *domain = at + 1;
	char	   *end = plus != NULL && plus > local ? plus : at;
	char	   *to = local;
	bool		is_gmail = strcmp(domain, gmail[0]) == 0 || strcmp(domain, gmail[1]) == 0;
	size_t		domain_len;

	if (is_gmail)
		domain = gmail[0];
	domain_len = strlen(domain);
	for (char *from = local; from < end; from++)
		if (!is_gmail || *from != '.')
			*to++ = *from;
	*to++ = '@';
	memmove(to, domain, domain_len + 1);
	email->len = (int) (to - email->text + domain_len);
}
