/*
 * identifier_parse.c
 *		The pure parser of identifiers: splits 'kind:value' and brings the value
 *		into the normal form of its kind. Input is UTF-8 in NFKC. No Postgres
 *		header, no allocation, no locale, no setting: one text, one meaning.
 */
#include "identity/identifier_parse.h"

#include <string.h>

#include "identity/identifier_char.h"

typedef O2OIdentifierStatus (*ValueRule)(O2OSpan value, O2OIdnaFunction idna,
										 O2OIdentifierText *out);

static void
put(O2OIdentifierText *out, char c)
{
	if (out->len < O2O_IDENTIFIER_MAX)
		out->text[out->len++] = c;
	else
		out->overflow = true;
}

static void
put_span(O2OIdentifierText *out, O2OSpan t)
{
	for (size_t i = 0; i < t.len; i++)
		put(out, t.s[i]);
}

/* Values of open kinds, and those that a platform hands out: kept as they are. */
static O2OIdentifierStatus
rule_opaque(O2OSpan value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	(void) idna;
	put_span(out, value);
	return O2O_IDENTIFIER_OK;
}

/* device: lower-cased (ASCII), since UUIDs and MAC addresses come in both. */
static O2OIdentifierStatus
rule_device(O2OSpan value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	(void) idna;
	for (size_t i = 0; i < value.len; i++)
		put(out, o2o_ascii_lower(value.s[i]));
	return O2O_IDENTIFIER_OK;
}

