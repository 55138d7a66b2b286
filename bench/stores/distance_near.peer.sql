-- PostGIS ST_Distance(geography)
-- count: 300000 distances
SELECT sum(ST_Distance(a, b)) FROM leg_near_gis;
