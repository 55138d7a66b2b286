-- The reports room: where to open a store, by the Huff model over the shops, the competitors and the customers of the
-- model. The computing is the extension's (sql/install/47_geo_huff.sql).

CREATE OR REPLACE FUNCTION o2o.store_site_scores(area o2o.geobox, depth integer DEFAULT 7, attractiveness double precision DEFAULT 1,
	alpha double precision DEFAULT 1, beta double precision DEFAULT 2, max_m double precision DEFAULT 20000, least_m double precision DEFAULT 100)
RETURNS TABLE (cell bigint, lon double precision, lat double precision, captured double precision, from_own double precision,
	from_others double precision, unserved double precision, gain double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT s.candidate_id, o2o.geo_longitude(o2o.geo_cell_center(s.candidate_id)), o2o.geo_latitude(o2o.geo_cell_center(s.candidate_id)),
		s.captured, s.from_own, s.from_others, s.unserved, s.gain
	FROM (SELECT array_agg(c.cell) AS ids, array_agg(o2o.geo_cell_center(c.cell)) AS positions, array_agg(store_site_scores.attractiveness) AS sizes
			FROM o2o.geo_cells(store_site_scores.area, store_site_scores.depth) c (cell)) e
		CROSS JOIN (SELECT coalesce(array_agg(o2o.geopoint(p.lon, p.lat)), '{}') AS positions, coalesce(array_agg(1::double precision), '{}') AS amounts
			FROM o2o.customer_position p) d
		CROSS JOIN (SELECT coalesce(array_agg(l.position), '{}') AS positions, coalesce(array_agg(l.attractiveness), '{}') AS sizes,
				coalesce(array_agg(l.roles @> '{shop}'), '{}') AS own
			FROM o2o.location l
			WHERE l.kind = ANY (o2o.store_kinds()) AND l.roles && '{shop,competitor}'
				AND o2o.location_in_business(l.opened_on, l.closed_on, l.time_zone, now())) l
		CROSS JOIN LATERAL o2o.site_score(e.ids, e.positions, e.sizes, d.positions, d.amounts, l.positions, l.sizes, l.own,
			store_site_scores.alpha, store_site_scores.beta, store_site_scores.max_m, store_site_scores.least_m) s
	ORDER BY s.gain DESC, s.candidate_id;
END $$;
COMMENT ON FUNCTION o2o.store_site_scores(o2o.geobox, integer, double precision, double precision, double precision, double precision, double precision) IS 'What a new shop would get in the middle of each cell of a box (geo_cells), best first, in customers: captured, of which from_own (cannibalised: served by shops today), from_others (by places with the role competitor) and unserved (by nobody within max_m); gain = captured - from_own. By the Huff model with the customers of customer_position, the attractiveness of the places, and that of the new shop; store_huff_fit() gives alpha and beta. For operators. Errors: those of geo_cells() and site_score().';

CREATE OR REPLACE FUNCTION o2o.store_site_cannibalisation(site o2o.geopoint, attractiveness double precision DEFAULT 1,
	alpha double precision DEFAULT 1, beta double precision DEFAULT 2, max_m double precision DEFAULT 20000, least_m double precision DEFAULT 100)
RETURNS TABLE (store_id bigint, name text, is_own boolean, customers_before double precision, customers_after double precision, taken double precision, taken_share double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT s.store_id, p.name, p.roles @> '{shop}', s.demand_before, s.demand_after, s.taken, s.taken_share
	FROM (SELECT coalesce(array_agg(o2o.geopoint(c.lon, c.lat)), '{}') AS positions, coalesce(array_agg(1::double precision), '{}') AS amounts FROM o2o.customer_position c) d
		CROSS JOIN (SELECT array_agg(l.location_id) AS ids, array_agg(l.position) AS positions, array_agg(l.attractiveness) AS sizes
			FROM o2o.location l
			WHERE l.kind = ANY (o2o.store_kinds()) AND l.roles && '{shop,competitor}'
				AND o2o.location_in_business(l.opened_on, l.closed_on, l.time_zone, now())) l
		CROSS JOIN LATERAL o2o.site_cannibalisation(store_site_cannibalisation.site, store_site_cannibalisation.attractiveness, d.positions, d.amounts, l.ids, l.positions, l.sizes,
			store_site_cannibalisation.alpha, store_site_cannibalisation.beta, store_site_cannibalisation.max_m, store_site_cannibalisation.least_m) s
		JOIN o2o.location p ON p.location_id = s.store_id
	WHERE s.taken > 0
	ORDER BY s.taken DESC, s.store_id;
END $$;
COMMENT ON FUNCTION o2o.store_site_cannibalisation(o2o.geopoint, double precision, double precision, double precision, double precision, double precision) IS 'Whom a new shop at a site would take customers from, most first: the shops that exist today (is_own) and the places with the role competitor, with their customers before and after by the Huff model, and what is taken, also as a share. Places that lose nothing have no row. Customers, attractiveness and exponents as store_site_scores(). For operators. Errors: those of site_cannibalisation().';

CREATE OR REPLACE FUNCTION o2o.store_huff_fit(max_m double precision DEFAULT 20000, least_m double precision DEFAULT 100,
	OUT alpha double precision, OUT beta double precision, OUT alpha_error double precision, OUT beta_error double precision,
	OUT log_likelihood double precision, OUT log_likelihood_equal double precision, OUT cells bigint, OUT orders double precision, OUT iterations integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- Origins are cells rather than customers: visits add up, and pairs stay few.
	WITH bought AS MATERIALIZED (
		SELECT o2o.geo_cell(o2o.geopoint(c.lon, c.lat), 8) AS cell, o.location_sold, count(*)::double precision AS visits
		FROM o2o.customer_position c
			JOIN o2o.profile m ON m.customer_id = c.customer_id
			JOIN o2o.sales_order o ON o.profile_id = m.profile_id
			JOIN o2o.location l ON l.location_id = o.location_sold
		WHERE l.kind = ANY (o2o.store_kinds()) AND l.roles @> '{shop}'
			AND o2o.location_in_business(l.opened_on, l.closed_on, l.time_zone, now())
		GROUP BY 1, 2
	), choice AS (
		SELECT e.cell, l.attractiveness, l.position OPERATOR(o2o.<->) o2o.geo_cell_center(e.cell) AS metres, coalesce(b.visits, 0) AS visits
		FROM (SELECT DISTINCT b.cell FROM bought b) e
			JOIN o2o.location l ON l.position OPERATOR(o2o.<@) o2o.geocircle(o2o.geo_cell_center(e.cell), store_huff_fit.max_m)
			LEFT JOIN bought b ON b.cell = e.cell AND b.location_sold = l.location_id
		WHERE l.kind = ANY (o2o.store_kinds()) AND l.roles @> '{shop}'
			AND o2o.location_in_business(l.opened_on, l.closed_on, l.time_zone, now())
	)
	SELECT f.alpha, f.beta, f.alpha_error, f.beta_error, f.log_likelihood, f.log_likelihood_equal, f.choosing_origins, f.all_visits, f.iterations
	INTO alpha, beta, alpha_error, beta_error, log_likelihood, log_likelihood_equal, cells, orders, iterations
	FROM (SELECT coalesce(array_agg(c.cell), '{}') AS origins, coalesce(array_agg(c.attractiveness), '{}') AS sizes,
			coalesce(array_agg(c.metres), '{}') AS metres, coalesce(array_agg(c.visits), '{}') AS visits FROM choice c) a
		CROSS JOIN LATERAL o2o.huff_fit(a.origins, a.sizes, a.metres, a.visits, store_huff_fit.least_m) f;
END $$;
COMMENT ON FUNCTION o2o.store_huff_fit(double precision, double precision) IS 'The exponents of the Huff model that fit the orders best (huff_fit): customers of customer_position by cells of depth 8 (0.7 km), the shops that exist today within max_m metres of the middle of a cell, orders sold at a shop as visits. Returns the row of huff_fit(); cells: those with a choice, orders: theirs. For operators. Errors: O2401 the orders do not determine the exponents; 22023 max_m below zero or NaN, least_m not above zero.';
