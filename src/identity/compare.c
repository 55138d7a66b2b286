/*
 * compare.c
 *		The comparison functions as SQL sees them: arguments, encodings, limits.
 *		How strings are compared lives in compare_string.c, how phone numbers,
 *		e-mail addresses and dates are in compare_contact.c; which columns of whom
 *		are compared, and what that is worth, lives in the model.
 */
#include "identity/identity.h"

#include "identity/compare_string.h"

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

PG_FUNCTION_INFO_V1(o2o_jaro);
PG_FUNCTION_INFO_V1(o2o_jaro_winkler);
PG_FUNCTION_INFO_V1(o2o_damerau_levenshtein);
PG_FUNCTION_INFO_V1(o2o_phone_agreement);
PG_FUNCTION_INFO_V1(o2o_email_agreement);
PG_FUNCTION_INFO_V1(o2o_date_agreement);
PG_FUNCTION_INFO_V1(o2o_jaccard);

typedef struct Bytes
{
	const char *s;
	int len;
} Bytes;

/* The bytes of a text, which stay where they are. */
static inline Bytes
text_bytes(const struct varlena *t)
{
	Bytes bytes = {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};

	return bytes;
}

/* Has no byte the high bit? Eight at a time. */
static inline bool
is_ascii(Bytes t)
{
	uint64 high = 0;

	for (; t.len >= (int) sizeof(uint64); t.s += sizeof(uint64), t.len -= sizeof(uint64))
	{
		uint64 chunk;

		memcpy(&chunk, t.s, sizeof(chunk));
		high |= chunk;
	}
	for (; t.len > 0; t.s++, t.len--)
		high |= (uint64) (unsigned char) *t.s << 56 | (unsigned char) *t.s;
	return (high & UINT64CONST(0x8080808080808080)) == 0;
}

static void
too_long(int characters)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("string is too long to be compared"),
		 errdetail("It has %d characters; at most %d are compared.", characters, O2O_COMPARE_MAX),
		 errhint("Compare a part of it, such as left(value, %d).", O2O_COMPARE_MAX)));
}

/* The characters of a text as numbers, which are code points in UTF-8. */
static int
text_codes(Bytes t, pg_wchar *codes)
{
	int count;

	/* stored text may be broken: conversion would read beyond its end */
	(void) pg_verifymbstr(t.s, t.len, false);
	count = pg_mbstrlen_with_len(t.s, t.len);
	if (count > O2O_COMPARE_MAX)
		too_long(count);
	return pg_mb2wchar_with_len(t.s, codes, t.len);
}

/* Two texts as letters; bytes are letters where they are characters. */
static void
read_letters(FunctionCallInfo fcinfo, O2OLetters *pair)
{
	struct varlena *a_text = PG_GETARG_VARLENA_PP(0);
	struct varlena *b_text = PG_GETARG_VARLENA_PP(1);
	Bytes a = text_bytes(a_text);
	Bytes b = text_bytes(b_text);

	if (pg_database_encoding_max_length() == 1 || (is_ascii(a) && is_ascii(b)))
	{
		if (a.len > O2O_COMPARE_MAX || b.len > O2O_COMPARE_MAX)
			too_long(Max(a.len, b.len));
		o2o_letters_from_bytes(a.s, a.len, b.s, b.len, pair);
	}
	else
	{
		pg_wchar a_codes[O2O_COMPARE_MAX + 1]; /* conversion adds an end */
		pg_wchar b_codes[O2O_COMPARE_MAX + 1];
		int a_count = text_codes(a, a_codes);
		int b_count = text_codes(b, b_codes);

		o2o_letters_from_codes(a_codes, a_count, b_codes, b_count, pair);
	}
	PG_FREE_IF_COPY(a_text, 0);
	PG_FREE_IF_COPY(b_text, 1);
	CHECK_FOR_INTERRUPTS();
}

/* jaro(a text, b text) */
Datum
o2o_jaro(PG_FUNCTION_ARGS)
{
	O2OLetters pair;

	read_letters(fcinfo, &pair);
	PG_RETURN_FLOAT8(o2o_jaro_similarity(&pair));
}

/* jaro_winkler(a text, b text) */
Datum
o2o_jaro_winkler(PG_FUNCTION_ARGS)
{
	O2OLetters pair;

	read_letters(fcinfo, &pair);
	PG_RETURN_FLOAT8(o2o_jaro_winkler_similarity(&pair));
}

