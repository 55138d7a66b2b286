-- distance on the ellipsoid between neighbours, mostly below 1 km
-- count: 300000 distances
SELECT sum(a OPERATOR(o2o.<->) b) FROM leg_near;
