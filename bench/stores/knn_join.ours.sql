-- knn_join: the nearest of 20,000 stores for each of 1,000,000 customers, exact on the ellipsoid
-- count: 1000000 customers
-- repeats: 3
SELECT count(*), sum(store_id), sum(distance_m) FROM o2o.knn_join((SELECT array_agg(id) FROM customer), (SELECT array_agg(pos) FROM customer),
	(SELECT array_agg(id) FROM chain), (SELECT array_agg(pos) FROM chain));
