/*
 * resolve.c
 *		identity_resolve(): the real-time protocol of identify(). Its rules live in
 *		resolve_rules.c, what it writes in resolve_judge.c, its statements in model.c,
 *		merging and marking shared in the model.
 *
 * 1 admit the identifiers; 2 claim new ones in one order; 3 read again what they
 * mean, and the customers; 4 lock these, ascending; 5 look whether all is as it
 * was, else free the locks by leaving the subtransaction, and go back to 2;
 * 6 ask the rules; 7 write. Known and seen lately: done after 3, no lock, no write.
 */
#include "identity/identity.h"

#include "identity/resolve.h"

#include "access/htup_details.h"
#include "base/subtransaction.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(o2o_identity_resolve);
PG_FUNCTION_INFO_V1(o2o_identity_observe);

static TimestampTz
day_before(TimestampTz at)
{
	Interval day = {.day = 1};

	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, TimestampTzGetDatum(at),
												   IntervalPGetDatum(&day)));
}

/* Identifiers as an argument, in their own order, which is that of every claim. */
static Datum
identifiers_argument(const O2OShown *shown, int count, bool only_missing, int *given)
{
	Datum *elements = palloc(count * sizeof(Datum));
	int n = 0;

	for (int i = 0; i < count; i++)
	{
		int at = n;

		if (only_missing && shown[i].is_there)
			continue;
		for (; at > 0 && o2o_identifier_compare(
							 shown[i].id, (struct varlena *) DatumGetPointer(elements[at - 1])) < 0;
			 at--)
			elements[at] = elements[at - 1];
		elements[at] = PointerGetDatum(shown[i].id);
		n++;
	}
	*given = n;
	return PointerGetDatum(
		construct_array(elements, n, o2o_model_identifier_type(), -1, false, TYPALIGN_INT));
}

/* What stands in profile_identifier now. */
static void
read_identifiers(O2OShown *shown, int count)
{
	O2OModelCall call = {0};
	int given;
	int found;

	o2o_model_arg(&call, identifiers_argument(shown, count, false, &given), false);
	found = (int) o2o_model_run(O2O_SELECT_IDENTIFIERS, &call, false);
	for (int i = 0; i < count; i++)
		shown[i].is_there = false;
	for (int row = 0; row < found; row++)
	{
		bool is_null;
		struct varlena *id = PG_DETOAST_DATUM_PACKED(o2o_model_value(row, 1, &is_null));
		int i = 0;

		while (i < count && o2o_identifier_compare(id, shown[i].id) != 0)
			i++;
		if (i == count)
			elog(ERROR, "an identifier was found that was not asked for");
		shown[i].is_there = true;
		shown[i].row_profile_id = o2o_model_int64(row, 2);
		shown[i].is_shared = DatumGetBool(o2o_model_value(row, 3, &is_null));
		shown[i].first_seen_at = DatumGetTimestampTz(o2o_model_value(row, 4, &is_null));
		shown[i].last_seen_at = DatumGetTimestampTz(o2o_model_value(row, 5, &is_null));
	}
}

/*
 * An identifier that was not seen for a day or longer: its last_seen_at moves, or,
 * unseen for as long as its kind's time to live, it is recycled: it means a new
 * profile from now on.
 */
static void
claim_stale(const O2OShown *shown, TimestampTz seen_at)
{
	O2OModelCall call = {0};
	TimestampTz ends = DT_NOEND;

	if (shown->kind->time_to_live != NULL)
		ends = DatumGetTimestampTz(
			DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(shown->last_seen_at),
								IntervalPGetDatum(shown->kind->time_to_live)));
	o2o_model_arg(&call, PointerGetDatum(shown->id), false);
	o2o_model_arg(&call, TimestampTzGetDatum(seen_at), false);
	if (shown->kind->time_to_live == NULL || ends > seen_at)
	{
		(void) o2o_model_run(O2O_TOUCH_IDENTIFIER, &call, false);
		return;
	}
	o2o_model_arg(&call, Int64GetDatum(o2o_next_profile()), false);
	o2o_model_arg(&call, Int64GetDatum(shown->row_profile_id), false);
	o2o_model_arg(&call, TimestampTzGetDatum(shown->last_seen_at), false);
	o2o_model_arg(&call, TimestampTzGetDatum(shown->first_seen_at), false);
	o2o_model_arg(&call, TimestampTzGetDatum(ends), false);
	(void) o2o_model_run(O2O_RECYCLE_IDENTIFIER, &call, false);
}

