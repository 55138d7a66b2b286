-- the same question in SQL over PostGIS geography <-> with GiST
-- count: 1000 searches
SELECT count(near.id), count(near.name), sum(near.m) FROM (SELECT * FROM asked LIMIT 1000) asked,
LATERAL (SELECT s.id, s.name, s.geog <-> asked.geog AS m
	FROM place_gis s
	WHERE s.services @> '{pickup}' AND EXISTS (
		SELECT FROM (VALUES (0), (1)) b (back),
			LATERAL (SELECT timezone(s.time_zone, '2026-03-10 13:30Z'::timestamptz) AS at, timezone(s.time_zone, '2026-03-10 13:30Z'::timestamptz)::date - b.back AS day) l,
			LATERAL (
				SELECT e.opens, e.closes FROM place_exception e WHERE e.id = s.id AND e.day = l.day AND e.opens IS NOT NULL
				UNION ALL
				SELECT h.opens, h.closes FROM place_hours h WHERE h.id = s.id AND h.weekday = date_part('isodow', l.day)
					AND NOT EXISTS (SELECT FROM place_exception e WHERE e.id = s.id AND e.day = l.day)) i
		WHERE l.at >= l.day + i.opens AND l.at < l.day + i.closes + CASE WHEN i.closes <= i.opens THEN interval '1 day' ELSE interval '0' END)
	ORDER BY s.geog <-> asked.geog LIMIT 10) near;
