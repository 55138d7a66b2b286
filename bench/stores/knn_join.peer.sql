-- PostGIS geography <-> with GiST, LATERAL, stores along a Hilbert curve, exact on the sphere
-- count: 20000 customers
SELECT count(*), sum(near.id), sum(near.m) FROM customer_gis,
LATERAL (SELECT s.id, s.geog <-> customer_gis.geog AS m FROM chain_gis s ORDER BY s.geog <-> customer_gis.geog LIMIT 1) near;
