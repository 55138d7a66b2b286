-- The type points: text and binary form, points(n), casts, comparison, index support.
-- Arithmetic and aggregates are in the 31 pieces; the C code is src/points/type.c.
--
-- Points compare, hash and sort as the 64-bit integers that they are, so these
-- functions are the server's own functions of bigint under names of ours.

CREATE TYPE o2o.points;
COMMENT ON TYPE o2o.points IS 'Amount of points: an exact number with up to 4 digits after the decimal point, between -922337203685477.5808 and 922337203685477.5807, 8 bytes. points(n), n from 0 to 4, takes only amounts with at most n digits after the point; it never rounds. Input: optional sign, digits, optionally a point and 1 to 4 digits, white space around; anything else, also more digits, an exponent or NaN, is error 22P02, out of range 22003. Output has no zeros that say nothing: 120, 0.5, 12.3456. Binary form: the amount times 10000 as an 8-byte integer.';

CREATE FUNCTION o2o.points_in(cstring, oid, integer) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_in';
COMMENT ON FUNCTION o2o.points_in(cstring, oid, integer) IS 'Text to points, the input function of the type. Never rounds. Errors: 22P02 no number or more than 4 digits after the point, 22003 out of range or more digits than points(n) takes.';

CREATE FUNCTION o2o.points_out(o2o.points) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_out';
COMMENT ON FUNCTION o2o.points_out(o2o.points) IS 'Points to text without zeros that say nothing, the output function of the type.';

CREATE FUNCTION o2o.points_recv(internal, oid, integer) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_recv';
COMMENT ON FUNCTION o2o.points_recv(internal, oid, integer) IS 'Binary form (the amount times 10000 as an 8-byte integer, network byte order) to points. Error 22003: more digits than points(n) takes.';

CREATE FUNCTION o2o.points_send(o2o.points) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_send';
COMMENT ON FUNCTION o2o.points_send(o2o.points) IS 'Points to their binary form: the amount times 10000 as an 8-byte integer, network byte order.';

CREATE FUNCTION o2o.points_typmod_in(cstring[]) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_typmod_in';
COMMENT ON FUNCTION o2o.points_typmod_in(cstring[]) IS 'The n of points(n), 0 to 4. Error 22023 for any other modifier.';

CREATE FUNCTION o2o.points_typmod_out(integer) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_typmod_out';
COMMENT ON FUNCTION o2o.points_typmod_out(integer) IS 'The (n) of points(n) as text.';

CREATE TYPE o2o.points (
	INPUT = o2o.points_in,
	OUTPUT = o2o.points_out,
	RECEIVE = o2o.points_recv,
	SEND = o2o.points_send,
	TYPMOD_IN = o2o.points_typmod_in,
	TYPMOD_OUT = o2o.points_typmod_out,
	LIKE = pg_catalog.int8,
	CATEGORY = 'N'
);

-- Casts. From integers implicitly, so that balance >= 100 compares points and
-- uses an index on them; to numeric never implicitly, because then
-- balance >= $1 would compare numerics and scan the table. None from floats.

CREATE FUNCTION o2o.points_constrain(amount o2o.points, modifier integer, explicit boolean) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_constrain';
COMMENT ON FUNCTION o2o.points_constrain(amount o2o.points, modifier integer, explicit boolean) IS 'The amount if points(modifier) takes it, for any scale if modifier is -1: the cast from points to points(n). It never rounds, explicit or not. Error 22003: more digits after the point than modifier.';

