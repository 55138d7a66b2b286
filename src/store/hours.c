/*
 * hours.c
 *		Whether a place is open at a moment: its weekly hours, its exceptional
 *		days, read by their index, and its clock. What the hours mean is said at
 *		location_intervals(), in SQL, which is asked where the tables can be read
 *		by the executor alone.
 *
 * Local times are compared as they stand where the clock is not changed in the days
 * around. Else the server turns each into a moment, as timezone() does.
 */
#include "o2o.h"
#include "store/store.h"

#include "access/stratnum.h"
#include "access/tableam.h"
#include "base/week.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(o2o_location_open);

/* An interval of yesterday may end tomorrow, and zones are a day apart at most. */
#define STEADY_DAYS 4

void
o2o_store_hours_init(O2oStoreHours *hours, TimestampTz at, Snapshot snapshot)
{
	memset(hours, 0, sizeof(O2oStoreHours));
	hours->at = at;
	hours->snapshot = snapshot;
	hours->context = CurrentMemoryContext;
}

void
o2o_store_hours_open(O2oStoreHours *hours, const O2oStoreTables *tables)
{
	o2o_store_reader_open(&hours->exceptions, tables, O2O_STORE_EXCEPTION);
}

void
o2o_store_hours_close(O2oStoreHours *hours)
{
	o2o_store_reader_close(&hours->exceptions);
}

/* Whether the clock of a zone runs on evenly around a moment. Names with a slash are never abbreviations. */
static bool
is_steady(const text *zone, TimestampTz at)
{
	char name[TZ_STRLEN_MAX + 1];
	pg_tz *tz;
	pg_time_t from;
	pg_time_t change;
	long before, after;
	int before_dst, after_dst;
	int changes;

	if (VARSIZE_ANY_EXHDR(zone) > TZ_STRLEN_MAX)
		return false;
	text_to_cstring_buffer(zone, name, sizeof(name));
	if (strchr(name, '/') == NULL || (tz = pg_tzset(name)) == NULL)
		return false;
	from = timestamptz_to_time_t(at) - STEADY_DAYS * SECS_PER_DAY;
	changes = pg_next_dst_boundary(&from, &before, &before_dst, &change, &after, &after_dst, tz);
	return changes == 0 ||
		   (changes == 1 && change > timestamptz_to_time_t(at) + STEADY_DAYS * SECS_PER_DAY);
}

/* The moment by the clock of a time zone. */
const O2oStoreLocal *
o2o_store_local(O2oStoreHours *hours, Datum zone)
{
	text *name = DatumGetTextPP(zone);
	O2oStoreLocal *local;
	MemoryContext old;

	for (int i = 0; i < hours->zones; i++)
	{
		local = &hours->locals[i];
		if (VARSIZE_ANY_EXHDR(local->zone) == VARSIZE_ANY_EXHDR(name) &&
			memcmp(VARDATA_ANY(local->zone), VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) == 0)
			return local;
	}
	if (hours->zones < O2O_STORE_ZONES)
		local = &hours->locals[hours->zones++];
	else
	{
		local = &hours->locals[hours->next_zone];
		hours->next_zone = (hours->next_zone + 1) % O2O_STORE_ZONES;
		pfree(local->zone);
	}
	old = MemoryContextSwitchTo(hours->context);
	local->zone = cstring_to_text_with_len(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	MemoryContextSwitchTo(old);
	local->time = DatumGetTimestamp(DirectFunctionCall2(
		timestamptz_zone, PointerGetDatum(local->zone), TimestampTzGetDatum(hours->at)));
	local->day =
		DatumGetDateADT(DirectFunctionCall1(timestamp_date, TimestampGetDatum(local->time)));
	if (!TIMESTAMP_NOT_FINITE(local->time))
	{
		local->weekday = (j2day(local->day + POSTGRES_EPOCH_JDATE) + 6) % 7;
		local->steady = is_steady(local->zone, hours->at);
	}
	return local;
}

/* Whether the moment is not before a local time. */
static bool
has_come(const O2oStoreHours *hours, const O2oStoreLocal *local, Timestamp time)
{
	if (local->steady)
		return local->time >= time;
	return hours->at >= DatumGetTimestampTz(DirectFunctionCall2(
							timestamp_zone, PointerGetDatum(local->zone), TimestampGetDatum(time)));
}

/* Whether the moment lies between two local times. */
static bool
is_within(const O2oStoreHours *hours, const O2oStoreLocal *local, Timestamp opens, Timestamp closes)
{
	return has_come(hours, local, opens) && !has_come(hours, local, closes);
}

/*
 * The exceptional days of a place: whether the moment lies in their hours, and which
 * of yesterday and today they replace.
 */
static bool
is_open_by_exception(O2oStoreHours *hours, int64 place, const O2oStoreLocal *local,
					 bool replaced[2])
{
	O2oStoreReader *reader = &hours->exceptions;
	ScanKeyData keys[3];
	bool open = false;
	/* access methods keep for the scan what they allocate */
	MemoryContext old = MemoryContextSwitchTo(hours->context);

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(place));
	ScanKeyInit(&keys[1], 2, BTGreaterEqualStrategyNumber, F_DATE_GE,
				DateADTGetDatum(local->day - 1));
	ScanKeyInit(&keys[2], 2, BTLessEqualStrategyNumber, F_DATE_LE, DateADTGetDatum(local->day));
	if (reader->scan == NULL)
		reader->scan = o2o_index_beginscan(reader->table, reader->index, hours->snapshot, 3);
	index_rescan(reader->scan, keys, 3, NULL, 0);
	while (index_getnext_slot(reader->scan, ForwardScanDirection, reader->slot))
	{
		bool isnull;
		DateADT day =
			DatumGetDateADT(slot_getattr(reader->slot, reader->column[EXCEPTION_DAY], &isnull));
		Timestamp midnight = day * USECS_PER_DAY;
		TimeADT opens =
			DatumGetTimeADT(slot_getattr(reader->slot, reader->column[EXCEPTION_OPENS], &isnull));
		TimeADT closes;

		replaced[day == local->day] = true;
		if (isnull || open)
			continue;
		closes =
			DatumGetTimeADT(slot_getattr(reader->slot, reader->column[EXCEPTION_CLOSES], &isnull));
		/* closing at or before opening is on the next day */
		open = is_within(hours, local, midnight + opens,
						 midnight + closes + (closes <= opens ? USECS_PER_DAY : 0));
	}
	MemoryContextSwitchTo(old);
	return open;
}

