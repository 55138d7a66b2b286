-- Arithmetic of points: operators, rounding, allocation. The C code is
-- src/points/arithmetic.c. Results are exact or rounded once; out of range is
-- error 22003.

CREATE FUNCTION o2o.points_add(amount o2o.points, other o2o.points) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_add';
COMMENT ON FUNCTION o2o.points_add(amount o2o.points, other o2o.points) IS 'The sum of two amounts; the operator +. Error 22003: out of range.';

CREATE OPERATOR o2o.+ (
	LEFTARG = o2o.points, RIGHTARG = o2o.points, FUNCTION = o2o.points_add, COMMUTATOR = OPERATOR(o2o.+)
);
COMMENT ON OPERATOR o2o.+ (o2o.points, o2o.points) IS 'Sum of two amounts. Error 22003: out of range.';

CREATE FUNCTION o2o.points_subtract(amount o2o.points, other o2o.points) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_subtract';
COMMENT ON FUNCTION o2o.points_subtract(amount o2o.points, other o2o.points) IS 'The first amount less the second; the operator -. Error 22003: out of range.';

CREATE OPERATOR o2o.- (
	LEFTARG = o2o.points, RIGHTARG = o2o.points, FUNCTION = o2o.points_subtract
);
COMMENT ON OPERATOR o2o.- (o2o.points, o2o.points) IS 'The left amount less the right one. Error 22003: out of range.';

CREATE FUNCTION o2o.points_negate(amount o2o.points) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_negate';
COMMENT ON FUNCTION o2o.points_negate(amount o2o.points) IS 'The amount with the other sign; the unary operator -. Error 22003: out of range.';

CREATE OPERATOR o2o.- (
	RIGHTARG = o2o.points, FUNCTION = o2o.points_negate
);
COMMENT ON OPERATOR o2o.- (NONE, o2o.points) IS 'The amount with the other sign. Error 22003: out of range.';

CREATE FUNCTION o2o.points_plus(amount o2o.points) RETURNS o2o.points
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8up';
COMMENT ON FUNCTION o2o.points_plus(amount o2o.points) IS 'The amount itself; the unary operator +.';

CREATE OPERATOR o2o.+ (
	RIGHTARG = o2o.points, FUNCTION = o2o.points_plus
);
COMMENT ON OPERATOR o2o.+ (NONE, o2o.points) IS 'The amount itself.';

CREATE FUNCTION o2o.abs(amount o2o.points) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_abs';
COMMENT ON FUNCTION o2o.abs(amount o2o.points) IS 'The amount without its sign. Error 22003: out of range.';

CREATE FUNCTION o2o.points_multiply(amount o2o.points, factor smallint) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_multiply_smallint';
COMMENT ON FUNCTION o2o.points_multiply(amount o2o.points, factor smallint) IS 'The amount times a whole number, exactly; the operator *. Error 22003: out of range.';

CREATE FUNCTION o2o.points_multiply_commuted(factor smallint, amount o2o.points) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_multiply_commuted_smallint';
COMMENT ON FUNCTION o2o.points_multiply_commuted(factor smallint, amount o2o.points) IS 'The amount times a whole number, exactly; the operator *. Error 22003: out of range.';

CREATE OPERATOR o2o.* (
	LEFTARG = o2o.points, RIGHTARG = smallint, FUNCTION = o2o.points_multiply, COMMUTATOR = OPERATOR(o2o.*)
);
COMMENT ON OPERATOR o2o.* (o2o.points, smallint) IS 'The amount times a whole number, exactly. Error 22003: out of range.';

CREATE OPERATOR o2o.* (
	LEFTARG = smallint, RIGHTARG = o2o.points, FUNCTION = o2o.points_multiply_commuted, COMMUTATOR = OPERATOR(o2o.*)
);
COMMENT ON OPERATOR o2o.* (smallint, o2o.points) IS 'The amount times a whole number, exactly. Error 22003: out of range.';

CREATE FUNCTION o2o.points_multiply(amount o2o.points, factor integer) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_multiply_integer';
COMMENT ON FUNCTION o2o.points_multiply(amount o2o.points, factor integer) IS 'The amount times a whole number, exactly; the operator *. Error 22003: out of range.';

CREATE FUNCTION o2o.points_multiply_commuted(factor integer, amount o2o.points) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_multiply_commuted_integer';
COMMENT ON FUNCTION o2o.points_multiply_commuted(factor integer, amount o2o.points) IS 'The amount times a whole number, exactly; the operator *. Error 22003: out of range.';

CREATE OPERATOR o2o.* (
	LEFTARG = o2o.points, RIGHTARG = integer, FUNCTION = o2o.points_multiply, COMMUTATOR = OPERATOR(o2o.*)
);
COMMENT ON OPERATOR o2o.* (o2o.points, integer) IS 'The amount times a whole number, exactly. Error 22003: out of range.';

