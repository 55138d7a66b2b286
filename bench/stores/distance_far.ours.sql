-- distance on the ellipsoid between two stores anywhere
-- count: 300000 distances
SELECT sum(a OPERATOR(o2o.<->) b) FROM leg_far;
