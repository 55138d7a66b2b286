/*
 * verify_report.c
 *		points_verify(): the rows of its answer, and the programs and kinds of
 *		accounts by number, as the other files know them.
 */
#include "points/verify.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

/* The place of a name in a list that grows; there are few of them. */
static int
place_of(o2o_verify *verify, char **names, int *count, int limit, const char *name, int length)
{
	for (int i = 0; i < *count; i++)
		if (strncmp(names[i], name, length) == 0 && names[i][length] == '\0')
			return i;
	if (*count == limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("more than %d names", limit)));
	names[*count] = MemoryContextStrdup(verify->context, pnstrdup(name, length));
	return (*count)++;
}

int
o2o_verify_kind_of(o2o_verify *verify, const char *name, int length)
{
	return place_of(verify, verify->kinds, &verify->kind_count, lengthof(verify->kinds), name,
					length);
}

int
o2o_verify_program_of(o2o_verify *verify, const char *name, int length)
{
	int count = verify->program_count;
	int place;

	if (count == verify->program_space)
	{
		verify->program_space = Max(16, 2 * count);
		if (count == 0)
		{
			verify->program_names =
				MemoryContextAlloc(verify->context, sizeof(char *) * verify->program_space);
			verify->programs = MemoryContextAlloc(verify->context, sizeof(o2o_verify_program) *
																	   verify->program_space);
		}
		else
		{
			verify->program_names =
				repalloc(verify->program_names, sizeof(char *) * verify->program_space);
			verify->programs =
				repalloc(verify->programs, sizeof(o2o_verify_program) * verify->program_space);
		}
	}
	place = place_of(verify, verify->program_names, &verify->program_count, verify->program_space,
					 name, length);
	if (verify->program_count > count)
		memset(&verify->programs[place], 0, sizeof(o2o_verify_program));
	return place;
}

/* What points_operation() says of kinds, as sets. */
void
o2o_verify_set_kinds(o2o_verify *verify)
{
	verify->contra_kinds = palloc0(sizeof(uint32) * o2o_points_operation_count);
	for (size_t i = 0; i < o2o_points_operation_count; i++)
		for (size_t k = 0; k < lengthof(o2o_points_operations[i].contra_kinds); k++)
		{
			const char *kind = o2o_points_operations[i].contra_kinds[k];

			if (kind)
				verify->contra_kinds[i] |= 1U << o2o_verify_kind_of(verify, kind, strlen(kind));
		}
	verify->kinds_with_lots = 1U << o2o_verify_kind_of(verify, "member", strlen("member"));
	verify->kinds_that_owe =
		verify->kinds_with_lots | 1U << o2o_verify_kind_of(verify, "debt", strlen("debt"));
}

/* One row of the answer, unless another program was asked for. */
void
o2o_verify_report(o2o_verify *verify, const char *check, int program, bool has_account,
				  const char *format, ...)
{
	Datum values[5];
	bool nulls[5] = {false, program < 0, !has_account, !has_account, false};
	StringInfoData detail;

	if (verify->wanted >= 0 && program != verify->wanted)
		return;
	initStringInfo(&detail);
	for (;;)
	{
		va_list arguments;
		int needed;

		va_start(arguments, format);
		needed = appendStringInfoVA(&detail, format, arguments);
		va_end(arguments);
		if (needed == 0)
			break;
		enlargeStringInfo(&detail, needed);
	}
	values[0] = CStringGetTextDatum(check);
	values[1] = program < 0 ? (Datum) 0 : CStringGetTextDatum(verify->program_names[program]);
	values[2] = Int64GetDatum(verify->profile_id);
	values[3] = Int64GetDatum(verify->account_id);
	values[4] = CStringGetTextDatum(detail.data);
	tuplestore_putvalues(verify->found, verify->found_desc, values, nulls);
}

/* Points as text. Totals may be out of the range of one amount: as numeric has them. */
const char *
o2o_verify_points(o2o_int128 units)
{
	char text[64];
	char *digit = text + sizeof(text);
	unsigned __int128 rest = units < 0 ? -(unsigned __int128) units : (unsigned __int128) units;

	*--digit = '\0';
	for (int place = 0; place < 4 || rest > 0 || place == 4; place++)
	{
		/* Zeros at the end of the fraction are not shown. */
		if (place >= 4 || rest % 10 != 0 || *digit != '\0')
			*--digit = '0' + (char) (rest % 10);
		rest /= 10;
		if (place == 3 && *digit != '\0')
			*--digit = '.';
	}
	if (units < 0)
		*--digit = '-';
	return pstrdup(digit);
}
