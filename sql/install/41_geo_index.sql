-- Stores: the indexes of positions.

CREATE FUNCTION o2o.geopoint_spgist_config(internal, internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_spgist_config';
CREATE FUNCTION o2o.geopoint_spgist_choose(internal, internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_spgist_choose';
CREATE FUNCTION o2o.geopoint_spgist_picksplit(internal, internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_spgist_picksplit';
CREATE FUNCTION o2o.geopoint_spgist_inner_consistent(internal, internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_spgist_inner_consistent';
CREATE FUNCTION o2o.geopoint_spgist_leaf_consistent(internal, internal) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_spgist_leaf_consistent';
COMMENT ON FUNCTION o2o.geopoint_spgist_config(internal, internal) IS 'SP-GiST support of geopoint: prefix and labels are cells.';
COMMENT ON FUNCTION o2o.geopoint_spgist_choose(internal, internal) IS 'SP-GiST support of geopoint: where an inserted position goes.';
COMMENT ON FUNCTION o2o.geopoint_spgist_picksplit(internal, internal) IS 'SP-GiST support of geopoint: divides positions into cells.';
COMMENT ON FUNCTION o2o.geopoint_spgist_inner_consistent(internal, internal) IS 'SP-GiST support of geopoint: cells to visit, and lower bounds of their distances.';
COMMENT ON FUNCTION o2o.geopoint_spgist_leaf_consistent(internal, internal) IS 'SP-GiST support of geopoint: positions that match, and lower bounds of their distances.';

CREATE OPERATOR CLASS o2o.geopoint_spgist_ops DEFAULT FOR TYPE o2o.geopoint USING spgist AS
	OPERATOR 6 o2o.=,
	OPERATOR 15 o2o.<-> FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 o2o.geopoint_spgist_config(internal, internal),
	FUNCTION 2 o2o.geopoint_spgist_choose(internal, internal),
	FUNCTION 3 o2o.geopoint_spgist_picksplit(internal, internal),
	FUNCTION 4 o2o.geopoint_spgist_inner_consistent(internal, internal),
	FUNCTION 5 o2o.geopoint_spgist_leaf_consistent(internal, internal);
COMMENT ON OPERATOR CLASS o2o.geopoint_spgist_ops USING spgist IS 'Index of positions for ORDER BY position <-> constant (exact order, metres) and =: a radix tree over cells of 4 x 4, the fastest of the indexes for one column.';
COMMENT ON OPERATOR FAMILY o2o.geopoint_spgist_ops USING spgist IS 'Nearest positions and equality, radix tree.';
