-- The reports room: where stores are, whom they reach, what they draw from, and where nobody is.
-- Shops are the places with the role shop that exist today; customers count where a trait says their position.

CREATE OR REPLACE VIEW o2o.store_locator AS
SELECT l.location_id, l.source, l.source_id, l.name, l.kind, l.roles, l.services, g.code AS organisation,
	o2o.geo_longitude(l.position) AS lon, o2o.geo_latitude(l.position) AS lat, l.address, l.city, l.region, l.country, l.time_zone,
	o2o.store_is_open(l.location_id, now()) AS is_open, o2o.store_next_opening(l.location_id, now()) AS next_opening_at,
	ARRAY(SELECT a.service FROM o2o.location_area a WHERE a.location_id = l.location_id ORDER BY a.service) AS area_services
FROM o2o.location l LEFT JOIN o2o.organisation g ON g.organisation_id = l.organisation_id
WHERE l.kind = ANY (o2o.store_kinds()) AND o2o.location_in_business(l.opened_on, l.closed_on, l.time_zone, now());
COMMENT ON VIEW o2o.store_locator IS 'One row per place (store, counter, warehouse) that exists today: where it is, what it offers, whether it is open. Live; times are instants.';
COMMENT ON COLUMN o2o.store_locator.location_id IS 'Place';
COMMENT ON COLUMN o2o.store_locator.source IS 'Source system of the place';
COMMENT ON COLUMN o2o.store_locator.source_id IS 'Its number there';
COMMENT ON COLUMN o2o.store_locator.name IS 'Name';
COMMENT ON COLUMN o2o.store_locator.kind IS 'store, counter, warehouse';
COMMENT ON COLUMN o2o.store_locator.roles IS 'What it is used as, such as shop';
COMMENT ON COLUMN o2o.store_locator.services IS 'What it offers, such as pickup';
COMMENT ON COLUMN o2o.store_locator.organisation IS 'Code of the organisation whose place it is; NULL: not said';
COMMENT ON COLUMN o2o.store_locator.lon IS 'Longitude, degrees, WGS84; NULL where unknown';
COMMENT ON COLUMN o2o.store_locator.lat IS 'Latitude, degrees, WGS84; NULL where unknown';
COMMENT ON COLUMN o2o.store_locator.address IS 'Street address';
COMMENT ON COLUMN o2o.store_locator.city IS 'City';
COMMENT ON COLUMN o2o.store_locator.region IS 'Region, province or state';
COMMENT ON COLUMN o2o.store_locator.country IS 'Country';
COMMENT ON COLUMN o2o.store_locator.time_zone IS 'IANA time zone of the place';
COMMENT ON COLUMN o2o.store_locator.is_open IS 'Open now, by its hours and exceptions';
COMMENT ON COLUMN o2o.store_locator.next_opening_at IS 'Now when it is open, else when it opens next; NULL: never';
COMMENT ON COLUMN o2o.store_locator.area_services IS 'Services for which it has a service area, such as delivery';

CREATE OR REPLACE VIEW o2o.customer_position AS
SELECT DISTINCT ON (m.customer_id) m.customer_id, o2o.geo_longitude(p.position) AS lon, o2o.geo_latitude(p.position) AS lat, t.source, t.observed_at
FROM o2o.profile_trait t
	JOIN o2o.profile m ON m.profile_id = t.profile_id
	CROSS JOIN LATERAL (SELECT o2o.geopoint_or_null(t.value) AS position) p
WHERE t.name = 'position' AND p.position IS NOT NULL
ORDER BY m.customer_id, t.observed_at DESC, t.source, t.profile_id;
COMMENT ON VIEW o2o.customer_position IS 'One row per customer of today whose position is known: the latest trait position (longitude,latitude in degrees, WGS84) of any source that is one. Personal data, for operators; the views of stores count by it. Live; times are instants.';
COMMENT ON COLUMN o2o.customer_position.customer_id IS 'Customer of today';
COMMENT ON COLUMN o2o.customer_position.lon IS 'Longitude, degrees, WGS84';
COMMENT ON COLUMN o2o.customer_position.lat IS 'Latitude, degrees, WGS84';
COMMENT ON COLUMN o2o.customer_position.source IS 'Source that says so';
COMMENT ON COLUMN o2o.customer_position.observed_at IS 'When the event that brought it happened';

