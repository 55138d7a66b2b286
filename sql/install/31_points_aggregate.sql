-- Aggregates of points. The state of sum() and points_avg() is a type of its own
-- and not internal, so that a cluster can ship partial results between nodes.
-- The C code is src/points/aggregate.c.

CREATE TYPE o2o.points_sum_state;
COMMENT ON TYPE o2o.points_sum_state IS 'State of sum(points) and points_avg(points), for these aggregates only: how many amounts, and their total with 128 bits. Text count:total, the total in units of 1/10000 point, such as 2:1500000. Error 22P02: text that no amounts give.';

CREATE FUNCTION o2o.points_sum_state_in(cstring) RETURNS o2o.points_sum_state
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_sum_state_in';
COMMENT ON FUNCTION o2o.points_sum_state_in(cstring) IS 'Text to the state of sum(points). Error 22P02: not of the form count:total, or a total that so many amounts cannot have.';

CREATE FUNCTION o2o.points_sum_state_out(o2o.points_sum_state) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_sum_state_out';
COMMENT ON FUNCTION o2o.points_sum_state_out(o2o.points_sum_state) IS 'The state of sum(points) as text count:total, the total in units of 1/10000 point.';

CREATE FUNCTION o2o.points_sum_state_recv(internal) RETURNS o2o.points_sum_state
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_sum_state_recv';
COMMENT ON FUNCTION o2o.points_sum_state_recv(internal) IS 'Binary form to the state of sum(points): count and the two halves of the total, 8 bytes each. Error 22P03: a total that so many amounts cannot have.';

CREATE FUNCTION o2o.points_sum_state_send(o2o.points_sum_state) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_sum_state_send';
COMMENT ON FUNCTION o2o.points_sum_state_send(o2o.points_sum_state) IS 'The state of sum(points) in binary form: count, upper and lower half of the total, 8 bytes each.';

CREATE TYPE o2o.points_sum_state (
	INPUT = o2o.points_sum_state_in,
	OUTPUT = o2o.points_sum_state_out,
	RECEIVE = o2o.points_sum_state_recv,
	SEND = o2o.points_sum_state_send,
	INTERNALLENGTH = 24,
	ALIGNMENT = double,
	STORAGE = plain
);

CREATE FUNCTION o2o.points_sum_state_add(state o2o.points_sum_state, amount o2o.points) RETURNS o2o.points_sum_state
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_sum_state_add';
COMMENT ON FUNCTION o2o.points_sum_state_add(state o2o.points_sum_state, amount o2o.points) IS 'The state with one more amount: transition of sum(points). Error 22003: the count is out of range.';

CREATE FUNCTION o2o.points_sum_state_remove(state o2o.points_sum_state, amount o2o.points) RETURNS o2o.points_sum_state
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_sum_state_remove';
COMMENT ON FUNCTION o2o.points_sum_state_remove(state o2o.points_sum_state, amount o2o.points) IS 'The state with one amount less: inverse transition for moving window frames. Error 22003: the count is out of range.';

CREATE FUNCTION o2o.points_sum_state_merge(state o2o.points_sum_state, other o2o.points_sum_state) RETURNS o2o.points_sum_state
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_sum_state_merge';
COMMENT ON FUNCTION o2o.points_sum_state_merge(state o2o.points_sum_state, other o2o.points_sum_state) IS 'Two states of parts of the rows as one: combine function for parallel and distributed plans. Error 22003: the count is out of range.';

CREATE FUNCTION o2o.points_sum_state_total(state o2o.points_sum_state) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_sum_state_total';
COMMENT ON FUNCTION o2o.points_sum_state_total(state o2o.points_sum_state) IS 'The sum of the amounts in the state, NULL when there are none. Error 22003: out of range, judged here alone.';

CREATE FUNCTION o2o.points_sum_state_numeric(state o2o.points_sum_state) RETURNS numeric
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_sum_state_numeric';
COMMENT ON FUNCTION o2o.points_sum_state_numeric(state o2o.points_sum_state) IS 'The sum of the amounts in the state as numeric, NULL when there are none.';

