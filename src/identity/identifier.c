/*
 * identifier.c
 *		The type identifier: text and binary input and output, constructors,
 *		parts. What a normal form is lives in identifier_parse.c, the order in
 *		identifier_order.c, phones in national form in identifier_modules.c.
 */
#include "identity/identity.h"

#include "common/unicode_norm.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(o2o_identifier_in);
PG_FUNCTION_INFO_V1(o2o_identifier_out);
PG_FUNCTION_INFO_V1(o2o_identifier_recv);
PG_FUNCTION_INFO_V1(o2o_identifier_send);
PG_FUNCTION_INFO_V1(o2o_identifier_from_text);
PG_FUNCTION_INFO_V1(o2o_identifier_or_null);
PG_FUNCTION_INFO_V1(o2o_identifier_make);
PG_FUNCTION_INFO_V1(o2o_identifier_email);
PG_FUNCTION_INFO_V1(o2o_identifier_kind);
PG_FUNCTION_INFO_V1(o2o_identifier_value);
PG_FUNCTION_INFO_V1(o2o_identifier_mask);

/* NFKC of a text that is not ASCII, as UTF-8; palloc'd. */
static char *
nfkc(const char *input, int len, int *result_len)
{
	pg_wchar *codes;
	pg_wchar *normal;
	char *result;
	char *p;
	int n = 0;

	if (GetDatabaseEncoding() != PG_UTF8)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("identifiers that are not ASCII need a database in UTF8"),
				 errdetail("The encoding of this database is %s.", GetDatabaseEncodingName())));

	codes = palloc((len + 1) * sizeof(pg_wchar));
	for (int i = 0; i < len;)
	{
		uint32_t code;
		size_t step = o2o_utf8_decode(input + i, len - i, &code);

		if (step == 0)
			elog(ERROR, "text of a UTF8 database is not UTF-8");
		codes[n++] = code;
		i += (int) step;
	}
	codes[n] = 0;

	normal = unicode_normalize(UNICODE_NFKC, codes);
	n = 0;
	while (normal[n] != 0)
		n++;
	result = p = palloc(n * 4 + 1);
	for (int i = 0; i < n; i++)
	{
		unicode_to_utf8(normal[i], (unsigned char *) p);
		p += pg_utf_mblen((unsigned char *) p);
	}
	*p = '\0';
	*result_len = (int) (p - result);
	pfree(normal);
	pfree(codes);
	return result;
}

/*
 * Reads kind and value; a kind of NULL means that input is 'kind:value'.
 *
 * NFKC comes first. Lower-casing and cutting can leave a base character before
 * a mark with which it composes, so the result is normalised and read again
 * until it stays as it is: what is stored always reads back as itself.
 */
O2OIdentifierStatus
o2o_identifier_read_value(const char *kind, int kind_len, const char *value, int len,
						  O2OIdentifierText *out)
{
	O2OIdentifierStatus status;

	if (len > O2O_IDENTIFIER_RAW_MAX || kind_len > O2O_IDENTIFIER_RAW_MAX)
	{
		out->kind_len = 0;
		out->tail[0] = '\0';
		return O2O_IDENTIFIER_TOO_LONG;
	}
	if (kind != NULL && !o2o_is_ascii(kind, kind_len))
		kind = nfkc(kind, kind_len, &kind_len);
	if (!o2o_is_ascii(value, len))
		value = nfkc(value, len, &len);

	if (kind != NULL)
		status = o2o_identifier_build(kind, kind_len, value, len, o2o_idna_to_ascii, out);
	else
		status = o2o_identifier_parse(value, len, o2o_idna_to_ascii, out);

	for (int pass = 0; status == O2O_IDENTIFIER_OK && !o2o_is_ascii(out->text, out->len); pass++)
	{
		int again_len;
		char *again = nfkc(out->text, out->len, &again_len);

		if (again_len == out->len && memcmp(again, out->text, again_len) == 0)
			break;
		if (pass == 8)
			return O2O_IDENTIFIER_CONTROL;
		status = o2o_identifier_parse(again, again_len, o2o_idna_to_ascii, out);
	}
	return status;
}