/* Ascending by identifier. */
static int
compare_ids(const void *x, const void *y)
{
	return o2o_identifier_compare((*(O2OShown *const *) x)->id, (*(O2OShown *const *) y)->id);
}

/*
 * Registers new identifiers first: the unique index makes writers of the same one
 * wait for each other. Then those not seen for a day, in the same order. Before
 * and after, the identifiers are as they were read last.
 */
static void
claim(O2OShown *shown, int count, const O2OEvent *event)
{
	O2OModelCall call = {0};
	TimestampTz lately = day_before(event->seen_at);
	O2OShown **stale;
	int stale_count = 0;
	int missing;

	o2o_model_arg(&call, identifiers_argument(shown, count, true, &missing), false);
	o2o_model_arg(&call, TimestampTzGetDatum(event->seen_at), false);
	if (missing > 0)
	{
		(void) o2o_model_run(O2O_INSERT_IDENTIFIERS, &call, false);
		read_identifiers(shown, count);
	}
	stale = palloc(count * sizeof(O2OShown *));
	for (int i = 0; i < count; i++)
		if (shown[i].is_there && shown[i].last_seen_at < lately)
			stale[stale_count++] = &shown[i];
	if (stale_count == 0)
		return;
	qsort(stale, stale_count, sizeof(O2OShown *), compare_ids);
	for (int i = 0; i < stale_count; i++)
		claim_stale(stale[i], event->seen_at);
	read_identifiers(shown, count);
}

/*
 * The profile that an identifier meant when the event happened: one that arrives
 * late belongs to who had a recycled number then.
 */
static int64
profile_then(const O2OShown *shown, TimestampTz seen_at)
{
	int64 profile_id = shown->row_profile_id;
	TimestampTz since = shown->first_seen_at;

	while (seen_at < since)
	{
		O2OModelCall call = {0};
		bool is_null;

		CHECK_FOR_INTERRUPTS();
		o2o_model_arg(&call, Int64GetDatum(profile_id), false);
		if (o2o_model_run(O2O_SELECT_PERIOD, &call, false) == 0 ||
			DatumGetTimestampTz(o2o_model_value(0, 3, &is_null)) <= seen_at)
			break;
		profile_id = o2o_model_int64(0, 1);
		since = DatumGetTimestampTz(o2o_model_value(0, 2, &is_null));
	}
	return profile_id;
}

/* Those not shared, with the profiles that they meant. */
static O2OPeople
find_people(const O2OShown *shown, int count, TimestampTz seen_at)
{
	O2OPeople people = {palloc(count * sizeof(O2OShown)), 0};

	for (int i = 0; i < count; i++)
	{
		if (!shown[i].is_there || shown[i].is_shared)
			continue;
		people.shown[people.count] = shown[i];
		people.shown[people.count].profile_id = profile_then(&shown[i], seen_at);
		people.shown[people.count].customer_id = 0;
		people.count++;
	}
	return people;
}

/* The customers of now of the first so many of them. */
static void
read_customers(O2OPeople *people, int count)
{
	O2OModelCall call = {0};
	int64 *ids = palloc(count * sizeof(int64));
	int found;

	for (int i = 0; i < count; i++)
		ids[i] = people->shown[i].profile_id;
	o2o_model_arg(&call, PointerGetDatum(o2o_model_ids(ids, o2o_ids_sort(ids, count))), false);
	found = (int) o2o_model_run(O2O_SELECT_PROFILES, &call, false);
	for (int row = 0; row < found; row++)
	{
		int64 profile_id = o2o_model_int64(row, 1);

		for (int i = 0; i < count; i++)
			if (people->shown[i].profile_id == profile_id)
				people->shown[i].customer_id = o2o_model_int64(row, 2);
	}
}