CREATE CAST (o2o.points AS o2o.points) WITH FUNCTION o2o.points_constrain(o2o.points, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (o2o.points AS o2o.points) IS 'points to points(n): the same amount, or error 22003 when it has more than n digits after the point.';

CREATE FUNCTION o2o.points_from_smallint(whole smallint) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_from_smallint';
COMMENT ON FUNCTION o2o.points_from_smallint(whole smallint) IS 'Whole points from smallint.';

CREATE CAST (smallint AS o2o.points) WITH FUNCTION o2o.points_from_smallint(smallint) AS IMPLICIT;
COMMENT ON CAST (smallint AS o2o.points) IS 'smallint to whole points, implicit: a points column compares with smallint values as points and uses its index.';

CREATE FUNCTION o2o.points_from_integer(whole integer) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_from_integer';
COMMENT ON FUNCTION o2o.points_from_integer(whole integer) IS 'Whole points from integer.';

CREATE CAST (integer AS o2o.points) WITH FUNCTION o2o.points_from_integer(integer) AS IMPLICIT;
COMMENT ON CAST (integer AS o2o.points) IS 'integer to whole points, implicit: a points column compares with integer values as points and uses its index.';

CREATE FUNCTION o2o.points_from_bigint(whole bigint) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_from_bigint';
COMMENT ON FUNCTION o2o.points_from_bigint(whole bigint) IS 'Whole points from bigint. Error 22003: out of range.';

CREATE CAST (bigint AS o2o.points) WITH FUNCTION o2o.points_from_bigint(bigint) AS ASSIGNMENT;
COMMENT ON CAST (bigint AS o2o.points) IS 'bigint to whole points, on assignment. Error 22003: out of range.';

CREATE FUNCTION o2o.points_from_numeric(amount numeric) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_from_numeric';
COMMENT ON FUNCTION o2o.points_from_numeric(amount numeric) IS 'Points from a numeric, exactly. Error 22003: more than 4 digits after the point that are not zero, out of range, NaN or infinite.';

CREATE CAST (numeric AS o2o.points) WITH FUNCTION o2o.points_from_numeric(numeric) AS ASSIGNMENT;
COMMENT ON CAST (numeric AS o2o.points) IS 'numeric to points, on assignment and exactly. Error 22003: a digit would be lost, out of range, NaN or infinite.';

CREATE FUNCTION o2o.points_to_bigint(amount o2o.points) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_to_bigint';
COMMENT ON FUNCTION o2o.points_to_bigint(amount o2o.points) IS 'Whole points as bigint. Error 22003: the amount is not whole.';

CREATE CAST (o2o.points AS bigint) WITH FUNCTION o2o.points_to_bigint(o2o.points) AS ASSIGNMENT;
COMMENT ON CAST (o2o.points AS bigint) IS 'points to bigint, on assignment. Error 22003: the amount is not whole.';

CREATE FUNCTION o2o.points_to_numeric(amount o2o.points) RETURNS numeric
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_to_numeric';
COMMENT ON FUNCTION o2o.points_to_numeric(amount o2o.points) IS 'Points as numeric with 4 digits after the point.';

CREATE CAST (o2o.points AS numeric) WITH FUNCTION o2o.points_to_numeric(o2o.points) AS ASSIGNMENT;
COMMENT ON CAST (o2o.points AS numeric) IS 'points to numeric with 4 digits after the point, on assignment only: an implicit cast would turn comparisons of points into comparisons of numeric, which no index on points serves.';

-- Comparison.

CREATE FUNCTION o2o.points_eq(amount o2o.points, other o2o.points) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8eq';
COMMENT ON FUNCTION o2o.points_eq(amount o2o.points, other o2o.points) IS 'True when amount is equal to other; the operator =.';

CREATE FUNCTION o2o.points_ne(amount o2o.points, other o2o.points) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8ne';
COMMENT ON FUNCTION o2o.points_ne(amount o2o.points, other o2o.points) IS 'True when amount is different from other; the operator <>.';

CREATE FUNCTION o2o.points_lt(amount o2o.points, other o2o.points) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8lt';
COMMENT ON FUNCTION o2o.points_lt(amount o2o.points, other o2o.points) IS 'True when amount is less than other; the operator <.';

CREATE FUNCTION o2o.points_le(amount o2o.points, other o2o.points) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8le';
COMMENT ON FUNCTION o2o.points_le(amount o2o.points, other o2o.points) IS 'True when amount is less than or equal to other; the operator <=.';

CREATE FUNCTION o2o.points_gt(amount o2o.points, other o2o.points) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8gt';
COMMENT ON FUNCTION o2o.points_gt(amount o2o.points, other o2o.points) IS 'True when amount is greater than other; the operator >.';

CREATE FUNCTION o2o.points_ge(amount o2o.points, other o2o.points) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8ge';
COMMENT ON FUNCTION o2o.points_ge(amount o2o.points, other o2o.points) IS 'True when amount is greater than or equal to other; the operator >=.';

CREATE OPERATOR o2o.= (
	LEFTARG = o2o.points, RIGHTARG = o2o.points, FUNCTION = o2o.points_eq,
	COMMUTATOR = OPERATOR(o2o.=), NEGATOR = OPERATOR(o2o.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR o2o.= (o2o.points, o2o.points) IS 'The left amount is equal to the right one.';

CREATE OPERATOR o2o.<> (
	LEFTARG = o2o.points, RIGHTARG = o2o.points, FUNCTION = o2o.points_ne,
	COMMUTATOR = OPERATOR(o2o.<>), NEGATOR = OPERATOR(o2o.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR o2o.<> (o2o.points, o2o.points) IS 'The left amount is different from the right one.';

CREATE OPERATOR o2o.< (
	LEFTARG = o2o.points, RIGHTARG = o2o.points, FUNCTION = o2o.points_lt,
	COMMUTATOR = OPERATOR(o2o.>), NEGATOR = OPERATOR(o2o.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR o2o.< (o2o.points, o2o.points) IS 'The left amount is less than the right one.';

CREATE OPERATOR o2o.<= (
	LEFTARG = o2o.points, RIGHTARG = o2o.points, FUNCTION = o2o.points_le,
	COMMUTATOR = OPERATOR(o2o.>=), NEGATOR = OPERATOR(o2o.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR o2o.<= (o2o.points, o2o.points) IS 'The left amount is less than or equal to the right one.';

CREATE OPERATOR o2o.> (
	LEFTARG = o2o.points, RIGHTARG = o2o.points, FUNCTION = o2o.points_gt,
	COMMUTATOR = OPERATOR(o2o.<), NEGATOR = OPERATOR(o2o.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR o2o.> (o2o.points, o2o.points) IS 'The left amount is greater than the right one.';

CREATE OPERATOR o2o.>= (
	LEFTARG = o2o.points, RIGHTARG = o2o.points, FUNCTION = o2o.points_ge,
	COMMUTATOR = OPERATOR(o2o.<=), NEGATOR = OPERATOR(o2o.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR o2o.>= (o2o.points, o2o.points) IS 'The left amount is greater than or equal to the right one.';

-- Index support.

CREATE FUNCTION o2o.points_compare(amount o2o.points, other o2o.points) RETURNS integer
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'btint8cmp';
COMMENT ON FUNCTION o2o.points_compare(amount o2o.points, other o2o.points) IS 'Less than, equal to or greater than 0 as amount is less than, equal to or greater than other; the order of btree indexes.';

CREATE FUNCTION o2o.points_sortsupport(internal) RETURNS void
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'btint8sortsupport';
COMMENT ON FUNCTION o2o.points_sortsupport(internal) IS 'Sort support of btree for points.';

CREATE FUNCTION o2o.points_in_range(amount o2o.points, base o2o.points, distance o2o.points, subtract boolean, less boolean) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'in_range_int8_int8';
COMMENT ON FUNCTION o2o.points_in_range(amount o2o.points, base o2o.points, distance o2o.points, subtract boolean, less boolean) IS 'Window frames RANGE BETWEEN distance PRECEDING AND distance FOLLOWING over points. Error 22013: distance is negative.';

CREATE FUNCTION o2o.points_hash(amount o2o.points) RETURNS integer
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashint8';
COMMENT ON FUNCTION o2o.points_hash(amount o2o.points) IS '32-bit hash of an amount for hash indexes, joins and grouping.';

CREATE FUNCTION o2o.points_hash_extended(amount o2o.points, seed bigint) RETURNS bigint
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashint8extended';
COMMENT ON FUNCTION o2o.points_hash_extended(amount o2o.points, seed bigint) IS '64-bit hash of an amount with a seed, for hash partitions.';

CREATE OPERATOR FAMILY o2o.points_ops USING btree;
COMMENT ON OPERATOR FAMILY o2o.points_ops USING btree IS 'Order of points.';

CREATE OPERATOR CLASS o2o.points_ops DEFAULT FOR TYPE o2o.points USING btree FAMILY o2o.points_ops AS
	OPERATOR 1 o2o.< (o2o.points, o2o.points),
	OPERATOR 2 o2o.<= (o2o.points, o2o.points),
	OPERATOR 3 o2o.= (o2o.points, o2o.points),
	OPERATOR 4 o2o.>= (o2o.points, o2o.points),
	OPERATOR 5 o2o.> (o2o.points, o2o.points),
	FUNCTION 1 o2o.points_compare(o2o.points, o2o.points),
	FUNCTION 2 o2o.points_sortsupport(internal),
	FUNCTION 3 (o2o.points, o2o.points) o2o.points_in_range(o2o.points, o2o.points, o2o.points, boolean, boolean),
	FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS o2o.points_ops USING btree IS 'Points in btree indexes, ORDER BY and merge joins; indexes keep equal amounts once.';

CREATE OPERATOR FAMILY o2o.points_ops USING hash;
COMMENT ON OPERATOR FAMILY o2o.points_ops USING hash IS 'Hashing of points.';

CREATE OPERATOR CLASS o2o.points_ops DEFAULT FOR TYPE o2o.points USING hash FAMILY o2o.points_ops AS
	OPERATOR 1 o2o.= (o2o.points, o2o.points),
	FUNCTION 1 o2o.points_hash(o2o.points),
	FUNCTION 2 o2o.points_hash_extended(o2o.points, bigint);
COMMENT ON OPERATOR CLASS o2o.points_ops USING hash IS 'Points in hash indexes, hash joins, grouping and hash partitions.';

CREATE OPERATOR FAMILY o2o.points_minmax_ops USING brin;
COMMENT ON OPERATOR FAMILY o2o.points_minmax_ops USING brin IS 'Smallest and largest points of block ranges.';

CREATE OPERATOR CLASS o2o.points_minmax_ops DEFAULT FOR TYPE o2o.points USING brin FAMILY o2o.points_minmax_ops AS
	OPERATOR 1 o2o.< (o2o.points, o2o.points),
	OPERATOR 2 o2o.<= (o2o.points, o2o.points),
	OPERATOR 3 o2o.= (o2o.points, o2o.points),
	OPERATOR 4 o2o.>= (o2o.points, o2o.points),
	OPERATOR 5 o2o.> (o2o.points, o2o.points),
	FUNCTION 1 pg_catalog.brin_minmax_opcinfo(internal),
	FUNCTION 2 pg_catalog.brin_minmax_add_value(internal, internal, internal, internal),
	FUNCTION 3 pg_catalog.brin_minmax_consistent(internal, internal, internal),
	FUNCTION 4 pg_catalog.brin_minmax_union(internal, internal, internal);
COMMENT ON OPERATOR CLASS o2o.points_minmax_ops USING brin IS 'Points in BRIN indexes: smallest and largest amount of each range of blocks.';
