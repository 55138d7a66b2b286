/*
 * moment.h
 *		Dates of points on the clock of their program.
 */
#ifndef O2O_POINTS_MOMENT_H
#define O2O_POINTS_MOMENT_H

#include "o2o.h"

#include "datatype/timestamp.h"
#include "utils/date.h"

extern TimestampTz o2o_points_expiry(TimestampTz occurred_at, const Interval *expires_after,
									 text *expires_round, text *time_zone, TimestampTz latest);
extern DateADT o2o_points_month(TimestampTz occurred_at, text *time_zone);

#endif /* O2O_POINTS_MOMENT_H */
