-- sum of 3,000,000 points
SELECT o2o.sum(points) FROM amount;