/* card: without the spaces and dashes it is printed with, upper-cased (ASCII). */
static O2OIdentifierStatus
rule_card(O2OSpan value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	(void) idna;
	for (size_t i = 0; i < value.len;)
	{
		uint32_t c;
		size_t n = o2o_utf8_decode(value.s + i, value.len - i, &c);

		if (!o2o_is_space(c) && !o2o_is_invisible(c) && !o2o_is_dash(c))
			for (size_t j = 0; j < n; j++)
				put(out, o2o_ascii_upper(value.s[i + j]));
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
rule_phone(O2OSpan value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	int digits = 0;
	bool plus = false;
	bool grouped = false;
	bool broken = false;
	bool in_parentheses = false;

	(void) idna;
	for (size_t i = 0; i < value.len;)
	{
		uint32_t c;
		size_t n = o2o_utf8_decode(value.s + i, value.len - i, &c);

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
			if (c == '0' && (digits == 0 || in_parentheses || (broken && !grouped && digits <= 3)))
				return O2O_IDENTIFIER_PHONE;
			if (broken)
				grouped = true;
			in_parentheses = false;
			if (++digits > 15)
				return O2O_IDENTIFIER_PHONE;
			put(out, (char) c);
		}
		else if (o2o_is_space(c) || o2o_is_invisible(c) || o2o_is_dash(c) || c == '.' || c == '(' ||
				 c == ')')
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
put_local_part(O2OSpan local, O2OIdentifierText *out)
{
	if (local.len == 0 || local.len > 64 || local.s[0] == '.' || local.s[local.len - 1] == '.')
		return false;
	for (size_t i = 0; i < local.len;)
	{
		uint32_t c;
		size_t n = o2o_utf8_decode(local.s + i, local.len - i, &c);

		if (c < 0x80)
		{
			if (!o2o_is_alnum((char) c) && strchr("!#$%&'*+-/=?^_`{|}~.", (int) c) == NULL)
				return false;
			if (c == '.' && local.s[i + 1] == '.')
				return false;
		}
		else if (o2o_is_space(c))
			return false;
		for (size_t j = 0; j < n; j++)
			put(out, o2o_ascii_lower(local.s[i + j]));
		i += n;
	}
	return true;
}

/* The ASCII part after the @: at least two labels of letters, digits, hyphens. */
static bool
put_domain(O2OSpan domain, O2OIdentifierText *out)
{
	size_t label = 0;
	int labels = 1;
	bool letters = false;

	if (domain.len == 0 || domain.len > 255)
		return false;
	for (size_t i = 0; i <= domain.len; i++)
	{
		char c = i < domain.len ? domain.s[i] : '.';

		if (c == '.')
		{
			size_t n = i - label;

			if (n == 0 || n > 63 || domain.s[label] == '-' || domain.s[i - 1] == '-')
				return false;
			label = i + 1;
			if (i < domain.len)
			{
				labels++;
				letters = false;
			}
		}
		else if (!o2o_is_alnum(c) && c != '-')
			return false;
		else if (!o2o_is_digit(c))
			letters = true;
		if (i < domain.len)
			put(out, o2o_ascii_lower(c));
	}
	/* a last label of digits only is an IP address, not a domain */
	return labels >= 2 && letters;
}

/* email: local part and domain lower-cased, the domain in its ASCII form. */
static O2OIdentifierStatus
rule_email(O2OSpan value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	char raw[O2O_IDENTIFIER_MAX + 1];
	char ascii[O2O_IDENTIFIER_MAX + 1];
	O2OSpan local = value;
	O2OSpan domain;

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
split_slash(O2OSpan value, O2OSpan *before, O2OSpan *after)
{
	const char *slash = memchr(value.s, '/', value.len);

	if (slash == NULL)
		return false;
	*before = o2o_trim((O2OSpan){value.s, (size_t) (slash - value.s)});
	*after = o2o_trim((O2OSpan){slash + 1, (size_t) (value.s + value.len - slash - 1)});
	return before->len > 0 && after->len > 0;
}

/* openid: <app>/<id>, since an openid is unique in its app only. */
static O2OIdentifierStatus
rule_openid(O2OSpan value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	O2OSpan app;
	O2OSpan id;

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
put_name(O2OSpan name, O2OIdentifierText *out)
{
	if (name.len == 0 || name.len > O2O_IDENTIFIER_KIND_MAX || o2o_is_digit(name.s[0]) ||
		name.s[0] == '_')
		return false;
	for (size_t i = 0; i < name.len; i++)
	{
		if (!o2o_is_alnum(name.s[i]) && name.s[i] != '_')
			return false;
		put(out, o2o_ascii_lower(name.s[i]));
	}
	return true;
}

/* ref: <source>/<id>, so that the number 4711 of two systems never meets. */
static O2OIdentifierStatus
rule_ref(O2OSpan value, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	O2OSpan source;
	O2OSpan id;

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
	ValueRule rule;
} rules[] = {{"phone", rule_phone},   {"email", rule_email},   {"card", rule_card},
			 {"device", rule_device}, {"openid", rule_openid}, {"ref", rule_ref}};

/*
 * UTF-8 without control characters. Where a rule takes spaces out, tabs and
 * invisible marks between the digits are no harm.
 */
static O2OIdentifierStatus
check_characters(O2OSpan value, bool loose)
{
	for (size_t i = 0; i < value.len;)
	{
		uint32_t c;
		size_t n = o2o_utf8_decode(value.s + i, value.len - i, &c);

		if (n == 0)
			return O2O_IDENTIFIER_ENCODING;
		if (o2o_is_control(c) && !(loose && (o2o_is_space(c) || o2o_is_invisible(c))))
			return O2O_IDENTIFIER_CONTROL;
		i += n;
	}
	return O2O_IDENTIFIER_OK;
}

/* Normal form of a value of a kind. */
O2OIdentifierStatus
o2o_identifier_build(const char *kind, size_t kind_len, const char *value, size_t len,
					 O2OIdnaFunction idna, O2OIdentifierText *out)
{
	O2OSpan raw = o2o_trim((O2OSpan){value, len});
	ValueRule rule = rule_opaque;
	O2OIdentifierStatus status;
	size_t shown;

	out->kind_len = out->len = 0;
	out->overflow = false;
	out->tail[0] = '\0';
	if (!put_name(o2o_trim((O2OSpan){kind, kind_len}), out))
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
o2o_identifier_parse(const char *input, size_t len, O2OIdnaFunction idna, O2OIdentifierText *out)
{
	const char *colon = memchr(input, ':', len);
	size_t kind_len = colon ? (size_t) (colon - input) : 0;
	size_t skip = colon ? kind_len + 1 : 0;

	return o2o_identifier_build(input, kind_len, input + skip, len - skip, idna, out);
}

/*
 * Folds an e-mail in normal form to its mailbox: the tag after '+' goes, and at
 * Gmail also the dots and the old domain name. Where no local part would be left
 * that is one, the address stays as it is.
 */
void
o2o_identifier_fold_email(O2OIdentifierText *email)
{
	static const char *const gmail[] = {"gmail.com", "googlemail.com"};
	char *local = email->text + email->kind_len + 1;
	char *at = strrchr(local, '@');
	char *plus = memchr(local, '+', (size_t) (at - local));
	const char *domain = at + 1;
	char *end = at;
	char *to = local;
	bool is_gmail = strcmp(domain, gmail[0]) == 0 || strcmp(domain, gmail[1]) == 0;
	size_t domain_len;

	if (is_gmail)
		domain = gmail[0];
	domain_len = strlen(domain);
	if (plus != NULL && plus > local && (is_gmail || plus[-1] != '.'))
		end = plus;
	for (char *from = local; from < end; from++)
		if (!is_gmail || *from != '.')
			*to++ = *from;
	*to++ = '@';
	memmove(to, domain, domain_len + 1);
	email->len = (int) (to - email->text + domain_len);
}