/* Reads 'kind:value'. */
O2OIdentifierStatus
o2o_identifier_read(const char *input, int len, O2OIdentifierText *out)
{
	return o2o_identifier_read_value(NULL, 0, input, len, out);
}

/* The identifier that was read. */
struct varlena *
o2o_identifier_store(const O2OIdentifierText *found)
{
	return (struct varlena *) cstring_to_text_with_len(found->text, found->len);
}

/*
 * Reports why a text is no identifier. Of the value itself only the end is
 * shown, since error texts reach logs.
 */
Datum
o2o_identifier_error(struct Node *escontext, O2OIdentifierStatus status,
					 const O2OIdentifierText *found)
{
	char *kind = pnstrdup(found->text, found->kind_len);
	const char *rule = NULL;
	const char *hint = NULL;

	switch (status)
	{
		case O2O_IDENTIFIER_OK:
			break;
		case O2O_IDENTIFIER_NO_KIND:
			ereturn(
				escontext, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type identifier"),
				 errdetail(
					 "An identifier is a kind, a colon and a value; a kind is a letter and at most 62 more letters, digits and underscores."),
				 errhint("Examples: phone:+12025550123, card:88001, ref:crm/10023.")));
		case O2O_IDENTIFIER_TOO_LONG:
			ereturn(escontext, (Datum) 0,
					(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
					 errmsg("identifier is too long"),
					 errdetail("An identifier has at most %d bytes in normal form.",
							   O2O_IDENTIFIER_MAX)));
		case O2O_IDENTIFIER_EMPTY:
			ereturn(escontext, (Datum) 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("identifier of kind \"%s\" has no value", kind)));
		case O2O_IDENTIFIER_CONTROL:
			rule = "A control character or an invisible mark stands inside the value";
			break;
		case O2O_IDENTIFIER_ENCODING:
			rule = "The value is not UTF-8";
			break;
		case O2O_IDENTIFIER_PHONE:
			rule = "A phone number is \"+\" and 7 to 15 digits, the first not 0 (E.164)";
			hint =
				"Read national numbers and numbers with a trunk prefix by o2o.identifier_phone(number, country).";
			break;
		case O2O_IDENTIFIER_PHONE_COUNTRY:
			rule = "A phone number without \"+\" needs its country";
			hint =
				"Give the country, two letters of ISO 3166-1 such as CN. Events and imports take the "
				"default_country of their source.";
			break;
		case O2O_IDENTIFIER_PHONE_UNREADABLE:
			rule = "No phone number of its country reads like that";
			break;
		case O2O_IDENTIFIER_PHONE_EXTENSION:
			rule = "A number with an extension does not tell one person";
			break;
		case O2O_IDENTIFIER_EMAIL:
			rule =
				"An e-mail address is a local part of at most 64 bytes, \"@\" and a domain of two labels or more";
			break;
		case O2O_IDENTIFIER_DOMAIN:
			rule = "The domain is not allowed in internationalized domain names (IDNA 2008)";
			break;
		case O2O_IDENTIFIER_OPENID:
			rule = "An openid is <app>/<id>";
			break;
		case O2O_IDENTIFIER_REF:
			rule =
				"A reference is <source>/<id>, the source a letter and then letters, digits and underscores";
			break;
	}
	if (rule == NULL)
		elog(ERROR, "unexpected identifier status %d", (int) status);
	ereturn(escontext, (Datum) 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid identifier of kind \"%s\"", kind),
			 found->tail[0] != '\0' ? errdetail("%s; this value ends in \"%s\".", rule, found->tail)
									: errdetail("%s.", rule),
			 hint != NULL ? errhint("%s", hint) : 0));
}

/* Reads a text or reports what is wrong with it. */
static Datum
identifier_from_string(const char *input, int len, struct Node *escontext)
{
	O2OIdentifierText found;
	O2OIdentifierStatus status = o2o_identifier_read(input, len, &found);

	if (status != O2O_IDENTIFIER_OK)
		return o2o_identifier_error(escontext, status, &found);
	return PointerGetDatum(o2o_identifier_store(&found));
}

/* Text input. */
Datum
o2o_identifier_in(PG_FUNCTION_ARGS)
{
	char *input = PG_GETARG_CSTRING(0);

	return identifier_from_string(input, (int) strlen(input), fcinfo->context);
}