CREATE OR REPLACE VIEW o2o.store_coverage AS
SELECT d.within_m, n.located_customers, count(k.id) AS customers_within,
	round(count(k.id)::numeric / nullif(n.located_customers, 0), 4) AS share
FROM (VALUES (1000::double precision), (3000), (5000)) d (within_m)
	CROSS JOIN (SELECT count(*) AS located_customers, array_agg(c.customer_id) AS ids, array_agg(o2o.geopoint(c.lon, c.lat)) AS positions FROM o2o.customer_position c) n
	CROSS JOIN (SELECT array_agg(l.location_id) AS ids, array_agg(l.position) AS positions FROM o2o.location l
		WHERE l.kind = ANY (o2o.store_kinds()) AND l.roles @> '{shop}' AND o2o.location_in_business(l.opened_on, l.closed_on, l.time_zone, now())) s
	LEFT JOIN LATERAL o2o.knn_join(n.ids, n.positions, s.ids, s.positions) k ON k.distance_m <= d.within_m
GROUP BY d.within_m, n.located_customers;
COMMENT ON VIEW o2o.store_coverage IS 'One row per distance (1, 3, 5 km): how many customers with a known position have a shop that exists today within it. Distances along the WGS84 ellipsoid, exact. A nearer row is part of a farther one. Live.';
COMMENT ON COLUMN o2o.store_coverage.within_m IS 'Distance to the nearest shop in metres, included';
COMMENT ON COLUMN o2o.store_coverage.located_customers IS 'Customers of today with a known position';
COMMENT ON COLUMN o2o.store_coverage.customers_within IS 'Of these, how many are at most that far from a shop';
COMMENT ON COLUMN o2o.store_coverage.share IS 'customers_within as a share of located_customers, 0 to 1, 4 digits; NULL without any';

CREATE OR REPLACE VIEW o2o.store_trade_area AS
SELECT l.location_id, l.source, l.source_id, l.name, coalesce(k.customers, 0) AS customers,
	round(coalesce(k.customers, 0)::numeric / nullif(sum(k.customers) OVER (), 0), 4) AS customer_share,
	o2o.geo_area_km2(a.area) AS area_km2, o2o.geo_geojson(a.area) AS geojson
FROM (SELECT array_agg(p.location_id ORDER BY p.location_id) AS ids, array_agg(p.position ORDER BY p.location_id) AS positions FROM o2o.location p
		WHERE p.kind = ANY (o2o.store_kinds()) AND p.roles @> '{shop}' AND o2o.location_in_business(p.opened_on, p.closed_on, p.time_zone, now())) s
	CROSS JOIN LATERAL o2o.trade_areas(s.ids, s.positions) a
	JOIN o2o.location l ON l.location_id = a.store_id
	LEFT JOIN (
		SELECT j.store_id, count(*) AS customers
		FROM (SELECT array_agg(c.customer_id) AS ids, array_agg(o2o.geopoint(c.lon, c.lat)) AS positions FROM o2o.customer_position c) n
			CROSS JOIN (SELECT array_agg(p.location_id) AS ids, array_agg(p.position) AS positions FROM o2o.location p
				WHERE p.kind = ANY (o2o.store_kinds()) AND p.roles @> '{shop}' AND o2o.location_in_business(p.opened_on, p.closed_on, p.time_zone, now())) q
			CROSS JOIN LATERAL o2o.knn_join(n.ids, n.positions, q.ids, q.positions) j
		GROUP BY j.store_id
	) k ON k.store_id = l.location_id;
