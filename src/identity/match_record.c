/*
 * match_record.c
 *		Records for matching, read from a query or from JSON. Ascending by id, so
 *		that nothing after this depends on the order of the query. What becomes of
 *		a value lives in match_value.c.
 */
#include "identity/match.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define FETCH 1000
#define CACHE_SLOTS 16384 /* of a measure: 256 kB */

typedef struct Reader
{
	O2OMatchTable *table;
	O2OMatchDictionary columns[O2O_MATCH_COLUMNS];
	int32 capacity; /* records */
} Reader;

/* Refuses to grow beyond maintenance_work_mem. */
void
o2o_match_need_memory(MemoryContext context, Size more, const char *what)
{
	Size bytes = MemoryContextMemAllocated(context, true) + more;

	if (bytes > (Size) maintenance_work_mem * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("matching needs more memory than maintenance_work_mem"),
				 errdetail("%s need %zu kB in all; the setting is %d kB.", what, bytes / 1024,
						   maintenance_work_mem),
				 errhint("Raise maintenance_work_mem for this session, lower the caps of the "
						 "blocking rules, or match fewer records at a time.")));
}

/* Room for one more record; its cells are NULL. */
static int32 *
new_record(Reader *reader, int64 id)
{
	O2OMatchTable *table = reader->table;
	int columns = table->model->column_count;
	int32 *cells;

	if (table->count == reader->capacity)
	{
		int32 capacity = reader->capacity == 0 ? 64 : reader->capacity * 2;
		Size bytes = (Size) capacity * (sizeof(int64) + columns * sizeof(int32));

		if (capacity > PG_INT32_MAX / 4)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many records")));
		o2o_match_need_memory(table->context, bytes, "Records");
		if (table->ids == NULL)
		{
			table->ids = MemoryContextAllocExtended(table->context, capacity * sizeof(int64),
													MCXT_ALLOC_HUGE);
			table->cells = MemoryContextAllocExtended(
				table->context, (Size) capacity * columns * sizeof(int32), MCXT_ALLOC_HUGE);
		}
		else
		{
			table->ids = repalloc_huge(table->ids, capacity * sizeof(int64));
			table->cells = repalloc_huge(table->cells, (Size) capacity * columns * sizeof(int32));
		}
		reader->capacity = capacity;
	}
	table->ids[table->count] = id;
	cells = table->cells + (Size) table->count * columns;
	memset(cells, 0xFF, columns * sizeof(int32));
	table->count++;
	return cells;
}

static void
set_cell(Reader *reader, int32 *cells, int column, const char *text)
{
	int len = (int) strlen(text);
	char *clean = o2o_match_clean(text, &len);

	if (len > 0)
		cells[column] =
			o2o_match_value_number(reader->table, &reader->columns[column], column, clean, len);
}

static void
new_table(Reader *reader, O2OMatchModel *model)
{
	memset(reader, 0, sizeof(Reader));
	reader->table = palloc0(sizeof(O2OMatchTable));
	reader->table->model = model;
	reader->table->context =
		AllocSetContextCreate(CurrentMemoryContext, "match records", ALLOCSET_DEFAULT_SIZES);
}

/* The frequencies that the model gives for values of a column. */
static void
set_term_frequencies(O2OMatchTable *table)
{
	for (int c = 0; c < table->model->comparison_count; c++)
	{
		O2OMatchComparison *comparison = &table->model->comparisons[c];
		int column = comparison->term_column;

		if (column < 0 || comparison->terms == NULL)
			continue;
		for (int32 v = 0; v < table->value_counts[column]; v++)
		{
			O2OMatchValue *value = &table->values[column][v];
			JsonbValue *found =
				getKeyJsonValueFromContainer(comparison->terms, value->text, value->len, NULL);

			if (found != NULL && found->type == jbvNumeric)
				value->term_frequency = DatumGetFloat8(
					DirectFunctionCall1(numeric_float8, NumericGetDatum(found->val.numeric)));
			if (found != NULL)
				pfree(found);
		}
	}
}

