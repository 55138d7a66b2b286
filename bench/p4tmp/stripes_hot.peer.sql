-- the same in one row
-- count: 1600 draws
SELECT o2o.points_stripes_take(-2, 1);
