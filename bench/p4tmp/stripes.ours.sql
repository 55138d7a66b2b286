-- 16 clients draw points from one amount, in 32 stripes
-- count: 9600 draws
-- clients: 16
-- repeats: 3
SELECT o2o.points_stripes_take(-1, 1);
