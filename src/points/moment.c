/*
 * moment.c
 *		When points expire and which month they are of, on the clock of the
 *		program: o2o.points_expires_at() and o2o.points_grant_month().
 */
#include "points/moment.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(o2o_points_expires_at);
PG_FUNCTION_INFO_V1(o2o_points_grant_month);

static Datum
local_time(TimestampTz moment, text *time_zone)
{
	return DirectFunctionCall2(timestamptz_zone, PointerGetDatum(time_zone),
							   TimestampTzGetDatum(moment));
}

static TimestampTz
moment_of(Datum local, text *time_zone)
{
	return DatumGetTimestampTz(
		DirectFunctionCall2(timestamp_zone, PointerGetDatum(time_zone), local));
}

/* The first moment at which points earned then are gone: expires_after (NULL: never), at the latest. */
TimestampTz
o2o_points_expiry(TimestampTz occurred_at, const Interval *expires_after, text *expires_round,
				  text *time_zone, TimestampTz latest)
{
	static const struct
	{
		const char *name;
		Interval length;
	} rounds[] = {{"day", {0, 1, 0}},
				  {"week", {0, 7, 0}},
				  {"month", {0, 0, 1}},
				  {"quarter", {0, 0, 3}},
				  {"year", {0, 0, 12}}};
	Datum local;
	char *name;

	if (expires_after == NULL)
		return latest;
	local = DirectFunctionCall2(timestamp_pl_interval, local_time(occurred_at, time_zone),
								IntervalPGetDatum(expires_after));
	name = text_to_cstring(expires_round);
	for (int i = 0; i < lengthof(rounds); i++)
	{
		if (strcmp(rounds[i].name, name) == 0)
		{
			local = DirectFunctionCall2(timestamp_trunc, PointerGetDatum(expires_round), local);
			local = DirectFunctionCall2(timestamp_pl_interval, local,
										IntervalPGetDatum(&rounds[i].length));
		}
	}
	return Min(moment_of(local, time_zone), latest);
}

/* The first day of the month in which points earned then were granted. */
DateADT
o2o_points_month(TimestampTz occurred_at, text *time_zone)
{
	static text *month = NULL;

	if (month == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

		month = cstring_to_text("month");
		MemoryContextSwitchTo(before);
	}
	return DatumGetDateADT(DirectFunctionCall1(
		timestamp_date, DirectFunctionCall2(timestamp_trunc, PointerGetDatum(month),
											local_time(occurred_at, time_zone))));
}

Datum
o2o_points_expires_at(PG_FUNCTION_ARGS)
{
	TimestampTz latest = PG_ARGISNULL(4) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(4);

	if (PG_ARGISNULL(1))
		PG_RETURN_TIMESTAMPTZ(latest);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(o2o_points_expiry(PG_GETARG_TIMESTAMPTZ(0), PG_GETARG_INTERVAL_P(1),
											PG_GETARG_TEXT_PP(2), PG_GETARG_TEXT_PP(3), latest));
}

Datum
o2o_points_grant_month(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(o2o_points_month(PG_GETARG_TIMESTAMPTZ(0), PG_GETARG_TEXT_PP(1)));
}
