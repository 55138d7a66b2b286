/*
 * resolve_write.c
 *		What identify() shares with merges, imports and reviews: a source's country,
 *		the locks of customers, pieces of evidence. The protocol lives in resolve.c.
 */
#include "identity/identity.h"

#include "identity/resolve.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(o2o_source_country);
PG_FUNCTION_INFO_V1(o2o_customer_lock_roots);
PG_FUNCTION_INFO_V1(o2o_evidence_record);

/* Says that a source is not registered. */
void
o2o_source_error(Datum source, bool is_null)
{
	ereport(ERROR, (errcode(ERRCODE_O2O_SOURCE_UNKNOWN),
					errmsg("source \"%s\" is not registered",
						   is_null ? "<NULL>" : TextDatumGetCString(source)),
					errhint("Register it: SELECT o2o.source_register(source => …, name => …).")));
	pg_unreachable();
}

/* source_country(source text) */
Datum
o2o_source_country(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	O2OModelCall call = {0};
	text *country = NULL;
	bool is_null = true;
	Datum value = (Datum) 0;
	uint64 found;

	o2o_model_connect(InvalidOid);
	o2o_model_arg(&call, PG_ARGISNULL(0) ? (Datum) 0 : PG_GETARG_DATUM(0), PG_ARGISNULL(0));
	found = o2o_model_run(O2O_SELECT_COUNTRY, &call, true);
	if (found == 0)
		o2o_source_error(PG_GETARG_DATUM(0), PG_ARGISNULL(0));
	value = o2o_model_value(0, 1, &is_null);
	if (!is_null)
	{
		MemoryContextSwitchTo(caller);
		country = DatumGetTextPCopy(value);
	}
	SPI_finish();
	if (country == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(country);
}

/*
 * The one loop that locks customers: distinct ids, ascending, each looked at once
 * it is locked. Who waits for the next one holds none that was absorbed meanwhile:
 * a split may give such an id back at any time. False: one is no customer any more.
 */
bool
o2o_customers_lock_each(int64 *roots, int count, O2OCustomerLocker lock, void *argument)
{
	count = o2o_ids_sort(roots, count);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!lock(argument, roots[i]))
			return false;
	}
	return true;
}

static bool
lock_by_statement(void *argument, int64 customer_id)
{
	O2OModelCall call = {0};

	o2o_model_arg(&call, Int64GetDatum(customer_id), false);
	(void) o2o_model_run(O2O_LOCK_CUSTOMER, &call, false);
	return o2o_model_run(O2O_SELECT_CUSTOMER, &call, false) == 0 ||
		   o2o_model_int64(0, 1) == customer_id;
}

/* The same by statements, whatever the table is. */
bool
o2o_customers_lock(int64 *roots, int count)
{
	return o2o_customers_lock_each(roots, count, lock_by_statement, NULL);
}

static int
compare_ids(const void *x, const void *y)
{
	int64 a = *(const int64 *) x;
	int64 b = *(const int64 *) y;

	return a < b ? -1 : a > b;
}

/* Puts ids in order, each once; returns how many there are. */
int
o2o_ids_sort(int64 *ids, int count)
{
	int distinct = 0;

	qsort(ids, count, sizeof(int64), compare_ids);
	for (int i = 0; i < count; i++)
		if (i == 0 || ids[i] != ids[distinct - 1])
			ids[distinct++] = ids[i];
	return distinct;
}

/* The ids of an array, NULLs passed over. */
static int64 *
ids_of(ArrayType *array, int *count)
{
	Datum *elements;
	bool *nulls;
	int length;
	int64 *ids;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements,
					  &nulls, &length);
	ids = palloc(Max(length, 1) * sizeof(int64));
	*count = 0;
	for (int i = 0; i < length; i++)
		if (!nulls[i])
			ids[(*count)++] = DatumGetInt64(elements[i]);
	return ids;
}

/* customer_lock_roots(roots bigint[]) */
Datum
o2o_customer_lock_roots(PG_FUNCTION_ARGS)
{
	int count;
	int64 *roots = ids_of(PG_GETARG_ARRAYTYPE_P(0), &count);
	bool are_roots;

	o2o_model_connect(InvalidOid);
	are_roots = o2o_customers_lock(roots, count);
	SPI_finish();
	if (!are_roots)
		ereport(ERROR, (errcode(ERRCODE_O2O_CUSTOMERS_CHANGED), errmsg("customers changed")));
	PG_RETURN_VOID();
}

/* Records evidence; NULL for what is not known. */
static int64
record(Datum profile_id, Datum profiles, const Datum *values, const bool *nulls)
{
	O2OModelCall call = {0};

	o2o_model_arg(&call, profile_id, false);
	o2o_model_arg(&call, profiles, false);
	for (int i = 0; i < 6; i++)
		o2o_model_arg(&call, values[i], nulls[i]);
	if (o2o_model_run(O2O_RECORD_EVIDENCE, &call, false) != 1)
		elog(ERROR, "evidence was not recorded");
	return o2o_model_int64(0, 1);
}

/* Evidence of an event for profiles that are in order; returns its number. */
int64
o2o_evidence_of_event(const O2OEvent *event, const int64 *profiles, int count, const char *status,
					  const char *reason)
{
	Datum values[6] = {CStringGetTextDatum(status),
					   CStringGetTextDatum("event"),
					   event->source,
					   reason != NULL ? CStringGetTextDatum(reason) : (Datum) 0,
					   event->event_id,
					   TimestampTzGetDatum(event->occurred_at)};
	bool nulls[6] = {false, false, event->is_source_null, reason == NULL, event->is_event_id_null,
					 false};

	return record(Int64GetDatum(profiles[0]), PointerGetDatum(o2o_model_ids(profiles, count)),
				  values, nulls);
}

/* evidence_record(profiles, status, rule, source, reason, event_id, occurred_at) */
Datum
o2o_evidence_record(PG_FUNCTION_ARGS)
{
	ArrayType *profiles;
	int count;
	int64 *ids;
	Datum values[6];
	bool nulls[6];
	int64 evidence_id;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("evidence needs the profiles it is about")));
	profiles = PG_GETARG_ARRAYTYPE_P(0);
	ids = ids_of(profiles, &count);
	if (count == 0)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("evidence needs the profiles it is about")));
	for (int i = 0; i < 6; i++)
	{
		values[i] = PG_ARGISNULL(i + 1) ? (Datum) 0 : PG_GETARG_DATUM(i + 1);
		nulls[i] = PG_ARGISNULL(i + 1);
	}
	o2o_model_connect(InvalidOid);
	evidence_id = record(Int64GetDatum(ids[0]), PointerGetDatum(profiles), values, nulls);
	SPI_finish();
	PG_RETURN_INT64(evidence_id);
}
