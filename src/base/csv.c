/*
 * csv.c
 *		csv_rows(): the lines of a text in CSV as fields (RFC 4180).  What the
 *		fields mean is decided by the imports in SQL.
 */
#include "o2o.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(o2o_csv_rows);

/* As many as a table may have columns. */
#define FIELDS_MAX 1600

typedef struct Csv
{
	const char *at;
	const char *end;
	char delimiter;
	int line;
	StringInfoData field;
	bool quoted; /* the field was: an empty one is not null then */
	Datum fields[FIELDS_MAX];
	bool nulls[FIELDS_MAX];
	int count;
} Csv;

/* One or two bytes that end a line. */
static bool
at_line_end(const Csv *csv)
{
	return csv->at >= csv->end || *csv->at == '\n' || *csv->at == '\r';
}

static void
skip_line_end(Csv *csv)
{
	if (csv->at < csv->end && *csv->at == '\r')
		csv->at++;
	if (csv->at < csv->end && *csv->at == '\n')
		csv->at++;
	csv->line++;
}

static void
broken(int line, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT), errmsg("line %d of the CSV: %s", line, what)));
}

/* After the opening quote, up to the closing one. */
static void
read_quoted(Csv *csv)
{
	int opened = csv->line;

	for (;; csv->at++)
	{
		if (csv->at >= csv->end)
			broken(opened, "quotes are not closed");
		if (*csv->at == '"')
		{
			csv->at++;
			if (csv->at >= csv->end || *csv->at != '"')
				return;
		}
		if (*csv->at == '\n')
		{
			csv->line++;
			CHECK_FOR_INTERRUPTS();
		}
		appendStringInfoChar(&csv->field, *csv->at);
	}
}

static void
read_field(Csv *csv)
{
	resetStringInfo(&csv->field);
	csv->quoted = csv->at < csv->end && *csv->at == '"';
	if (csv->quoted)
	{
		csv->at++;
		read_quoted(csv);
		if (!at_line_end(csv) && *csv->at != csv->delimiter)
			broken(csv->line, "text after a closing quote");
		return;
	}
	while (!at_line_end(csv) && *csv->at != csv->delimiter)
		appendStringInfoChar(&csv->field, *csv->at++);
}

static void
read_line(Csv *csv)
{
	csv->count = 0;
	for (;;)
	{
		if (csv->count == FIELDS_MAX)
			broken(csv->line, "more than 1600 fields");
		read_field(csv);
		csv->nulls[csv->count] = csv->field.len == 0 && !csv->quoted;
		csv->fields[csv->count] = (Datum) 0;
		if (!csv->nulls[csv->count])
			csv->fields[csv->count] =
				PointerGetDatum(cstring_to_text_with_len(csv->field.data, csv->field.len));
		csv->count++;
		if (at_line_end(csv))
			return;
		csv->at++;
	}
}

Datum
o2o_csv_rows(PG_FUNCTION_ARGS)
{
	text *content = PG_GETARG_TEXT_PP(0);
	text *delimiter = PG_GETARG_TEXT_PP(1);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Csv *csv = palloc0(sizeof(Csv));
	MemoryContext row_context;

	if (VARSIZE_ANY_EXHDR(delimiter) != 1 || strchr("\"\r\n", *VARDATA_ANY(delimiter)) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("delimiter of CSV must be one byte, neither quote nor end of line")));
	csv->at = VARDATA_ANY(content);
	csv->end = csv->at + VARSIZE_ANY_EXHDR(content);
	csv->delimiter = *VARDATA_ANY(delimiter);
	csv->line = 1;
	/* the mark that some programs put before UTF-8 */
	if (csv->end - csv->at >= 3 && memcmp(csv->at, "\xEF\xBB\xBF", 3) == 0)
		csv->at += 3;
	initStringInfo(&csv->field);
	InitMaterializedSRF(fcinfo, 0);
	row_context =
		AllocSetContextCreate(CurrentMemoryContext, "line of CSV", ALLOCSET_DEFAULT_SIZES);

	while (csv->at < csv->end)
	{
		MemoryContext old_context = MemoryContextSwitchTo(row_context);
		int line = csv->line;
		int bounds[1] = {1};
		Datum values[2];
		bool nulls[2] = {false, false};

		CHECK_FOR_INTERRUPTS();
		read_line(csv);
		skip_line_end(csv);
		/* an empty line is none */
		if (csv->count > 1 || !csv->nulls[0])
		{
			values[0] = Int32GetDatum(line);
			values[1] = PointerGetDatum(construct_md_array(
				csv->fields, csv->nulls, 1, &csv->count, bounds, TEXTOID, -1, false, TYPALIGN_INT));
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(row_context);
	}
	return (Datum) 0;
}
