-- sum of 3,000,000 amounts with digits after the point
SELECT o2o.sum(points) FROM amount;