/* Text output. */
Datum
o2o_identifier_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(text_to_cstring((text *) O2OGetIdentifierPP(0)));
}

/* Binary input: the text, normalised as the text input does. */
Datum
o2o_identifier_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int len;
	char *input = pq_getmsgtext(buf, buf->len - buf->cursor, &len);

	return identifier_from_string(input, len, NULL);
}

/* Binary output: the text. */
Datum
o2o_identifier_send(PG_FUNCTION_ARGS)
{
	struct varlena *id = O2OGetIdentifierPP(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* identifier(text) */
Datum
o2o_identifier_from_text(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);

	return identifier_from_string(VARDATA_ANY(input), (int) VARSIZE_ANY_EXHDR(input), NULL);
}

/* identifier_or_null(text): NULL for bad text; a missing module is still an error. */
Datum
o2o_identifier_or_null(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	O2OIdentifierText found;

	if (o2o_identifier_read(VARDATA_ANY(input), (int) VARSIZE_ANY_EXHDR(input), &found) !=
		O2O_IDENTIFIER_OK)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(o2o_identifier_store(&found));
}

/* identifier(kind text, value text) */
Datum
o2o_identifier_make(PG_FUNCTION_ARGS)
{
	text *kind = PG_GETARG_TEXT_PP(0);
	text *value = PG_GETARG_TEXT_PP(1);
	O2OIdentifierText found;
	O2OIdentifierStatus status;

	status = o2o_identifier_read_value(VARDATA_ANY(kind), (int) VARSIZE_ANY_EXHDR(kind),
									   VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value), &found);
	if (status != O2O_IDENTIFIER_OK)
		return o2o_identifier_error(NULL, status, &found);
	PG_RETURN_POINTER(o2o_identifier_store(&found));
}

/* identifier_email(address text, fold boolean) */
Datum
o2o_identifier_email(PG_FUNCTION_ARGS)
{
	text *address = PG_GETARG_TEXT_PP(0);
	bool fold = PG_GETARG_BOOL(1);
	O2OIdentifierText found;
	O2OIdentifierStatus status;

	status = o2o_identifier_read_value("email", 5, VARDATA_ANY(address),
									   (int) VARSIZE_ANY_EXHDR(address), &found);
	if (status != O2O_IDENTIFIER_OK)
		return o2o_identifier_error(NULL, status, &found);
	if (fold)
		o2o_identifier_fold_email(&found);
	PG_RETURN_POINTER(o2o_identifier_store(&found));
}

/* Bytes of the kind of a stored identifier. */
static int
kind_length(const struct varlena *id)
{
	const char *colon = memchr(VARDATA_ANY(id), ':', VARSIZE_ANY_EXHDR(id));

	if (colon == NULL)
		elog(ERROR, "stored identifier has no kind");
	return (int) (colon - VARDATA_ANY(id));
}

/* identifier_kind(identifier) */
Datum
o2o_identifier_kind(PG_FUNCTION_ARGS)
{
	struct varlena *id = O2OGetIdentifierPP(0);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(VARDATA_ANY(id), kind_length(id)));
}

/* identifier_value(identifier) */
Datum
o2o_identifier_value(PG_FUNCTION_ARGS)
{
	struct varlena *id = O2OGetIdentifierPP(0);
	int skip = kind_length(id) + 1;

	PG_RETURN_TEXT_P(
		cstring_to_text_with_len(VARDATA_ANY(id) + skip, (int) VARSIZE_ANY_EXHDR(id) - skip));
}

/* identifier_mask(identifier): kind, three stars and the end that may be shown. */
Datum
o2o_identifier_mask(PG_FUNCTION_ARGS)
{
	struct varlena *id = O2OGetIdentifierPP(0);
	int skip = kind_length(id) + 1;
	int len = (int) VARSIZE_ANY_EXHDR(id);
	int shown = (int) o2o_identifier_tail(VARDATA_ANY(id) + skip, len - skip);

	PG_RETURN_TEXT_P(cstring_to_text(
		psprintf("%.*s***%.*s", skip, VARDATA_ANY(id), shown, VARDATA_ANY(id) + len - shown)));
}
