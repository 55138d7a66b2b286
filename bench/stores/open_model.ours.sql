-- stores_nearest: the 10 nearest of 100,000 places open at a moment, by weekly hours, exceptions and time zone, with a service
-- count: 1000 searches
SELECT count(near.store_id), count(near.name), sum(near.distance_m) FROM (SELECT * FROM asked LIMIT 1000) asked,
LATERAL o2o.stores_nearest(asked.pos, 10, open_at => '2026-03-10 13:30Z', services => '{pickup}') near;
