-- Stores: the grid, for counts and candidate places; H3 where its extension is installed.

CREATE FUNCTION o2o.geo_cell(geopoint o2o.geopoint, depth integer) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geo_cell_sql';
COMMENT ON FUNCTION o2o.geo_cell(o2o.geopoint, integer) IS 'The cell of a grid over longitude and latitude in which a position lies, a number that tells its depth too: each depth cuts every cell into 4 x 4. Sides in degrees: depth 6 about 0.105, 7 about 0.0262 (2.9 km from south to north), 8 about 0.00655 (0.7 km), 9 about 0.00164 (180 m); from west to east in metres times the cosine of the latitude. For GROUP BY and keys. Error: 22023 depth not between 1 and 16.';
CREATE FUNCTION o2o.geo_cell_box(cell bigint) RETURNS o2o.geobox
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geo_cell_box_sql';
COMMENT ON FUNCTION o2o.geo_cell_box(bigint) IS 'The box of a cell: every position of the cell and no other lies in it. Cells beyond the east and north of the map are cut there. Error: 22023 no cell.';
CREATE FUNCTION o2o.geo_cell_center(cell bigint) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geo_cell_center_sql';
COMMENT ON FUNCTION o2o.geo_cell_center(bigint) IS 'The middle of a cell. Error: 22023 no cell.';
CREATE FUNCTION o2o.geo_cells(geobox o2o.geobox, depth integer) RETURNS SETOF bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 1000 AS 'MODULE_PATHNAME', 'o2o_geo_cells';
COMMENT ON FUNCTION o2o.geo_cells(o2o.geobox, integer) IS 'The cells of a depth that have a position in common with a box, rows from south to north, from west to east. Errors: 22023 depth not between 1 and 16, 54000 more than 1000000 cells.';

-- h3-pg is not known at CREATE, so its function is looked up when it is asked for, among the members of the extension alone.
CREATE FUNCTION o2o.geo_h3(geopoint o2o.geopoint, resolution integer) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	cell_function record;
	cell text;
BEGIN
	SELECT n.nspname, p.proname INTO cell_function
	FROM pg_extension x
		JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = x.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
		JOIN pg_proc p ON p.oid = d.objid AND p.pronargs = 2 AND p.proargtypes[0] = 'point'::regtype AND p.proargtypes[1] = 'integer'::regtype
		JOIN pg_namespace n ON n.oid = p.pronamespace
	WHERE x.extname = 'h3' AND p.proname IN ('h3_latlng_to_cell', 'h3_lat_lng_to_cell', 'h3_geo_to_h3')
	ORDER BY p.proname DESC LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'module h3 is not available' USING ERRCODE = 'O2005',
			DETAIL = 'The extension h3 (h3-pg) is not installed in this database.',
			HINT = 'CREATE EXTENSION h3, or use o2o.geo_cell(), which needs no other extension.';
	END IF;
	EXECUTE format('SELECT %I.%I($1, $2)::text', cell_function.nspname, cell_function.proname) INTO cell
		USING o2o.geo_point(geo_h3.geopoint), geo_h3.resolution;
	RETURN cell;
END $$;
COMMENT ON FUNCTION o2o.geo_h3(o2o.geopoint, integer) IS 'The H3 cell of a position as text, such as 88309959d5fffff, by the extension h3 (h3-pg, 3.4 to 4.x, in any schema); resolution 0 to 15. Errors: O2005 the extension is not installed (geo_cell() needs none); what h3-pg raises for another resolution.';