COMMENT ON VIEW o2o.store_trade_area IS 'One row per shop that exists today, with its trade area: where it is the nearest shop, up to 1000 km. Of shops at one place the first has the area. Live.';
COMMENT ON COLUMN o2o.store_trade_area.location_id IS 'Place';
COMMENT ON COLUMN o2o.store_trade_area.source IS 'Source system of the place';
COMMENT ON COLUMN o2o.store_trade_area.source_id IS 'Its number there';
COMMENT ON COLUMN o2o.store_trade_area.name IS 'Name';
COMMENT ON COLUMN o2o.store_trade_area.customers IS 'Customers of today with a known position to whom it is the nearest shop, at any distance';
COMMENT ON COLUMN o2o.store_trade_area.customer_share IS 'customers as a share of those of all shops, 0 to 1, 4 digits; NULL without any';
COMMENT ON COLUMN o2o.store_trade_area.area_km2 IS 'Size of the area in square kilometres';
COMMENT ON COLUMN o2o.store_trade_area.geojson IS 'The area as a GeoJSON geometry in degrees, WGS84';

CREATE OR REPLACE VIEW o2o.store_catchment AS
WITH shop AS (
	SELECT l.location_id, l.name, l.source, l.source_id, l.position FROM o2o.location l
	WHERE l.kind = ANY (o2o.store_kinds()) AND l.roles @> '{shop}' AND o2o.location_in_business(l.opened_on, l.closed_on, l.time_zone, now())
), located AS MATERIALIZED (
	SELECT c.customer_id, o2o.geopoint(c.lon, c.lat) AS position FROM o2o.customer_position c
), reached AS (
	SELECT n.customer_id, l.location_id, n.position OPERATOR(o2o.<->) l.position AS metres
	FROM located n JOIN shop l ON l.position OPERATOR(o2o.<@) o2o.geocircle(n.position, 5000)
), zoned AS (
	SELECT d.zone, r.location_id, r.customer_id
	FROM reached r JOIN (VALUES ('1 km', 1000), ('3 km', 3000), ('5 km', 5000)) d (zone, max_m) ON r.metres <= d.max_m
	UNION ALL
	SELECT 'trade area' AS zone, k.store_id, k.id
	FROM (SELECT array_agg(n.customer_id) AS ids, array_agg(n.position) AS positions FROM located n) n
		CROSS JOIN (SELECT array_agg(l.location_id) AS ids, array_agg(l.position) AS positions FROM shop l) s
		CROSS JOIN LATERAL o2o.knn_join(n.ids, n.positions, s.ids, s.positions) k
)
SELECT l.location_id, l.source, l.source_id, l.name, z.zone, count(f.customer_id) AS customers,
	round(count(f.customer_id)::numeric / nullif((SELECT count(*) FROM located), 0), 4) AS customer_share,
	count(b.customer_id) AS buyers, round(count(b.customer_id)::numeric / nullif(count(f.customer_id), 0), 4) AS penetration,
	coalesce(sum(b.orders), 0)::bigint AS orders,
	round(coalesce(sum(b.orders), 0) / nullif((SELECT count(*) FROM o2o.sales_order o WHERE o.location_sold = l.location_id), 0), 4) AS order_share
FROM shop l
	CROSS JOIN (VALUES ('1 km'), ('3 km'), ('5 km'), ('trade area')) z (zone)
	LEFT JOIN zoned f ON f.location_id = l.location_id AND f.zone = z.zone
	LEFT JOIN (
		SELECT m.customer_id, o.location_sold, count(*) AS orders
		FROM o2o.sales_order o JOIN o2o.profile m ON m.profile_id = o.profile_id
		WHERE o.location_sold IS NOT NULL
		GROUP BY m.customer_id, o.location_sold
	) b ON b.customer_id = f.customer_id AND b.location_sold = l.location_id