CREATE FUNCTION o2o.points_sum_state_average(state o2o.points_sum_state) RETURNS numeric
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_sum_state_average';
COMMENT ON FUNCTION o2o.points_sum_state_average(state o2o.points_sum_state) IS 'The average of the amounts in the state, NULL when there are none.';

CREATE AGGREGATE o2o.sum(o2o.points) (
	SFUNC = o2o.points_sum_state_add,
	STYPE = o2o.points_sum_state,
	FINALFUNC = o2o.points_sum_state_total,
	COMBINEFUNC = o2o.points_sum_state_merge,
	INITCOND = '0:0',
	MSFUNC = o2o.points_sum_state_add,
	MINVFUNC = o2o.points_sum_state_remove,
	MSTYPE = o2o.points_sum_state,
	MFINALFUNC = o2o.points_sum_state_total,
	MINITCOND = '0:0',
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE o2o.sum(o2o.points) IS 'The sum of all amounts that are not NULL, as points; NULL when there are none. Exact in any order of the rows: only the final value can be out of range, error 22003.';

CREATE AGGREGATE o2o.points_total(o2o.points) (
	SFUNC = o2o.points_sum_state_add,
	STYPE = o2o.points_sum_state,
	FINALFUNC = o2o.points_sum_state_numeric,
	COMBINEFUNC = o2o.points_sum_state_merge,
	INITCOND = '0:0',
	MSFUNC = o2o.points_sum_state_add,
	MINVFUNC = o2o.points_sum_state_remove,
	MSTYPE = o2o.points_sum_state,
	MFINALFUNC = o2o.points_sum_state_numeric,
	MINITCOND = '0:0',
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE o2o.points_total(o2o.points) IS 'The sum of all amounts that are not NULL, as numeric, for totals that may be more than one amount of points can be; NULL when there are none. Exact.';

CREATE AGGREGATE o2o.points_avg(o2o.points) (
	SFUNC = o2o.points_sum_state_add,
	STYPE = o2o.points_sum_state,
	FINALFUNC = o2o.points_sum_state_average,
	COMBINEFUNC = o2o.points_sum_state_merge,
	INITCOND = '0:0',
	MSFUNC = o2o.points_sum_state_add,
	MINVFUNC = o2o.points_sum_state_remove,
	MSTYPE = o2o.points_sum_state,
	MFINALFUNC = o2o.points_sum_state_average,
	MINITCOND = '0:0',
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE o2o.points_avg(o2o.points) IS 'The average of all amounts that are not NULL, as numeric; NULL when there are none. The total behind it is exact and cannot overflow.';

CREATE FUNCTION o2o.points_smaller(amount o2o.points, other o2o.points) RETURNS o2o.points
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8smaller';
COMMENT ON FUNCTION o2o.points_smaller(amount o2o.points, other o2o.points) IS 'The smaller of two amounts.';

CREATE AGGREGATE o2o.min(o2o.points) (
	SFUNC = o2o.points_smaller,
	STYPE = o2o.points,
	COMBINEFUNC = o2o.points_smaller,
	SORTOP = OPERATOR(o2o.<),
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE o2o.min(o2o.points) IS 'The smallest amount, NULL when there are none; read from the end of an index where there is one.';

CREATE FUNCTION o2o.points_larger(amount o2o.points, other o2o.points) RETURNS o2o.points
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8larger';
COMMENT ON FUNCTION o2o.points_larger(amount o2o.points, other o2o.points) IS 'The larger of two amounts.';

CREATE AGGREGATE o2o.max(o2o.points) (
	SFUNC = o2o.points_larger,
	STYPE = o2o.points,
	COMBINEFUNC = o2o.points_larger,
	SORTOP = OPERATOR(o2o.>),
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE o2o.max(o2o.points) IS 'The largest amount, NULL when there are none; read from the end of an index where there is one.';