/* Is it on record, and in force, that they were seen together lately? One alone always is. */
static bool
is_on_record(const O2OPeople *people, const O2OEvent *event)
{
	O2OModelCall call = {0};
	int count;
	int64 *seen = o2o_sorted_profiles(people, NULL, &count);
	bool is_null;

	if (count == 1)
		return true;
	o2o_model_arg(&call, Int64GetDatum(seen[0]), false);
	o2o_model_arg(&call, PointerGetDatum(o2o_model_ids(seen, count)), false);
	o2o_model_arg(&call, CStringGetTextDatum("event"), false);
	o2o_model_arg(&call, event->source, event->is_source_null);
	o2o_model_arg(&call, CStringGetTextDatum("link"), false);
	return o2o_model_run(O2O_SELECT_LINK, &call, false) > 0 &&
		   DatumGetTimestampTz(o2o_model_value(0, 1, &is_null)) >= day_before(event->occurred_at);
}

/* Reads their customers. Are all one, and is that on record? */
static bool
is_known(O2OPeople *people, const O2OEvent *event, bool is_calm)
{
	/* A link in force makes them one customer, so that of the first says it all. */
	if (is_calm && is_on_record(people, event))
	{
		read_customers(people, 1);
		if (people->shown[0].customer_id != 0)
			return true;
	}
	read_customers(people, people->count);
	for (int i = 0; i < people->count; i++)
		if (people->shown[i].customer_id == 0 ||
			people->shown[i].customer_id != people->shown[0].customer_id)
			return false;
	return !is_calm && is_on_record(people, event);
}

/* Locks the customers, and looks whether all is as it was before. */
static bool
lock_people(const O2OPeople *people, O2OShown *shown, int count, TimestampTz seen_at)
{
	int64 *roots = palloc(people->count * sizeof(int64));
	int n = 0;
	O2OPeople now;

	for (int i = 0; i < people->count; i++)
		if (people->shown[i].customer_id != 0)
			roots[n++] = people->shown[i].customer_id;
	if (!o2o_customers_lock(roots, n))
		return false;
	read_identifiers(shown, count);
	now = find_people(shown, count, seen_at);
	if (now.count != people->count)
		return false;
	read_customers(&now, now.count);
	for (int i = 0; i < now.count; i++)
		if (now.shown[i].profile_id != people->shown[i].profile_id ||
			now.shown[i].customer_id != people->shown[i].customer_id)
			return false;
	return true;
}

/* Steps 2 to 7. */
static O2OResolved
resolve(O2OShown *shown, const O2OAdmission *admission, const O2OEvent *event)
{
	int count = admission->count;
	const O2OKinds *kinds = &admission->kinds;

	for (;;)
	{
		TimestampTz lately = day_before(event->seen_at);
		bool is_calm = true; /* nothing to claim: all known, and seen lately */
		bool has_roots = false;
		volatile bool is_locked = false;
		O2OResolved resolved = {0};
		O2OSubtransaction outer;
		O2OPeople people;

		CHECK_FOR_INTERRUPTS();
		if (count > 0)
			read_identifiers(shown, count);
		for (int i = 0; i < count; i++)
			is_calm = is_calm && shown[i].is_there && shown[i].last_seen_at >= lately;
		if (!is_calm)
			claim(shown, count, event);
		people = find_people(shown, count, event->seen_at);
		if (people.count == 0)
		{
			int64 nobody = o2o_next_profile();

			return (O2OResolved){nobody, nobody, "anonymous"};
		}
		if (is_known(&people, event, is_calm))
			return (O2OResolved){people.shown[0].profile_id, people.shown[0].customer_id, "known"};

		for (int i = 0; i < people.count; i++)
			has_roots = has_roots || people.shown[i].customer_id != 0;
		if (!has_roots)
			return o2o_judge_and_write(&people, kinds, event);

		/* leaving it by a rollback is what frees the locks */
		o2o_subtransaction_begin(&outer);
		PG_TRY();
		{
			is_locked = lock_people(&people, shown, count, event->seen_at);
			if (is_locked)
				resolved = o2o_judge_and_write(&people, kinds, event);
		}
		PG_CATCH();
		{
			o2o_subtransaction_rethrow(&outer);
		}
		PG_END_TRY();
		o2o_subtransaction_end(&outer, is_locked);
		SPI_tuptable = NULL;
		if (is_locked)
			return resolved;
	}
}

