-- Dates of points on the clock of their program. The C code is src/points/moment.c.

CREATE FUNCTION o2o.points_expires_at(occurred_at timestamptz, expires_after interval, expires_round text, time_zone text,
	latest timestamptz DEFAULT NULL) RETURNS timestamptz
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_expires_at';
COMMENT ON FUNCTION o2o.points_expires_at(timestamptz, interval, text, text, timestamptz) IS 'When points earned at occurred_at expire, the first moment at which they are gone: occurred_at + expires_after on the clock of the time zone (31 January + 1 month is the last of February), then the end of the day, week (Monday to Sunday), month, quarter or year that this falls in, or exactly that (none). infinity where expires_after is NULL. No later than latest, where that is given: a fixed date.';

CREATE FUNCTION o2o.points_grant_month(occurred_at timestamptz, time_zone text) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_grant_month';
COMMENT ON FUNCTION o2o.points_grant_month(timestamptz, text) IS 'First day of the month, on the clock of the time zone, in which points were granted.';
