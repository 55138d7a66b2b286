/*
 * match_value.c
 *		Values for matching: in lower case, trimmed, in the compatible Unicode form,
 *		each distinct one of a column kept once and numbered. Records live in
 *		match_record.c.
 */
#include "identity/match.h"

#include "catalog/pg_collation.h"
#include "common/hashfn.h"
#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"
#include "utils/formatting.h"
#include "utils/memutils.h"

#define FIRST_SLOTS 256

static bool
all_ascii(const char *s, int len)
{
	for (int i = 0; i < len; i++)
		if (IS_HIGHBIT_SET(s[i]))
			return false;
	return true;
}

/* Compatible forms of characters (full-width letters, ligatures) as plain ones. */
static char *
normal_form(const char *s, int len)
{
	pg_wchar *codes = palloc(sizeof(pg_wchar) * (len + 1));
	pg_wchar *normal;
	char *out;
	char *end;
	int count = 0;

	(void) pg_mb2wchar_with_len(s, codes, len);
	normal = unicode_normalize(UNICODE_NFKC, codes);
	while (normal[count] != 0)
		count++;
	end = out = palloc(count * 4 + 1);
	for (int i = 0; i < count; i++)
	{
		unicode_to_utf8(normal[i], (unsigned char *) end);
		end += pg_utf_mblen((unsigned char *) end);
	}
	*end = '\0';
	return out;
}

/* A value in the form that is compared; the result may be empty. */
char *
o2o_match_clean(const char *s, int *len)
{
	char *out;
	int count = 0;

	while (*len > 0 && (unsigned char) *s <= ' ')
		s++, (*len)--;
	*len = pg_mbcharcliplen(s, *len, O2O_MATCH_CHARACTERS);
	if (all_ascii(s, *len))
	{
		out = pnstrdup(s, *len);
		for (int i = 0; i < *len; i++)
			out[i] = o2o_ascii_lower(out[i]);
	}
	else
	{
		(void) pg_verifymbstr(s, *len, false);
		out = pnstrdup(s, *len);
		if (GetDatabaseEncoding() == PG_UTF8)
			out = normal_form(out, *len);
		out = str_tolower(out, strlen(out), DEFAULT_COLLATION_OID);
	}
	/* one space between words, none at the ends */
	for (char *c = out; *c != '\0'; c++)
	{
		bool space = (unsigned char) *c <= ' ';

		if (!space)
			out[count++] = *c;
		else if (count > 0 && out[count - 1] != ' ')
			out[count++] = ' ';
	}
	if (count > 0 && out[count - 1] == ' ')
		count--;
	out[count] = '\0';
	*len = pg_mbcharcliplen(out, count, O2O_MATCH_CHARACTERS);
	return out;
}

static void
dictionary_grow(O2OMatchTable *table, O2OMatchDictionary *dictionary, int column)
{
	uint32 slots = dictionary->slot_count == 0 ? FIRST_SLOTS : dictionary->slot_count * 2;
	int32 capacity = (int32) (slots / 2);
	O2OMatchValue *values = table->values[column];

	o2o_match_need_memory(table->context, slots * sizeof(int32) + capacity * sizeof(O2OMatchValue),
						  "Values");
	if (dictionary->slots != NULL)
		pfree(dictionary->slots);
	dictionary->slots =
		MemoryContextAllocExtended(table->context, slots * sizeof(int32), MCXT_ALLOC_HUGE);
	memset(dictionary->slots, 0xFF, slots * sizeof(int32));
	dictionary->slot_count = slots;
	dictionary->capacity = capacity;
	if (values == NULL)
		table->values[column] = MemoryContextAllocExtended(
			table->context, capacity * sizeof(O2OMatchValue), MCXT_ALLOC_HUGE);
	else
		table->values[column] = repalloc_huge(values, capacity * sizeof(O2OMatchValue));
	for (int32 v = 0; v < table->value_counts[column]; v++)
	{
		uint32 at = table->values[column][v].hash & (slots - 1);

		while (dictionary->slots[at] >= 0)
			at = (at + 1) & (slots - 1);
		dictionary->slots[at] = v;
	}
}

/* The number of a value; a new one is copied. */
int32
o2o_match_value_number(O2OMatchTable *table, O2OMatchDictionary *dictionary, int column,
					   const char *text, int len)
{
	uint32 hash = hash_bytes((const unsigned char *) text, len);
	O2OMatchValue *value;
	uint32 at;
	char *copy;
	uint32 *codes;

	if (table->value_counts[column] == dictionary->capacity)
		dictionary_grow(table, dictionary, column);
	for (at = hash & (dictionary->slot_count - 1); dictionary->slots[at] >= 0;
		 at = (at + 1) & (dictionary->slot_count - 1))
	{
		value = &table->values[column][dictionary->slots[at]];
		if (value->hash == hash && value->len == len && memcmp(value->text, text, len) == 0)
		{
			value->count++;
			return dictionary->slots[at];
		}
	}

	/* characters first: they want alignment */
	codes = MemoryContextAlloc(table->context, sizeof(uint32) * (len + 1) + len + 1);
	copy = (char *) (codes + len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	value = &table->values[column][table->value_counts[column]];
	memset(value, 0, sizeof(O2OMatchValue));
	value->text = copy;
	value->len = len;
	value->count = 1;
	value->hash = hash;
	value->code_count = pg_mb2wchar_with_len(copy, (pg_wchar *) codes, len);
	value->codes = codes;
	dictionary->slots[at] = table->value_counts[column];
	return table->value_counts[column]++;
}