/* damerau_levenshtein(a text, b text) */
Datum
o2o_damerau_levenshtein(PG_FUNCTION_ARGS)
{
	O2OLetters pair;

	read_letters(fcinfo, &pair);
	PG_RETURN_INT32(o2o_damerau_levenshtein_distance(&pair));
}

/* Two texts as contacts; NULL where a side says nothing. */
static Datum
contact_agreement(FunctionCallInfo fcinfo,
				  int (*agreement)(const char *a, size_t a_len, const char *b, size_t b_len))
{
	Bytes a = text_bytes(PG_GETARG_VARLENA_PP(0));
	Bytes b = text_bytes(PG_GETARG_VARLENA_PP(1));
	int level = agreement(a.s, a.len, b.s, b.len);

	if (level == O2O_AGREEMENT_NONE)
		PG_RETURN_NULL();
	PG_RETURN_INT32(level);
}

/* phone_agreement(a text, b text) */
Datum
o2o_phone_agreement(PG_FUNCTION_ARGS)
{
	return contact_agreement(fcinfo, o2o_phone_agreement_level);
}

/* email_agreement(a text, b text) */
Datum
o2o_email_agreement(PG_FUNCTION_ARGS)
{
	return contact_agreement(fcinfo, o2o_email_agreement_level);
}

/* date_agreement(a date, b date) */
Datum
o2o_date_agreement(PG_FUNCTION_ARGS)
{
	DateADT a = PG_GETARG_DATEADT(0);
	DateADT b = PG_GETARG_DATEADT(1);
	int64 apart = (int64) a - (int64) b;
	int a_parts[3] = {0};
	int b_parts[3] = {0};

	if (a == b)
		PG_RETURN_INT32(o2o_date_agreement_level(0, a_parts, b_parts));
	if (DATE_NOT_FINITE(a) || DATE_NOT_FINITE(b))
		PG_RETURN_INT32(0);
	j2date(a + POSTGRES_EPOCH_JDATE, &a_parts[0], &a_parts[1], &a_parts[2]);
	j2date(b + POSTGRES_EPOCH_JDATE, &b_parts[0], &b_parts[1], &b_parts[2]);
	/* dates are less than 2^31 days apart */
	PG_RETURN_INT32(o2o_date_agreement_level((int) (apart < 0 ? -apart : apart), a_parts, b_parts));
}

/* Any order will do, if equal elements are neighbours. */
static inline int
compare_bytes(const Bytes *x, const Bytes *y)
{
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->s, y->s, x->len);
}

#define ST_SORT sort_elements
#define ST_ELEMENT_TYPE Bytes
#define ST_COMPARE(x, y) compare_bytes(x, y)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The distinct elements of an array, in the order of compare_bytes. */
static int
distinct_elements(ArrayType *array, Bytes **out)
{
	int length = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const bits8 *nulls = ARR_NULLBITMAP(array);
	const char *at = ARR_DATA_PTR(array);
	Bytes *elements = palloc_extended(sizeof(Bytes) * Max(length, 1), MCXT_ALLOC_HUGE);
	int count = 0;
	int distinct = 0;

	for (int i = 0; i < length; i++)
	{
		if (nulls != NULL && (nulls[i / 8] & (1 << (i % 8))) == 0)
			continue;
		at = (const char *) att_align_pointer(at, TYPALIGN_INT, -1, at);
		elements[count++] = text_bytes((const struct varlena *) at);
		at += VARSIZE_ANY(at);
	}
	sort_elements(elements, count);
	for (int i = 0; i < count; i++)
		if (i == 0 || compare_bytes(&elements[i], &elements[distinct - 1]) != 0)
			elements[distinct++] = elements[i];
	*out = elements;
	return distinct;
}

/* jaccard(a text[], b text[]) */
Datum
o2o_jaccard(PG_FUNCTION_ARGS)
{
	Bytes *a;
	Bytes *b;
	int a_count = distinct_elements(PG_GETARG_ARRAYTYPE_P(0), &a);
	int b_count = distinct_elements(PG_GETARG_ARRAYTYPE_P(1), &b);
	int common = 0;

	for (int i = 0, j = 0; i < a_count && j < b_count;)
	{
		int order = compare_bytes(&a[i], &b[j]);

		common += order == 0;
		i += order <= 0;
		j += order >= 0;
	}
	pfree(a);
	pfree(b);
	if (a_count + b_count == 0)
		PG_RETURN_FLOAT8(1);
	PG_RETURN_FLOAT8((double) common / ((double) a_count + b_count - common));
}
