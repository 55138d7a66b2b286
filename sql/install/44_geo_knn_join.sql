-- Stores: every customer's nearest stores.

CREATE FUNCTION o2o.knn_join(ids bigint[], positions o2o.geopoint[], store_ids bigint[], store_positions o2o.geopoint[], k integer DEFAULT 1)
RETURNS TABLE (id bigint, store_id bigint, rank integer, distance_m double precision)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 100000
AS 'MODULE_PATHNAME', 'o2o_knn_join';
COMMENT ON FUNCTION o2o.knn_join(bigint[], o2o.geopoint[], bigint[], o2o.geopoint[], integer) IS 'The k nearest of the stores for each of the positions: rows in the order of ids, then rank (1 is the nearest), with metres along the WGS84 ellipsoid. Exact: by distance, then store id. ids[i] belongs to positions[i], store_ids[i] to store_positions[i], as array_agg(id), array_agg(position) give them; a NULL position has no row. All arrays in memory; the stores are searched in a kd-tree of at most work_mem (24 bytes a store), the answer goes to disk beyond work_mem. Many millions of positions: call it for one slice of them after the other. A NULL argument gives no row. Errors: 22004 a NULL id, 2202E more than one dimension or unequal lengths, 22023 k below zero, 53200 more memory than work_mem.';