GROUP BY l.location_id, l.source, l.source_id, l.name, z.zone;
COMMENT ON VIEW o2o.store_catchment IS 'One row per shop that exists today and zone (1 km, 3 km, 5 km around it, and its trade area: where it is the nearest shop): who lives there and who buys at this shop. Zones of one shop overlap, and so do circles of several shops; trade areas do not. Customers count where their position is known. All times. Live.';
COMMENT ON COLUMN o2o.store_catchment.location_id IS 'Place';
COMMENT ON COLUMN o2o.store_catchment.source IS 'Source system of the place';
COMMENT ON COLUMN o2o.store_catchment.source_id IS 'Its number there';
COMMENT ON COLUMN o2o.store_catchment.name IS 'Name';
COMMENT ON COLUMN o2o.store_catchment.zone IS '1 km, 3 km, 5 km, trade area';
COMMENT ON COLUMN o2o.store_catchment.customers IS 'Customers of today in the zone';
COMMENT ON COLUMN o2o.store_catchment.customer_share IS 'customers as a share of all with a known position, 0 to 1, 4 digits; NULL without any';
COMMENT ON COLUMN o2o.store_catchment.buyers IS 'Of these, how many ordered at this shop';
COMMENT ON COLUMN o2o.store_catchment.penetration IS 'buyers as a share of customers, 0 to 1, 4 digits; NULL without customers';
COMMENT ON COLUMN o2o.store_catchment.orders IS 'Their orders at this shop';
COMMENT ON COLUMN o2o.store_catchment.order_share IS 'orders as a share of all orders sold at this shop, also those of nobody known, 0 to 1, 4 digits; NULL without orders';

CREATE OR REPLACE VIEW o2o.store_white_spot AS
SELECT o2o.geo_cell(o2o.geopoint(c.lon, c.lat), 7) AS cell,
	o2o.geo_longitude(o2o.geo_cell_center(o2o.geo_cell(o2o.geopoint(c.lon, c.lat), 7))) AS lon,
	o2o.geo_latitude(o2o.geo_cell_center(o2o.geo_cell(o2o.geopoint(c.lon, c.lat), 7))) AS lat,
	count(*) AS customers, coalesce(sum(b.orders), 0)::bigint AS orders, min(k.distance_m) AS nearest_m
FROM o2o.customer_position c
	LEFT JOIN (
		SELECT j.id, j.distance_m
		FROM (SELECT array_agg(p.customer_id) AS ids, array_agg(o2o.geopoint(p.lon, p.lat)) AS positions FROM o2o.customer_position p) n
			CROSS JOIN (SELECT array_agg(l.location_id) AS ids, array_agg(l.position) AS positions FROM o2o.location l
				WHERE l.kind = ANY (o2o.store_kinds()) AND l.roles @> '{shop}' AND o2o.location_in_business(l.opened_on, l.closed_on, l.time_zone, now())) s
			CROSS JOIN LATERAL o2o.knn_join(n.ids, n.positions, s.ids, s.positions) j
	) k ON k.id = c.customer_id
	LEFT JOIN (
		SELECT m.customer_id, count(*) AS orders FROM o2o.sales_order o JOIN o2o.profile m ON m.profile_id = o.profile_id GROUP BY m.customer_id
	) b ON b.customer_id = c.customer_id
WHERE k.distance_m IS NULL OR k.distance_m > 5000
GROUP BY o2o.geo_cell(o2o.geopoint(c.lon, c.lat), 7)
	, o2o.geo_longitude(o2o.geo_cell_center(o2o.geo_cell(o2o.geopoint(c.lon, c.lat), 7)))
	, o2o.geo_latitude(o2o.geo_cell_center(o2o.geo_cell(o2o.geopoint(c.lon, c.lat), 7)))
HAVING count(*) >= 5;
COMMENT ON VIEW o2o.store_white_spot IS 'One row per cell of the grid (geo_cell of depth 7, 0.026 degree) with at least five customers who have no shop that exists today within 5 km. Fewer than five are left out, so that nobody is picked out. All times. Live.';
COMMENT ON COLUMN o2o.store_white_spot.cell IS 'Cell, as geo_cell(position, 7) gives it';
COMMENT ON COLUMN o2o.store_white_spot.lon IS 'Longitude of its middle, degrees, WGS84';
COMMENT ON COLUMN o2o.store_white_spot.lat IS 'Latitude of its middle, degrees, WGS84';
COMMENT ON COLUMN o2o.store_white_spot.customers IS 'Customers of today there, farther than 5 km from every shop';
COMMENT ON COLUMN o2o.store_white_spot.orders IS 'Their orders, in all channels';
COMMENT ON COLUMN o2o.store_white_spot.nearest_m IS 'Metres from the nearest of them to a shop; NULL when there is no shop';
