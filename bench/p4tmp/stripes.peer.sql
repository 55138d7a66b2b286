-- the same from 10,000 amounts at random, which meet nobody
-- count: 9600 draws
\set n 0 - random(1001, 11000)
SELECT o2o.points_stripes_take(:n, 1);