/* Whether a place is open at the moment. */
bool
o2o_store_open(O2oStoreHours *hours, int64 place, Datum week_hours, const O2oStoreLocal *local)
{
	bool replaced[2] = {false, false};
	O2oWeek week;

	if (TIMESTAMP_NOT_FINITE(local->time))
		return false;
	if (is_open_by_exception(hours, place, local, replaced))
		return true;
	if (!o2o_week_read(week_hours, &week))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("no weekly hours, of location " INT64_FORMAT, place),
						errdetail("week_hours_valid() is false for them."),
						errhint("week_hours() makes them of a text such as Mo-Fr 09:00-18:00.")));
	for (int i = 0; i < week.count; i += 2)
	{
		int weekday = week.seconds[i] / O2O_DAY_SECONDS;
		int back = (local->weekday - weekday + 7) % 7;
		Timestamp monday;

		/* hours that began today, or yesterday */
		if (back > 1 || replaced[1 - back])
			continue;
		monday = (local->day - back - weekday) * USECS_PER_DAY;
		if (is_within(hours, local, monday + week.seconds[i] * USECS_PER_SEC,
					  monday + week.seconds[i + 1] * USECS_PER_SEC))
			return true;
	}
	return false;
}

/* The same by the executor. */
static bool
is_open_by_sql(int64 place, Datum zone, TimestampTz at)
{
	Oid types[3] = {INT8OID, TEXTOID, TIMESTAMPTZOID};
	Datum values[3] = {Int64GetDatum(place), zone, TimestampTzGetDatum(at)};
	static SPIPlanPtr plan = NULL;
	bool open;

	SPI_connect();
	if (plan == NULL)
	{
		plan = SPI_prepare(
			"SELECT 1 FROM o2o.location_intervals($1, $2, "
			"pg_catalog.timezone($2, $3)::pg_catalog.date OPERATOR(pg_catalog.-) 1, 2) i "
			"WHERE $3 OPERATOR(pg_catalog.>=) i.opens_at "
			"AND $3 OPERATOR(pg_catalog.<) i.closes_at",
			3, types);
		if (plan == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
	}
	if (SPI_execute_plan(plan, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(SPI_result));
	open = SPI_processed > 0;
	SPI_finish();
	return open;
}

/* location_open(location_id, week_hours, time_zone, at) */
Datum
o2o_location_open(PG_FUNCTION_ARGS)
{
	int64 place = PG_GETARG_INT64(0);
	Datum zone = PG_GETARG_DATUM(2);
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(3);
	const O2oStoreTables *tables = o2o_store_tables();
	O2oStoreHours hours;
	bool open;

	if (tables == NULL)
		PG_RETURN_BOOL(is_open_by_sql(place, zone, at));
	o2o_store_hours_init(&hours, at, GetActiveSnapshot());
	o2o_store_hours_open(&hours, tables);
	open = o2o_store_open(&hours, place, PG_GETARG_DATUM(1), o2o_store_local(&hours, zone));
	o2o_store_hours_close(&hours);
	PG_RETURN_BOOL(open);
}
