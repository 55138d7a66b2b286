-- the stores within 1 km of 1,000,000, rows in random order, exact on the ellipsoid
-- count: 10000 searches
SELECT count(near.id), count(near.name) FROM asked,
LATERAL (SELECT s.id, s.name FROM store_random s WHERE o2o.geo_dwithin(s.pos, asked.pos, 1000)) near;
