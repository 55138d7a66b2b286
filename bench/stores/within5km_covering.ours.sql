-- the stores within 5 km of 1,000,000, rows in random order, by a covering index with id and name
-- count: 10000 searches
SELECT count(near.id), count(near.name) FROM asked,
LATERAL (SELECT s.id, s.name FROM store_covered s WHERE o2o.geo_dwithin(s.pos, asked.pos, 5000)) near;