/* Measures that are worth it get a cache, for pairs of values come again and again. */
static void
make_caches(O2OMatchTable *table)
{
	for (int m = 0; m < table->model->measure_count; m++)
	{
		O2OMatchMeasure *measure = &table->model->measures[m];
		Size slots = 1024;

		if (measure->by == O2O_BY_EQUAL)
			continue;
		while (slots < CACHE_SLOTS && slots < (Size) table->count * 16)
			slots *= 2;
		measure->cache = MemoryContextAllocZero(table->context, slots * sizeof(O2OMatchCacheEntry));
		measure->cache_mask = (uint32) (slots - 1);
	}
}

typedef struct Place
{
	int64 id;
	int32 record;
} Place;

#define ST_SORT sort_places
#define ST_ELEMENT_TYPE Place
#define ST_COMPARE(x, y) ((x)->id < (y)->id ? -1 : (x)->id > (y)->id)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Ascending by id; an id that comes twice is refused. */
static void
sort_records(O2OMatchTable *table)
{
	int columns = table->model->column_count;
	Size bytes = (Size) table->count * columns * sizeof(int32);
	Place *places;
	int32 *cells;

	o2o_match_need_memory(table->context, bytes + table->count * sizeof(Place), "Records");
	places = palloc_extended(sizeof(Place) * Max(table->count, 1), MCXT_ALLOC_HUGE);
	cells = MemoryContextAllocExtended(table->context, Max(bytes, 1), MCXT_ALLOC_HUGE);
	for (int32 i = 0; i < table->count; i++)
	{
		places[i].id = table->ids[i];
		places[i].record = i;
	}
	sort_places(places, table->count);
	for (int32 i = 0; i < table->count; i++)
	{
		if (i > 0 && places[i].id == places[i - 1].id)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a record comes twice"),
					 errdetail("Id " INT64_FORMAT ".", places[i].id)));
		table->ids[i] = places[i].id;
		memcpy(cells + (Size) i * columns, table->cells + (Size) places[i].record * columns,
			   columns * sizeof(int32));
	}
	if (table->cells != NULL)
		pfree(table->cells);
	table->cells = cells;
	pfree(places);
}

/* A scalar of JSON as text; NULL where there is none. */
static const char *
json_text(Jsonb *record, const char *name)
{
	JsonbValue *value;

	if (!JB_ROOT_IS_OBJECT(record))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a record must be an object from column to value")));
	value = getKeyJsonValueFromContainer(&record->root, name, strlen(name), NULL);
	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type == jbvString)
		return pnstrdup(value->val.string.val, value->val.string.len);
	if (value->type == jbvNumeric)
		return DatumGetCString(
			DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	if (value->type == jbvBool)
		return value->val.boolean ? "true" : "false";
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("value \"%s\" of a record is an array or an object", name)));
	return NULL;
}

static void
read_json(Reader *reader, int64 id, Jsonb *record)
{
	int32 *cells = new_record(reader, id);

	for (int c = 0; c < reader->table->model->column_count; c++)
	{
		const char *text = json_text(record, reader->table->model->columns[c]);

		if (text != NULL)
			set_cell(reader, cells, c, text);
	}
}

/* How the columns of the query are read. */
typedef struct Source
{
	int id;
	Oid id_type;
	int attributes[O2O_MATCH_COLUMNS]; /* of each column of the model */
	bool date[O2O_MATCH_COLUMNS];
	FmgrInfo output[O2O_MATCH_COLUMNS];
} Source;

