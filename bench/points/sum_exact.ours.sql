-- sum of 3,000,000 amounts with digits after the point
-- count: 3000000 rows
SELECT o2o.sum(points) FROM amount;
