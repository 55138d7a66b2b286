/*
 * pinyin.c
 *		The module o2o_pinyin: Chinese characters to Latin letters by ICU. Its
 *		caller, and the readings of surnames, are in identity/pinyin.c.
 */
#include "postgres.h"

#include <unicode/utrans.h>
#include <unicode/ustring.h>

#include "fmgr.h"
#include "modules/pinyin/pinyin.h"

PG_MODULE_MAGIC;

#define UNITS_MAX 4096 /* UTF-16 units of an answer */

extern PGDLLEXPORT int o2o_pinyin_convert(const char *text, int len, char *out, int size);

/* Opened once in a session; NULL where ICU has no such rules. */
static UTransliterator *
han_latin(void)
{
	static UTransliterator *opened = NULL;

	if (opened == NULL)
	{
		UErrorCode status = U_ZERO_ERROR;
		UChar id[64];

		u_uastrcpy(id, "Han-Latin; Latin-ASCII; Lower");
		opened = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
		if (U_FAILURE(status))
			opened = NULL;
	}
	return opened;
}

/* See O2OPinyinFunction. */
int
o2o_pinyin_convert(const char *text, int len, char *out, int size)
{
	UTransliterator *rules = han_latin();
	UErrorCode status = U_ZERO_ERROR;
	UChar units[UNITS_MAX];
	int32_t length = 0;
	int32_t limit;

	if (rules == NULL)
		return -2;
	u_strFromUTF8(units, UNITS_MAX, &length, text, len, &status);
	if (status == U_BUFFER_OVERFLOW_ERROR)
		return -1;
	limit = length;
	utrans_transUChars(rules, units, &length, UNITS_MAX, 0, &limit, &status);
	if (status == U_BUFFER_OVERFLOW_ERROR || length >= UNITS_MAX)
		return -1;
	u_strToUTF8(out, size, &length, units, length, &status);
	if (status == U_BUFFER_OVERFLOW_ERROR || status == U_STRING_NOT_TERMINATED_WARNING)
		return -1;
	return U_FAILURE(status) ? -2 : (int) length;
}
