-- Stores: the indexes of positions.

CREATE FUNCTION o2o.geopoint_spgist_config(internal, internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_spgist_config';
CREATE FUNCTION o2o.geopoint_spgist_covering_config(internal, internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_spgist_covering_config';
CREATE FUNCTION o2o.geopoint_spgist_choose(internal, internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_spgist_choose';
CREATE FUNCTION o2o.geopoint_spgist_picksplit(internal, internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_spgist_picksplit';
CREATE FUNCTION o2o.geopoint_spgist_inner_consistent(internal, internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_spgist_inner_consistent';
CREATE FUNCTION o2o.geopoint_spgist_leaf_consistent(internal, internal) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_spgist_leaf_consistent';
COMMENT ON FUNCTION o2o.geopoint_spgist_config(internal, internal) IS 'SP-GiST support of geopoint: prefix and labels are cells.';
COMMENT ON FUNCTION o2o.geopoint_spgist_covering_config(internal, internal) IS 'SP-GiST support of geopoint: the same, and positions can be given back.';
COMMENT ON FUNCTION o2o.geopoint_spgist_choose(internal, internal) IS 'SP-GiST support of geopoint: where an inserted position goes.';
COMMENT ON FUNCTION o2o.geopoint_spgist_picksplit(internal, internal) IS 'SP-GiST support of geopoint: divides positions into cells.';
COMMENT ON FUNCTION o2o.geopoint_spgist_inner_consistent(internal, internal) IS 'SP-GiST support of geopoint: cells to visit, and lower bounds of their distances.';
COMMENT ON FUNCTION o2o.geopoint_spgist_leaf_consistent(internal, internal) IS 'SP-GiST support of geopoint: positions that match, and lower bounds of their distances.';

CREATE OPERATOR CLASS o2o.geopoint_spgist_ops DEFAULT FOR TYPE o2o.geopoint USING spgist AS
	OPERATOR 3 o2o.&& (o2o.geopoint, o2o.geobox),
	OPERATOR 6 o2o.=,
	OPERATOR 8 o2o.<@ (o2o.geopoint, o2o.geocircle),
	OPERATOR 15 o2o.<-> FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 28 o2o.<@ (o2o.geopoint, o2o.geobox),
	FUNCTION 1 o2o.geopoint_spgist_config(internal, internal),
	FUNCTION 2 o2o.geopoint_spgist_choose(internal, internal),
	FUNCTION 3 o2o.geopoint_spgist_picksplit(internal, internal),
	FUNCTION 4 o2o.geopoint_spgist_inner_consistent(internal, internal),
	FUNCTION 5 o2o.geopoint_spgist_leaf_consistent(internal, internal);
COMMENT ON OPERATOR CLASS o2o.geopoint_spgist_ops USING spgist IS 'Index of positions for ORDER BY position <-> constant (exact order, metres), <@ geocircle, geo_dwithin, <@ and && geobox, and =: a radix tree over cells, the fastest of the indexes for one column. Rows that come sorted by place and do not change: WITH (fillfactor = 90) leaves less free.';
COMMENT ON OPERATOR FAMILY o2o.geopoint_spgist_ops USING spgist IS 'Nearest positions, circles, boxes and equality, radix tree.';

CREATE OPERATOR CLASS o2o.geopoint_spgist_covering_ops FOR TYPE o2o.geopoint USING spgist AS
	OPERATOR 3 o2o.&& (o2o.geopoint, o2o.geobox),
	OPERATOR 6 o2o.=,
	OPERATOR 8 o2o.<@ (o2o.geopoint, o2o.geocircle),
	OPERATOR 15 o2o.<-> FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 28 o2o.<@ (o2o.geopoint, o2o.geobox),
	FUNCTION 1 o2o.geopoint_spgist_covering_config(internal, internal),
	FUNCTION 2 o2o.geopoint_spgist_choose(internal, internal),
	FUNCTION 3 o2o.geopoint_spgist_picksplit(internal, internal),
	FUNCTION 4 o2o.geopoint_spgist_inner_consistent(internal, internal),
	FUNCTION 5 o2o.geopoint_spgist_leaf_consistent(internal, internal);
COMMENT ON OPERATOR CLASS o2o.geopoint_spgist_covering_ops USING spgist IS 'The same index, and it gives positions back: who counts rows, or asks for nothing but the position and columns that the index INCLUDEs, is answered without the table (index-only scan) as far as VACUUM has marked its pages, with exact distances. To be named: USING spgist (position o2o.geopoint_spgist_covering_ops) INCLUDE (id). Index-only scans of SP-GiST have a defect in PostgreSQL: a row that was deleted before can come back in the moment in which VACUUM takes it away.';
COMMENT ON OPERATOR FAMILY o2o.geopoint_spgist_covering_ops USING spgist IS 'Nearest positions, circles, boxes and equality, radix tree that gives positions back.';

CREATE FUNCTION o2o.geopoint_gist_consistent(internal, o2o.geopoint, smallint, oid, internal) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_gist_consistent';
CREATE FUNCTION o2o.geopoint_gist_union(internal, internal) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_gist_union';
CREATE FUNCTION o2o.geopoint_gist_compress(internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_gist_compress';
CREATE FUNCTION o2o.geopoint_gist_penalty(internal, internal, internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_gist_penalty';
CREATE FUNCTION o2o.geopoint_gist_picksplit(internal, internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_gist_picksplit';
CREATE FUNCTION o2o.geopoint_gist_same(bigint, bigint, internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_gist_same';
CREATE FUNCTION o2o.geopoint_gist_distance(internal, o2o.geopoint, smallint, oid, internal) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_gist_distance';
CREATE FUNCTION o2o.geopoint_gist_sortsupport(internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_gist_sortsupport';
COMMENT ON FUNCTION o2o.geopoint_gist_consistent(internal, o2o.geopoint, smallint, oid, internal) IS 'GiST support of geopoint: whether a key may hold a position that is asked for.';
COMMENT ON FUNCTION o2o.geopoint_gist_union(internal, internal) IS 'GiST support of geopoint: the area of several keys.';
COMMENT ON FUNCTION o2o.geopoint_gist_compress(internal) IS 'GiST support of geopoint: a position is stored as it is.';
COMMENT ON FUNCTION o2o.geopoint_gist_penalty(internal, internal, internal) IS 'GiST support of geopoint: how much an area has to grow.';
COMMENT ON FUNCTION o2o.geopoint_gist_picksplit(internal, internal) IS 'GiST support of geopoint: a page in two along the longer side.';
COMMENT ON FUNCTION o2o.geopoint_gist_same(bigint, bigint, internal) IS 'GiST support of geopoint: whether two keys are equal.';
COMMENT ON FUNCTION o2o.geopoint_gist_distance(internal, o2o.geopoint, smallint, oid, internal) IS 'GiST support of geopoint: lower bound in metres of the distance to a key.';
COMMENT ON FUNCTION o2o.geopoint_gist_sortsupport(internal) IS 'GiST support of geopoint: sorted build along the Hilbert curve.';

CREATE OPERATOR CLASS o2o.geopoint_gist_ops DEFAULT FOR TYPE o2o.geopoint USING gist AS
	OPERATOR 3 o2o.&& (o2o.geopoint, o2o.geobox),
	OPERATOR 6 o2o.=,
	OPERATOR 8 o2o.<@ (o2o.geopoint, o2o.geocircle),
	OPERATOR 15 o2o.<-> FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 28 o2o.<@ (o2o.geopoint, o2o.geobox),
	FUNCTION 1 o2o.geopoint_gist_consistent(internal, o2o.geopoint, smallint, oid, internal),
	FUNCTION 2 o2o.geopoint_gist_union(internal, internal),
	FUNCTION 3 o2o.geopoint_gist_compress(internal),
	FUNCTION 5 o2o.geopoint_gist_penalty(internal, internal, internal),
	FUNCTION 6 o2o.geopoint_gist_picksplit(internal, internal),
	FUNCTION 7 o2o.geopoint_gist_same(bigint, bigint, internal),
	FUNCTION 8 o2o.geopoint_gist_distance(internal, o2o.geopoint, smallint, oid, internal),
	FUNCTION 11 o2o.geopoint_gist_sortsupport(internal),
	STORAGE bigint;
COMMENT ON OPERATOR CLASS o2o.geopoint_gist_ops USING gist IS 'Index of positions for ORDER BY position <-> constant (exact order, metres), <@ geocircle, geo_dwithin, <@ and && geobox, and =, smaller and quicker to build than spgist; also over several columns: of one brand by (brand o2o.category_int4_ops, position), of other columns with btree_gist.';
COMMENT ON OPERATOR FAMILY o2o.geopoint_gist_ops USING gist IS 'Nearest positions, circles, boxes and equality, areas of 8 bytes.';

CREATE FUNCTION o2o.category_gist_consistent_int4(internal, integer, smallint, oid, internal) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_category_gist_consistent_int4';
CREATE FUNCTION o2o.category_gist_consistent_int8(internal, bigint, smallint, oid, internal) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_category_gist_consistent_int8';
CREATE FUNCTION o2o.category_gist_consistent_text(internal, text, smallint, oid, internal) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_category_gist_consistent_text';
CREATE FUNCTION o2o.category_gist_compress_int4(internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_category_gist_compress_int4';
CREATE FUNCTION o2o.category_gist_compress_int8(internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_category_gist_compress_int8';
CREATE FUNCTION o2o.category_gist_compress_text(internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_category_gist_compress_text';
CREATE FUNCTION o2o.category_gist_union(internal, internal) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_category_gist_union';
CREATE FUNCTION o2o.category_gist_penalty(internal, internal, internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_category_gist_penalty';
CREATE FUNCTION o2o.category_gist_picksplit(internal, internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_category_gist_picksplit';
CREATE FUNCTION o2o.category_gist_same(bigint, bigint, internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_category_gist_same';
COMMENT ON FUNCTION o2o.category_gist_consistent_int4(internal, integer, smallint, oid, internal) IS 'GiST support of categories: whether a key may hold an integer.';
COMMENT ON FUNCTION o2o.category_gist_consistent_int8(internal, bigint, smallint, oid, internal) IS 'GiST support of categories: whether a key may hold a bigint; the row is checked.';
COMMENT ON FUNCTION o2o.category_gist_consistent_text(internal, text, smallint, oid, internal) IS 'GiST support of categories: whether a key may hold a text; the row is checked.';
COMMENT ON FUNCTION o2o.category_gist_compress_int4(internal) IS 'GiST support of categories: an integer is its own code.';
COMMENT ON FUNCTION o2o.category_gist_compress_int8(internal) IS 'GiST support of categories: the code of a bigint, its hash.';
COMMENT ON FUNCTION o2o.category_gist_compress_text(internal) IS 'GiST support of categories: the code of a text, its hash.';
COMMENT ON FUNCTION o2o.category_gist_union(internal, internal) IS 'GiST support of categories: the range of several keys.';
COMMENT ON FUNCTION o2o.category_gist_penalty(internal, internal, internal) IS 'GiST support of categories: how much a range has to grow.';
COMMENT ON FUNCTION o2o.category_gist_picksplit(internal, internal) IS 'GiST support of categories: a page in two, between two codes if it has two.';
COMMENT ON FUNCTION o2o.category_gist_same(bigint, bigint, internal) IS 'GiST support of categories: whether two keys are equal.';

CREATE OPERATOR CLASS o2o.category_int4_ops FOR TYPE integer USING gist AS
	OPERATOR 1 pg_catalog.=,
	OPERATOR 1 pg_catalog.= (integer, smallint),
	OPERATOR 1 pg_catalog.= (integer, bigint),
	FUNCTION 1 o2o.category_gist_consistent_int4(internal, integer, smallint, oid, internal),
	FUNCTION 2 o2o.category_gist_union(internal, internal),
	FUNCTION 3 o2o.category_gist_compress_int4(internal),
	FUNCTION 5 o2o.category_gist_penalty(internal, internal, internal),
	FUNCTION 6 o2o.category_gist_picksplit(internal, internal),
	FUNCTION 7 o2o.category_gist_same(bigint, bigint, internal),
	STORAGE bigint;
COMMENT ON OPERATOR CLASS o2o.category_int4_ops USING gist IS 'For the nearest of one category: an integer asked for by equality, before the position in an index such as USING gist (brand o2o.category_int4_ops, pos). Pages are cut between two categories, so that a search reads fewer of them than with btree_gist.';
COMMENT ON OPERATOR FAMILY o2o.category_int4_ops USING gist IS 'Equality of integers beside a position.';
CREATE OPERATOR CLASS o2o.category_int8_ops FOR TYPE bigint USING gist AS
	OPERATOR 1 pg_catalog.=,
	OPERATOR 1 pg_catalog.= (bigint, smallint),
	OPERATOR 1 pg_catalog.= (bigint, integer),
	FUNCTION 1 o2o.category_gist_consistent_int8(internal, bigint, smallint, oid, internal),
	FUNCTION 2 o2o.category_gist_union(internal, internal),
	FUNCTION 3 o2o.category_gist_compress_int8(internal),
	FUNCTION 5 o2o.category_gist_penalty(internal, internal, internal),
	FUNCTION 6 o2o.category_gist_picksplit(internal, internal),
	FUNCTION 7 o2o.category_gist_same(bigint, bigint, internal),
	STORAGE bigint;
COMMENT ON OPERATOR CLASS o2o.category_int8_ops USING gist IS 'For the nearest of one category: the same as category_int4_ops, of a bigint.';
COMMENT ON OPERATOR FAMILY o2o.category_int8_ops USING gist IS 'Equality of bigints beside a position.';
CREATE OPERATOR CLASS o2o.category_text_ops FOR TYPE text USING gist AS
	OPERATOR 1 pg_catalog.=,
	FUNCTION 1 o2o.category_gist_consistent_text(internal, text, smallint, oid, internal),
	FUNCTION 2 o2o.category_gist_union(internal, internal),
	FUNCTION 3 o2o.category_gist_compress_text(internal),
	FUNCTION 5 o2o.category_gist_penalty(internal, internal, internal),
	FUNCTION 6 o2o.category_gist_picksplit(internal, internal),
	FUNCTION 7 o2o.category_gist_same(bigint, bigint, internal),
	STORAGE bigint;
COMMENT ON OPERATOR CLASS o2o.category_text_ops USING gist IS 'For the nearest of one category: the same as category_int4_ops, of a text, by the collation of the column.';
COMMENT ON OPERATOR FAMILY o2o.category_text_ops USING gist IS 'Equality of texts beside a position.';
