-- the 10 nearest of 10,000 stores from each of 200 places, exact metres
SELECT asked.id, near.* FROM asked,
LATERAL (SELECT store.id, store.pos OPERATOR(o2o.<->) asked.pos AS m
	FROM store ORDER BY store.pos OPERATOR(o2o.<->) asked.pos LIMIT 10) near;