CREATE OPERATOR o2o.* (
	LEFTARG = integer, RIGHTARG = o2o.points, FUNCTION = o2o.points_multiply_commuted, COMMUTATOR = OPERATOR(o2o.*)
);
COMMENT ON OPERATOR o2o.* (integer, o2o.points) IS 'The amount times a whole number, exactly. Error 22003: out of range.';

CREATE FUNCTION o2o.points_multiply(amount o2o.points, factor bigint) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_multiply_bigint';
COMMENT ON FUNCTION o2o.points_multiply(amount o2o.points, factor bigint) IS 'The amount times a whole number, exactly; the operator *. Error 22003: out of range.';

CREATE FUNCTION o2o.points_multiply_commuted(factor bigint, amount o2o.points) RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_multiply_commuted_bigint';
COMMENT ON FUNCTION o2o.points_multiply_commuted(factor bigint, amount o2o.points) IS 'The amount times a whole number, exactly; the operator *. Error 22003: out of range.';

CREATE OPERATOR o2o.* (
	LEFTARG = o2o.points, RIGHTARG = bigint, FUNCTION = o2o.points_multiply, COMMUTATOR = OPERATOR(o2o.*)
);
COMMENT ON OPERATOR o2o.* (o2o.points, bigint) IS 'The amount times a whole number, exactly. Error 22003: out of range.';

CREATE OPERATOR o2o.* (
	LEFTARG = bigint, RIGHTARG = o2o.points, FUNCTION = o2o.points_multiply_commuted, COMMUTATOR = OPERATOR(o2o.*)
);
COMMENT ON OPERATOR o2o.* (bigint, o2o.points) IS 'The amount times a whole number, exactly. Error 22003: out of range.';

-- A function and no operator points * numeric: as integer casts to points
-- implicitly, that would make integer * numeric ambiguous in every query.
CREATE FUNCTION o2o.points_multiply(amount o2o.points, factor numeric, scale integer DEFAULT 4, mode text DEFAULT 'half_even') RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_multiply_numeric';
COMMENT ON FUNCTION o2o.points_multiply(amount o2o.points, factor numeric, scale integer, mode text) IS 'The amount times a factor, the exact product rounded once to scale digits after the point (0 to 4); mode: half_even (ties to the even digit), half_up (ties away from zero), floor (towards minus infinity) or ceil (towards plus infinity). Error 22003: out of range; 22023: the factor is NaN or infinite, scale or mode unknown.';

CREATE FUNCTION o2o.points_divide(amount o2o.points, divisor numeric, scale integer DEFAULT 4, mode text DEFAULT 'half_even') RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_divide';
COMMENT ON FUNCTION o2o.points_divide(amount o2o.points, divisor numeric, scale integer, mode text) IS 'The amount divided by a number, the exact quotient rounded once to scale digits after the point (0 to 4); mode: half_even (ties to the even digit), half_up (ties away from zero), floor (towards minus infinity) or ceil (towards plus infinity). To split an amount without loss use points_allocate. Error 22012: the divisor is zero; 22003: out of range; 22023: the divisor is NaN or infinite, scale or mode unknown.';

CREATE FUNCTION o2o.points_ratio(amount o2o.points, other o2o.points) RETURNS numeric
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_ratio';
COMMENT ON FUNCTION o2o.points_ratio(amount o2o.points, other o2o.points) IS 'How many times other goes into amount, with the digits that division of numeric gives; the operator /. Error 22012: other is zero.';

CREATE OPERATOR o2o./ (
	LEFTARG = o2o.points, RIGHTARG = o2o.points, FUNCTION = o2o.points_ratio
);
COMMENT ON OPERATOR o2o./ (o2o.points, o2o.points) IS 'How many times the right amount goes into the left one, as numeric; an integer on either side counts as points. Error 22012: the right amount is zero.';

CREATE FUNCTION o2o.points_round(amount o2o.points, scale integer, mode text DEFAULT 'half_even') RETURNS o2o.points
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_round';
COMMENT ON FUNCTION o2o.points_round(amount o2o.points, scale integer, mode text) IS 'The amount rounded to scale digits after the point (0 to 4); mode: half_even (ties to the even digit), half_up (ties away from zero), floor (towards minus infinity) or ceil (towards plus infinity). Error 22003: out of range; 22023: scale or mode unknown.';

CREATE FUNCTION o2o.points_allocate(amount o2o.points, weights numeric[], scale integer DEFAULT 4) RETURNS o2o.points[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_allocate';
COMMENT ON FUNCTION o2o.points_allocate(amount o2o.points, weights numeric[], scale integer) IS 'The amount split in proportion to the weights: one part for each weight, in their order, each with at most scale digits after the point, together exactly the amount. Method of the largest remainder (Hamilton): each part gets its exact share cut off at scale, what is left goes in smallest units to the largest remainders, the earlier weight first among equals. A negative amount is split like the positive one. A weight of zero gets nothing. Errors: 22003 the amount has more digits than scale, or the weights more than 37 together; 22004 a weight is NULL; 22023 a weight is negative, NaN or infinite, all weights are zero, or scale is not 0 to 4; 2202E the array is empty or has several dimensions; 54000 more than 1000000 weights.';
