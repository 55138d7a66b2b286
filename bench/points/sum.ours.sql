-- sum of 3,000,000 points
-- count: 3000000 rows
SELECT o2o.sum(points) FROM amount;
