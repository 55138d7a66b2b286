-- PostGIS geography <-> with its GiST index
SELECT asked.id, near.* FROM asked,
LATERAL (SELECT store.id, store.geog <-> asked.geog AS m
	FROM store ORDER BY store.geog <-> asked.geog LIMIT 10) near;
