/*
 * week.h
 *		Weekly opening hours of a place, as the column location.week_hours has
 *		them: begin and end of each interval in seconds since Monday 00:00, the
 *		begins ascending. An interval is a day long at most, so the last one may
 *		end on the Monday after.
 */
#ifndef O2O_WEEK_H
#define O2O_WEEK_H

#include "postgres.h"

#define O2O_DAY_SECONDS 86400
#define O2O_WEEK_SECONDS (7 * O2O_DAY_SECONDS)

typedef struct O2oWeek
{
	const int32 *seconds; /* begin and end by turns */
	int count;            /* of both */
} O2oWeek;

extern bool o2o_week_read(Datum array, O2oWeek *week);

#endif /* O2O_WEEK_H */
