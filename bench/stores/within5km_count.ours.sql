-- how many stores of 1,000,000 are within 5 km, rows in random order, by a covering index
-- count: 10000 searches
SELECT sum(n) FROM asked, LATERAL (SELECT count(*) AS n FROM store_covered s WHERE o2o.geo_dwithin(s.pos, asked.pos, 5000)) near;