/* The type of the result, made once in a session. */
static TupleDesc
resolved_type(void)
{
	static TupleDesc type = NULL;

	if (type == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
		TupleDesc made = CreateTemplateTupleDesc(3);

		TupleDescInitEntry(made, 1, "profile_id", INT8OID, -1, 0);
		TupleDescInitEntry(made, 2, "customer_id", INT8OID, -1, 0);
		TupleDescInitEntry(made, 3, "outcome", TEXTOID, -1, 0);
		type = BlessTupleDesc(made);
		MemoryContextSwitchTo(caller);
	}
	return type;
}

/* The time of an event, which must be finite. */
static TimestampTz
event_time(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(n)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the time of an event must be finite"),
						errdetail("occurred_at is %s.",
								  PG_ARGISNULL(n) ? "NULL"
												  : timestamptz_to_str(PG_GETARG_TIMESTAMPTZ(n)))));
	return PG_GETARG_TIMESTAMPTZ(n);
}

/* What the arguments say beside the identifiers, which come before them. */
static O2OEvent
event_argument(FunctionCallInfo fcinfo)
{
	O2OEvent event = {0};

	event.occurred_at = event_time(fcinfo, 3);
	event.moment = GetCurrentTransactionStartTimestamp();
	event.seen_at = Min(event.occurred_at, event.moment);
	event.is_source_null = PG_ARGISNULL(1);
	event.source = event.is_source_null ? (Datum) 0 : PG_GETARG_DATUM(1);
	event.is_event_id_null = PG_ARGISNULL(2);
	event.event_id = event.is_event_id_null ? (Datum) 0 : PG_GETARG_DATUM(2);
	return event;
}

static Datum
resolved_datum(const O2OResolved *resolved)
{
	Datum values[3] = {Int64GetDatum(resolved->profile_id), Int64GetDatum(resolved->customer_id),
					   CStringGetTextDatum(resolved->outcome)};
	bool nulls[3] = {false, false, false};

	return HeapTupleGetDatum(heap_form_tuple(resolved_type(), values, nulls));
}

/* identity_resolve(identifiers identifier[], source text, event_id text, occurred_at timestamptz) */
Datum
o2o_identity_resolve(PG_FUNCTION_ARGS)
{
	O2OEvent event = event_argument(fcinfo);
	O2OShown *shown = NULL;
	O2OAdmission admission = {0};
	O2OResolved resolved;

	if (PG_ARGISNULL(0))
		o2o_model_connect(InvalidOid);
	else
	{
		ArrayType *identifiers = PG_GETARG_ARRAYTYPE_P(0);

		o2o_model_connect(ARR_ELEMTYPE(identifiers));
		shown = o2o_identifiers_admit(identifiers, NULL, &admission);
	}
	resolved = resolve(shown, &admission, &event);
	SPI_finish();
	PG_RETURN_DATUM(resolved_datum(&resolved));
}

/* The default country of the event's source. */
static text *
country_of_source(void *argument)
{
	const O2OEvent *event = argument;
	O2OModelCall call = {0};
	Datum country;
	bool is_null;

	o2o_model_arg(&call, event->source, event->is_source_null);
	if (o2o_model_run(O2O_SELECT_COUNTRY, &call, false) == 0)
		o2o_source_error(event->source, event->is_source_null);
	country = o2o_model_value(0, 1, &is_null);
	return is_null ? NULL : DatumGetTextPCopy(country);
}

/* identity_observe(identifiers jsonb, source text, event_id text, occurred_at timestamptz) */
Datum
o2o_identity_observe(PG_FUNCTION_ARGS)
{
	O2OEvent event = event_argument(fcinfo);
	Oid type = o2o_identifier_type();
	ArrayType *identifiers;
	O2OShown *shown;
	O2OAdmission admission;
	O2OResolved resolved;

	o2o_model_connect(type);
	if (PG_ARGISNULL(0))
		identifiers = construct_empty_array(type);
	else
		identifiers =
			o2o_identifiers_of_event(PG_GETARG_JSONB_P(0), type, country_of_source, &event);
	shown = o2o_identifiers_admit(identifiers, &event, &admission);
	resolved = resolve(shown, &admission, &event);
	SPI_finish();
	PG_RETURN_DATUM(resolved_datum(&resolved));
}
