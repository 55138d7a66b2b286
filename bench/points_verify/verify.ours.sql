-- points_verify() with all its checks over 1,220,000 postings in the order in which they came
-- count: 1220000 postings
-- repeats: 3
SELECT * FROM o2o.points_verify();