static void
read_source(Source *source, TupleDesc desc, const O2OMatchModel *model)
{
	source->id = SPI_fnumber(desc, "id");
	source->id_type = source->id > 0 ? SPI_gettypeid(desc, source->id) : InvalidOid;
	if (source->id_type != INT8OID && source->id_type != INT4OID && source->id_type != INT2OID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the records' query needs a column \"id\" of type bigint"),
				 errhint("For records without a number: row_number() OVER (ORDER BY …) AS id.")));
	for (int c = 0; c < model->column_count; c++)
	{
		Oid function;
		bool is_varlena;

		source->attributes[c] = SPI_fnumber(desc, model->columns[c]);
		if (source->attributes[c] <= 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("the records' query has no column \"%s\"", model->columns[c]),
							errhint("The model compares it.")));
		source->date[c] = SPI_gettypeid(desc, source->attributes[c]) == DATEOID;
		getTypeOutputInfo(SPI_gettypeid(desc, source->attributes[c]), &function, &is_varlena);
		fmgr_info(function, &source->output[c]);
	}
}

/* YYYY-MM-DD whatever DateStyle is; an infinite date says nothing. */
static const char *
date_text(DateADT date)
{
	int year;
	int month;
	int day;

	if (DATE_NOT_FINITE(date))
		return "";
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	return psprintf("%04d-%02d-%02d", year, month, day);
}

static void
read_row(Reader *reader, Source *source, HeapTuple tuple, TupleDesc desc)
{
	bool is_null;
	Datum id = SPI_getbinval(tuple, desc, source->id, &is_null);
	int32 *cells;

	if (is_null)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a record has no id")));
	cells = new_record(reader, source->id_type == INT8OID   ? DatumGetInt64(id)
							   : source->id_type == INT4OID ? (int64) DatumGetInt32(id)
															: (int64) DatumGetInt16(id));
	for (int c = 0; c < reader->table->model->column_count; c++)
	{
		Datum value = SPI_getbinval(tuple, desc, source->attributes[c], &is_null);

		if (is_null)
			continue;
		set_cell(reader, cells, c,
				 source->date[c] ? date_text(DatumGetDateADT(value))
								 : OutputFunctionCall(&source->output[c], value));
	}
}

/*
 * Runs the caller's query, which only reads, with the caller's rights; $1 are the
 * keys, if there are any. A first record may be given as JSON, below all others.
 * The answer lives in the memory context of the caller.
 */
O2OMatchTable *
o2o_match_table_read(const char *query, O2OMatchModel *model, Jsonb *first, ArrayType *keys)
{
	Oid key_type = INT8ARRAYOID;
	Datum key_array = PointerGetDatum(keys);
	Reader reader;
	Source source;
	SPIPlanPtr plan;
	Portal portal;
	MemoryContext row_context;

	new_table(&reader, model);
	if (first != NULL)
		read_json(&reader, PG_INT64_MIN, first);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = SPI_prepare_cursor(query, keys == NULL ? 0 : 1, &key_type, 0);
	if (plan == NULL || !SPI_is_cursor_plan(plan))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the records must be given by one query that returns rows")));
	portal = SPI_cursor_open(NULL, plan, &key_array, NULL, true);
	read_source(&source, portal->tupDesc, model);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "match row", ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH);
		if (SPI_processed == 0)
			break;
		CHECK_FOR_INTERRUPTS();
		o2o_match_need_memory(reader.table->context, 0, "Records");
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			MemoryContext before = MemoryContextSwitchTo(row_context);

			read_row(&reader, &source, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
			MemoryContextSwitchTo(before);
			MemoryContextReset(row_context);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_finish();
	sort_records(reader.table);
	set_term_frequencies(reader.table);
	make_caches(reader.table);
	return reader.table;
}

/*
 * A table of records given as JSON, in their order, with ids from 1: the two of a
 * pair, or one whose blocking keys are asked for.
 */
O2OMatchTable *
o2o_match_table_of_json(O2OMatchModel *model, int count, Jsonb **records)
{
	Reader reader;

	new_table(&reader, model);
	for (int i = 0; i < count; i++)
		read_json(&reader, i + 1, records[i]);
	set_term_frequencies(reader.table);
	return reader.table;
}
